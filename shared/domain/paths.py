"""Where rules look: JSON Pointers with wildcards and PodSpec shorthands, expanded over one object.

`*` stands for every key or item; `$pod` for the PodSpec of any workload kind; `$containers` for each container of
the PodSpec (containers, initContainers, ephemeralContainers); `$meta` for the metadata of the object and of its pod template, `$podmeta`
for that of the pods alone. A step that ends in `*` stands for every key that starts so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.pointer import MISSING, child, get, join, parent, split

POD_SPECS: Mapping[str, str] = {
    "Pod": "/spec",
    "PodTemplate": "/template/spec",
    "CronJob": "/spec/jobTemplate/spec/template/spec",
} | dict.fromkeys(
    ("Deployment", "DeploymentConfig", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout"),
    "/spec/template/spec",
)
"""Pointer of the PodSpec by kind (Kubernetes API reference, PodSpec; Argo Rollouts: its Rollout takes the place of a Deployment)."""

CONTAINER_FIELDS = ("containers", "initContainers", "ephemeralContainers")


def pod_spec(obj: Mapping[str, Any]) -> str | None:
    """Pointer of the PodSpec, or None where the object has none (a wrong shape included)."""
    place = POD_SPECS.get(obj.get("kind", ""))
    return place if place is not None and isinstance(get(obj, place), dict) else None


def containers(obj: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(pointer, container) of every container that is a mapping, init and ephemeral ones included."""
    base = pod_spec(obj)
    for field in CONTAINER_FIELDS if base is not None else ():
        items = get(obj, f"{base}/{field}")
        for i, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield f"{base}/{field}/{i}", item


def container_of(obj: Mapping[str, Any], path: str) -> str | None:
    """What messages call the container that a path lies in, `container web`; None where it lies in none."""
    for place, container in containers(obj):
        if path == place or path.startswith(f"{place}/"):
            kind = {"containers": "container", "initContainers": "init container"}.get(split(place)[-2], "ephemeral container")
            return f"{kind} {container['name']}" if isinstance(container.get("name"), str) else kind
    return None


def workload_name(obj: Mapping[str, Any]) -> str:
    """What questions call a workload, and Decisions are keyed by: `namespace/name`, or the name alone."""
    meta = obj.get("metadata")
    parts = [meta.get("namespace"), meta.get("name")] if isinstance(meta, dict) else []
    return "/".join(p for p in parts if isinstance(p, str)) or "(no name)"


def account_of(obj: Mapping[str, Any]) -> str:
    """The name of the ServiceAccount that the pods of an object run under."""
    name = get(obj, f"{pod_spec(obj)}/serviceAccountName")
    return name if isinstance(name, str) and name else "default"


def pod_metadata(obj: Mapping[str, Any]) -> str | None:
    """Pointer of the metadata that the pods of an object get; None where it makes none."""
    base = pod_spec(obj)
    return None if base is None else "/metadata" if base == "/spec" else parent(base) + "/metadata"


def metadata_places(obj: Mapping[str, Any]) -> list[str]:
    """Pointers of the object's own metadata and of its pod template's."""
    inner = pod_metadata(obj)
    return [p for p in dict.fromkeys(["/metadata", inner]) if p and isinstance(get(obj, p), dict)]


def expand(obj: Mapping[str, Any], pattern: str) -> list[str]:
    """Every pointer that a pattern names in an object; the last token may be absent, everything before it exists."""
    head, _, rest = pattern.partition("/")
    if head == "$pod":
        base = pod_spec(obj)
        starts = [] if base is None else [base]
    elif head == "$containers":
        starts = [p for p, _ in containers(obj)]
    elif head == "$meta":
        starts = metadata_places(obj)
    elif head == "$podmeta":
        starts = [p for p in [pod_metadata(obj)] if p and isinstance(get(obj, p), dict)]
    else:
        starts = [""]
    tokens = split("/" + rest) if rest else []
    return [p for start in starts for p in _walk(get(obj, start), start, tokens)]


def _walk(value: Any, at: str, tokens: list[str]) -> Iterator[str]:
    if not tokens:
        yield at
    elif tokens[0] == "*":
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from _walk(value[key], child(at, key), tokens[1:])
    elif tokens[0].endswith("*"):
        for key in value if isinstance(value, dict) else ():
            if key.startswith(tokens[0][:-1]):
                yield from _walk(value[key], child(at, key), tokens[1:])
    elif len(tokens) == 1:
        if isinstance(value, dict) or (isinstance(value, list) and get(value, join(tokens)) is not MISSING):
            yield child(at, tokens[0])
    else:
        inner = get(value, join(tokens[:1]))
        if inner is not MISSING:
            yield from _walk(inner, child(at, tokens[0]), tokens[1:])
