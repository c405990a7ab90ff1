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
SHORT = {"Gateway": "gateway.gateway.networking.k8s.io", "Certificate": "certificate.cert-manager.io"}
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


def scale(context: str, items: Sequence[Item], replicas: int | None = None) -> list[str]:
    """One call for each namespace and number; `replicas` None: as many as each item's manifest says."""
    lines = []
    for namespace, group in by_namespace(items):
        wanted = sorted(group, key=lambda i: _count(i, replicas))
        for count, same in groupby(wanted, key=lambda i: _count(i, replicas)):
            lines.append(kubectl(context, namespace, f"scale {' '.join(map(resource, same))} --replicas={count}"))
    return lines


def _count(item: Item, replicas: int | None) -> int:
    found: int = item.facts.get("replicas", 1) if replicas is None else replicas
    return found


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
