"""A target from what a real cluster says of itself: saved output of `az aks show`, `az aks safeguards show`, `kubectl version`
and `kubectl get storageclass,ingressclass,gatewayclass,crd`.

Documents are told apart by what is in them, never by file name. Shapes: the ARM resources Microsoft.ContainerService/managedClusters
(api 2026-04-01) and deploymentSafeguards (2025-07-01) as the Azure CLI prints them (`properties` flattened or not), and
Kubernetes' own lists. What the cluster does not say comes from the default target, and the written file says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.errors import ValidationError

Json = Mapping[str, Any]

COMMANDS = {
    "az aks show": "az aks show -g <rg> -n <cluster> -o json > cluster.json",
    "az aks safeguards show": "az aks safeguards show -g <rg> -n <cluster> -o json > safeguards.json",
    "kubectl version": "kubectl version -o json > version.json",
    "kubectl get": "kubectl get storageclass,ingressclass,gatewayclass,crd -o json > classes.json",
}
"""What to save, by the name that messages use."""


@dataclass(slots=True)
class Dump:
    """The documents of a dump: three of them at most once, and the cluster's objects by kind and name."""

    single: dict[str, Json] = field(default_factory=dict)
    objects: dict[str, dict[str, Json]] = field(default_factory=dict)

    def named(self, kind: str) -> dict[str, Json]:
        """The cluster's objects of a kind, by name, sorted."""
        return dict(sorted(self.objects.get(kind, {}).items()))

    def get(self, document: str, *keys: str) -> Any:
        """A value of one of the single documents; keys are compared without case, `properties` may be left out. None: not said."""
        value: Any = self.single.get(document)
        for key in keys:
            value = _child(value, key)
        return value


def _child(value: Any, key: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    lowered = {str(k).lower(): v for k, v in value.items()}
    if key.lower() in lowered:
        return lowered[key.lower()]
    return _child(lowered.get("properties"), key)


CLASSES = {"StorageClass", "IngressClass", "GatewayClass", "CustomResourceDefinition"}


def read_dump(documents: Iterable[tuple[str, Any]]) -> tuple[Dump, list[str]]:
    """The documents (file, parsed content) as a Dump, and the files that hold nothing of use.

    Raises ValidationError where two files say the same thing of two clusters, or where nothing is of use.
    """
    dump, unknown = Dump(), []
    for file, content in documents:
        kept = [_keep(dump, file, part) for part in _parts(content)]
        if not any(kept):
            unknown.append(file)
    if not dump.single and not dump.objects:
        raise ValidationError(f"no output of a cluster found; save it by: {'; '.join(COMMANDS.values())}")
    return dump, unknown


def _parts(content: Any) -> Iterator[Json]:
    """A document, or the items of a list (a bare one, or a Kubernetes `List`; a typed list's items lack kind and get it)."""
    if isinstance(content, list):
        for item in content:
            yield from _parts(item)
    elif isinstance(content, Mapping):
        items, kind = content.get("items"), str(content.get("kind", ""))
        if isinstance(items, list) and kind.endswith("List"):
            singular = kind.removesuffix("List")
            for item in items:
                yield from _parts({"kind": singular, **item} if isinstance(item, Mapping) and singular else item)
        else:
            yield content


def _keep(dump: Dump, file: str, part: Json) -> bool:
    if part.get("kind") in CLASSES:
        named = str((part.get("metadata") or {}).get("name"))
        dump.objects.setdefault(str(part["kind"]), {})[named] = part
        return True
    command = _recognised(part)
    if command is None:
        return False
    if dump.single.setdefault(command, part) != part:
        raise ValidationError(f"{file}: a second output of `{command}`; a target describes one cluster")
    return True


def _recognised(part: Json) -> str | None:
    if "serverVersion" in part:
        return "kubectl version"
    if _child(part, "podSecurityStandardsLevel") is not None or "deploymentsafeguards" in str(part.get("type", "")).lower():
        return "az aks safeguards show"
    if _child(part, "currentKubernetesVersion") is not None or "managedclusters" in str(part.get("type", "")).lower():
        return "az aks show"
    return None


def missing(dump: Dump) -> Sequence[str]:
    """The commands whose output the dump does not hold, as one would type them."""
    absent = [name for name in COMMANDS if name not in dump.single and name != "kubectl get"]
    absent += [] if dump.objects.get("StorageClass") else ["kubectl get"]
    return [COMMANDS[name] for name in absent]
