"""Where rules look: JSON Pointers with wildcards and PodSpec shorthands, expanded over one object.

`*` stands for every key or item; `$pod` for the PodSpec of any workload kind; `$containers` for each container of
the PodSpec (containers, initContainers, ephemeralContainers); `$meta` for the metadata of the object and of its pod template.
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
    ("Deployment", "DeploymentConfig", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
    "/spec/template/spec",
)
"""Pointer of the PodSpec by kind (Kubernetes API reference, PodSpec)."""

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


def metadata_places(obj: Mapping[str, Any]) -> list[str]:
    """Pointers of the object's own metadata and of its pod template's."""
    base = pod_spec(obj)
    inner = [] if base is None or base == "/spec" else [parent(base) + "/metadata"]
    return [p for p in ["/metadata", *inner] if isinstance(get(obj, p), dict)]


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
    elif len(tokens) == 1:
        if isinstance(value, dict) or (isinstance(value, list) and get(value, join(tokens)) is not MISSING):
            yield child(at, tokens[0])
    else:
        inner = get(value, join(tokens[:1]))
        if inner is not MISSING:
            yield from _walk(inner, child(at, tokens[0]), tokens[1:])
