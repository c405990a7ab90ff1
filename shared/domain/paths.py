"""Where rules look: JSON Pointers with wildcards and PodSpec shorthands, expanded over one object.

`*` stands for every key or item; `$pod` for the PodSpec of any workload kind; `$containers` for each container of
the PodSpec (containers, initContainers, ephemeralContainers); `$meta` for the metadata of the object and of its pod template, `$podmeta`
for that of the pods alone. A step that ends in `*` stands for every key that starts so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from shared.domain.pointer import MISSING, at, child, get, parent, split

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
    head, steps = _parsed(pattern)
    return [p for start in _starts(obj, head) for p in _walk(get(obj, start), start, steps)]


def plain_steps(pattern: str) -> list[str]:
    """The steps of a pattern that are names, below its shorthand: keys of an object, or places of its lists."""
    return [step for step in _parsed(pattern)[1] if not step.endswith("*")]


@lru_cache(maxsize=4096)
def _parsed(pattern: str) -> tuple[str, tuple[str, ...]]:
    """The shorthand at the head ("" where there is none), and the steps below it."""
    head, _, rest = pattern.partition("/")
    return head, split("/" + rest) if rest else ()


def _starts(obj: Mapping[str, Any], head: str) -> list[str]:
    if head == "$pod":
        base = pod_spec(obj)
        return [] if base is None else [base]
    if head == "$containers":
        return [p for p, _ in containers(obj)]
    if head == "$meta":
        return metadata_places(obj)
    if head == "$podmeta":
        return [p for p in [pod_metadata(obj)] if p and isinstance(get(obj, p), dict)]
    return [""]


def _walk(value: Any, place: str, steps: tuple[str, ...]) -> Iterator[str]:
    """Down the plain steps one after the other; a wildcard branches."""
    for i, step in enumerate(steps):
        if step.endswith("*"):
            for key in _matching(value, step[:-1]):
                yield from _walk(value[key], child(place, key), steps[i + 1 :])
            return
        inner = at(value, (step,))
        if i == len(steps) - 1:
            if isinstance(value, dict) or inner is not MISSING:
                yield child(place, step)
            return
        if inner is MISSING:
            return
        value, place = inner, child(place, step)
    yield place


def _matching(value: Any, prefix: str) -> Iterable[Any]:
    """The keys of a mapping that start so; where anything does, the places of a list too."""
    if isinstance(value, list):
        return () if prefix else range(len(value))
    return [key for key in value if key.startswith(prefix)] if isinstance(value, dict) else ()
