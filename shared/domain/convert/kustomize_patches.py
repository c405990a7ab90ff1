"""The patches of a kustomization: where they stand, what they select, and whether their body still fits a converted object."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from shared.domain.convert.base import Op
from shared.domain.model import ResourceRef, Retyping
from shared.domain.pointer import child

KEPT_FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("DeploymentConfig", "Deployment"): (
        "/metadata", "/spec/template", "/spec/replicas", "/spec/minReadySeconds", "/spec/revisionHistoryLimit", "/spec/paused",
    ),
    ("Ingress", "Ingress"): ("/metadata", "/spec/tls", "/spec/ingressClassName"),
    ("HorizontalPodAutoscaler", "HorizontalPodAutoscaler"): ("/metadata", "/spec/minReplicas", "/spec/maxReplicas", "/spec/scaleTargetRef"),
    ("CustomResourceDefinition", "CustomResourceDefinition"): ("/metadata", "/spec/names", "/spec/group", "/spec/scope"),
}  # fmt: skip
"""What a patch may touch before and after a conversion alike. Not listed: everything where the kind stays, else names and labels."""

Read = Callable[[str], Sequence[Any] | None]


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch. `target` is None where kustomize matches the body itself; `file` is None for an inline body."""

    field: str
    place: str
    siblings: int
    entry: Mapping[str, Any]
    target: Mapping[str, Any] | None
    body: Any
    file: str | None
    document: int = 0

    def selects(self, ref: ResourceRef) -> bool:
        """Whether the patch is applied to this object."""
        if self.target is not None:
            group, _, version = ref.api_version.rpartition("/")
            meant = {"group": group, "version": version, "kind": ref.kind, "name": ref.name}
            return all(_fits(self.target.get(k), v) for k, v in meant.items())
        if not isinstance(self.body, Mapping):
            return False
        meta = self.body.get("metadata")
        name = meta.get("name") if isinstance(meta, Mapping) else None
        return (self.body.get("apiVersion"), self.body.get("kind"), name) == (ref.api_version, ref.kind, ref.name)


def _fits(pattern: Any, value: str | None) -> bool:
    if not isinstance(pattern, str) or not pattern:
        return True
    try:
        return re.fullmatch(pattern, value or "") is not None
    except re.error:
        return pattern == value


def patches_of(path: str, content: Mapping[str, Any], read: Read) -> Iterator[Patch]:
    """Every patch of a kustomization, in the order of its fields; one per document of a file of several."""
    for field in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        entries = content.get(field)
        for i, entry in enumerate(entries if isinstance(entries, list) else []):
            yield from _patches(path, field, child("", field, i), len(entries or ()), entry, read)


def _patches(path: str, field: str, place: str, siblings: int, entry: Any, read: Read) -> Iterator[Patch]:
    item = entry if isinstance(entry, Mapping) else {}
    name, inline = (item.get("path"), item.get("patch")) if item else (entry, None)
    if isinstance(name, str) and "\n" in name:
        name, inline = None, name
    target = item.get("target")
    file = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) if isinstance(name, str) else None
    bodies = (read(file) or ()) if file is not None else _parsed(inline)
    for i, body in enumerate(bodies):
        yield Patch(field, place, siblings, item, target if isinstance(target, Mapping) else None, body, file, i)


def _parsed(inline: Any) -> Sequence[Any]:
    try:
        return list(yaml.safe_load_all(inline)) if isinstance(inline, str) else ()
    except yaml.YAMLError:
        return ()


API_VERSIONS: Mapping[str, str] = {
    "Pod": "v1", "Service": "v1", "ConfigMap": "v1", "ServiceAccount": "v1", "PersistentVolume": "v1", "PersistentVolumeClaim": "v1",
    "Namespace": "v1", "ReplicationController": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1", "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1", "StorageClass": "storage.k8s.io/v1", "HorizontalPodAutoscaler": "autoscaling/v2",
}  # fmt: skip
"""What a target means that names such a kind and no group (Kubernetes API reference)."""


def known_kind(target: Mapping[str, Any], objects: Iterable[ResourceRef]) -> tuple[str, str] | None:
    """(apiVersion, kind) of what a target selects: as it says, else as the run's objects that it selects have it; None where none says."""
    kind = target.get("kind")
    if isinstance(kind, str) and kind.isalnum():
        group, version = target.get("group"), target.get("version")
        if isinstance(version, str) and (isinstance(group, str) or kind in API_VERSIONS):
            return f"{group}/{version}" if group else version, kind
    selecting = Patch("", "", 0, {}, target, None, None)
    found = next((ref for ref in objects if selecting.selects(ref)), None) if target.get("kind") or target.get("name") else None
    if found is not None:
        return found.api_version, found.kind
    first = kind.split("|")[0].strip("()^$") if isinstance(kind, str) else ""
    return (API_VERSIONS[first], first) if first in API_VERSIONS else None


def retargeted(target: Mapping[str, Any], new: Retyping) -> dict[str, Any]:
    """The target with the successor's group, version and kind in those of these fields that it names."""
    group, _, version = new.api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": new.kind}
    return dict(target) | {k: v for k, v in wanted.items() if target.get(k)}


def retyped_body(patch: Patch, retyped: Iterable[Retyping]) -> tuple[Op, ...]:
    """What a strategic-merge patch that kustomize matches by its own apiVersion and kind needs to match the converted object."""
    new = next((r for r in retyped if patch.target is None and patch.selects(r.ref)), None)
    if new is None or not isinstance(patch.body, Mapping):
        return ()
    wanted = {"apiVersion": new.api_version, "kind": new.kind}
    return tuple(Op("replace", f"/{k}", v) for k, v in wanted.items() if patch.body[k] != v)


def body_fits(patch: Patch, retyping: Retyping) -> bool:
    """Whether the body does the same to the successor.

    Strategic-merge patches replace lists in kinds that kustomize does not know and merge them in those it knows: a list in the body of a
    patch for such a kind would come to mean something else.
    """
    same_kind = retyping.kind == retyping.ref.kind
    default = ("",) if same_kind else ("/metadata/name", "/metadata/namespace", "/metadata/labels")
    kept = KEPT_FIELDS.get((retyping.ref.kind, retyping.kind), default)
    if isinstance(patch.body, list):
        return all(isinstance(o, Mapping) and _inside(str(o.get("path")), kept) for o in patch.body)
    if not isinstance(patch.body, Mapping):
        return False
    touched = list(_leaves({k: v for k, v in patch.body.items() if k not in ("apiVersion", "kind")}, ""))
    return all(_inside(p, kept) for p, _ in touched) and (same_kind or not any(isinstance(v, list) for _, v in touched))


def _inside(path: str, kept: Sequence[str]) -> bool:
    return any(path == k or path.startswith(k + "/") or k == "" for k in kept)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, child(path, str(key)))
    else:
        yield path, value
