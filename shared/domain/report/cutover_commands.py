"""Commands as they stand on the page: exact where the run knows, in capitals where only a person does.

Names come from `inventory.Item`, which takes none that a shell would read as anything but a word; other texts are quoted.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from shared.domain.inventory import Item

NAMESPACE = "NAMESPACE"
PLACEHOLDERS = {
    "OLD": "the kubectl context of the old cluster",
    "AKS": "the kubectl context of the AKS cluster",
    "OUT": "the folder with the patched files of this run (`--out`)",
    "NAMESPACE": "the namespace of what names none in its manifest",
    "RG": "the resource group of the AKS cluster",
    "CLUSTER": "the name of the AKS cluster",
}
"""Words in capitals that have the same meaning on the whole page."""
SHORT = {
    "Gateway": "gateway.gateway.networking.k8s.io",
    "Certificate": "certificate.cert-manager.io",
    "ScaledObject": "scaledobject.keda.sh",
}
"""Resources that several APIs have."""


def place(namespace: str | None) -> str:
    """The namespace as a command has it."""
    return namespace or NAMESPACE


def kubectl(context: str, namespace: str | None, words: str) -> str:
    """One call in one namespace of one of the two clusters."""
    return f"kubectl --context {context} -n {place(namespace)} {words}"


def resource(item: Item) -> str:
    """`deployment/web`."""
    return f"{SHORT.get(item.kind, item.kind.lower())}/{item.name}"


def by_namespace(items: Iterable[Item]) -> Iterator[tuple[str | None, list[Item]]]:
    """The items of each namespace, each resource once."""
    ordered = sorted(items, key=lambda i: (i.namespace or "", i.kind, i.name))
    for namespace, group in groupby(ordered, key=lambda i: i.namespace):
        yield namespace, list({resource(i): i for i in group}.values())


def scale(context: str, items: Sequence[Item], replicas: int | None = None, scalers: Sequence[Item] = ()) -> list[str]:
    """One call for each namespace and number; `replicas` None: as many as each item's manifest, or its autoscaler's least, says."""
    lines = []
    for namespace, group in by_namespace(items):
        counts = {resource(i): _count(i, replicas, scalers) for i in group}
        for count, same in groupby(sorted(group, key=lambda i: counts[resource(i)]), key=lambda i: counts[resource(i)]):
            lines.append(kubectl(context, namespace, f"scale {' '.join(map(resource, same))} --replicas={count}"))
    return lines


def _count(item: Item, replicas: int | None, scalers: Sequence[Item]) -> int:
    if replicas is not None:
        return replicas
    given = count_of(item)
    return max([given, *(int(s.facts.get("min", 1)) for s in scalers if scales(s, item))]) if given else 0


def scales(scaler: Item, item: Item) -> bool:
    """Whether an autoscaler is for this workload."""
    named = scaler.facts.get("target") == item.name and scaler.facts.get("targetKind") == item.kind
    return named and scaler.namespace == item.namespace


def count_of(item: Item) -> int:
    """The pods that a manifest asks for."""
    found: int = item.facts.get("replicas", 1)
    return found


def retain(context: str, items: Iterable[Item]) -> list[str]:
    """StatefulSets whose claims would go with their pods keep them."""
    keep = """-p '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Retain","whenDeleted":"Retain"}}}'"""
    deleting = [i for i in items if i.facts.get("deletesClaims")]
    return [kubectl(context, n, f"patch {resource(i)} {keep}") for n, group in by_namespace(deleting) for i in group]


def park(context: str, items: Iterable[Item], *, on: bool = True) -> list[str]:
    """A DaemonSet has no number of pods: it waits for nodes of a label that none has."""
    value = '"true"' if on else "null"
    patch = f"""-p '{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"cutover/parked":{value}}}}}}}}}}}'"""
    return [kubectl(context, n, f"patch {resource(i)} {patch}") for n, group in by_namespace(items) for i in group]


def pause(context: str, scalers: Iterable[Item], *, on: bool = True) -> list[str]:
    """KEDA undoes `kubectl scale` unless it is paused (keda.sh/docs, Pausing autoscaling)."""
    note = "autoscaling.keda.sh/paused-replicas"
    words = f"{note}=0 --overwrite" if on else f"{note}-"
    return [kubectl(context, n, f"annotate {resource(i)} {words}") for n, group in by_namespace(scalers) for i in group]


def delete(context: str, items: Iterable[Item]) -> list[str]:
    """One call for each namespace; what is gone already is no error."""
    groups = by_namespace(items)
    return [kubectl(context, n, f"delete {' '.join(map(resource, group))} --ignore-not-found") for n, group in groups]


def suspend(context: str, jobs: Iterable[Item], *, on: bool) -> list[str]:
    """Stop CronJobs from starting, or let them start again."""
    patch = f"""-p '{{"spec":{{"suspend":{str(on).lower()}}}}}'"""
    return [kubectl(context, namespace, f"patch {resource(job)} {patch}") for namespace, group in by_namespace(jobs) for job in group]


def apply(paths: Sequence[str]) -> str:
    """Apply files of the run in this order."""
    return "kubectl --context AKS apply" + "".join(f" \\\n  -f {out(path)}" for path in paths)


def out(path: str) -> str:
    """A file or folder below OUT, as a word of a shell."""
    if not path:
        return "OUT"
    quoted = shlex.quote(path)
    return f"OUT/{path}" if quoted == path else f"OUT/{quoted}"
