"""Which objects name which others: the references that must still meet something after a conversion.

One list for every kind, of plain and foreign objects alike, so that the state before a run and the state after it are read by the same
eyes. This module knows what pods name; `reference_kinds` knows the other kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.paths import POD_SPECS, containers, expand, pod_spec
from shared.domain.pointer import JsonValue, child, get

PODS, SERVICES = "pods", "services"
"""The target kinds of selectors: whatever object makes pods, and whatever Service, with these labels."""

MADE_OUTSIDE = frozenset(
    """
    Secret ConfigMap ServiceAccount ClusterRole PersistentVolume VolumeSnapshot StorageClass PriorityClass RuntimeClass Gateway
    Middleware ImageStream
    """.split()  # noqa: SIM905 (reads better than a line each)
)
"""Kinds that operators, clusters and people make beside an application: a missing one is no mistake, one that a change takes away is."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an object names at `path`: another by kind and name, or whatever `labels` select.

    `part` is what it names of the other: a Service's port, a key of a ConfigMap or Secret, a Gateway's listener. `outside` says that the
    other is often made outside the run.
    """

    path: str
    kind: str
    namespace: str | None
    name: str
    part: int | str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    outside: bool = False

    @property
    def target(self) -> tuple[str, str | None, str, str | None]:
        """What is meant, whoever names it; a workload may get another kind."""
        return "workload" if self.kind in POD_SPECS else self.kind, self.namespace, self.name, None if self.part is None else str(self.part)

    def to_json(self) -> list[JsonValue]:
        return [self.path, self.kind, self.namespace, self.name, self.part, [list(pair) for pair in self.labels], self.outside]

    @classmethod
    def from_json(cls, data: list[Any]) -> Reference:
        path, kind, namespace, name, part, labels, outside = data
        return cls(path, kind, namespace, name, part, tuple((key, value) for key, value in labels), outside)


def space(obj: Mapping[str, Any]) -> str | None:
    """The namespace that an object names, or None."""
    found = get(obj, "/metadata/namespace")
    return found if isinstance(found, str) else None


def usable(value: Any) -> int | str | None:
    """A port, key or listener as it is named; None for other shapes and for variables."""
    fit = isinstance(value, (int, str)) and not isinstance(value, bool) and value != ""
    return value if fit and "${" not in str(value) else None


def to(path: str, kind: str, namespace: str | None, name: Any, part: Any = None, *, outside: bool | None = None) -> Iterator[Reference]:
    """A reference, where the name is one."""
    if isinstance(name, str) and name:
        often = kind in MADE_OUTSIDE if outside is None else outside
        yield Reference(path, kind, namespace, name, usable(part), (), often)


def named(obj: Mapping[str, Any], pattern: str, kind: str) -> Iterator[Reference]:
    """A reference in the object's own namespace for each place of the pattern that holds a name."""
    for path in expand(obj, pattern):
        yield from to(path, kind, space(obj), get(obj, path))


def pods(obj: Mapping[str, Any]) -> Iterator[Reference]:
    """What the pods of a workload name; sources that are optional are none."""
    if pod_spec(obj) is None:
        return
    volumes = "$pod/volumes/*"
    yield from named(obj, f"{volumes}/persistentVolumeClaim/claimName", "PersistentVolumeClaim")
    for kind, field, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
        yield from _sources(obj, f"{volumes}/{field}", kind, key)
        yield from _sources(obj, f"{volumes}/projected/sources/*/{field}", kind, "name")
    for place, _ in containers(obj):
        for kind, stem in (("ConfigMap", "configMap"), ("Secret", "secret")):
            yield from _sources(obj, f"{place}/env/*/valueFrom/{stem}KeyRef", kind, "name")
            yield from _sources(obj, f"{place}/envFrom/*/{stem}Ref", kind, "name")
    yield from named(obj, "$pod/priorityClassName", "PriorityClass")
    yield from named(obj, "$pod/runtimeClassName", "RuntimeClass")
    accounts = [*named(obj, "$pod/serviceAccountName", "ServiceAccount"), *named(obj, "$pod/serviceAccount", "ServiceAccount")]
    yield from (r for r in accounts[:1] if r.name != "default")


def _sources(obj: Mapping[str, Any], pattern: str, kind: str, field: str) -> Iterator[Reference]:
    """A ConfigMap or Secret as a source of settings or files, with each key that is named of it."""
    for path in expand(obj, pattern):
        holder = get(obj, path)
        if not isinstance(holder, dict) or holder.get("optional") is True:
            continue
        items = holder.get("items")
        keys = [item.get("key") for item in items if isinstance(item, dict)] if isinstance(items, list) else [holder.get("key")]
        for key in keys or [None]:
            yield from to(child(path, field), kind, space(obj), holder.get(field), key)
