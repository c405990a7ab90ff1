"""What a rule may know besides its object: target, profile, decisions, and the other objects of the run (the Lookup)."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.decisions import answer
from shared.domain.knowledge import Knowledge, knowledge_of
from shared.domain.pointer import JsonValue
from shared.domain.run import RunSetup
from shared.domain.target import Profile, Target, parse_target

Key = tuple[str, str | None, str]


class Facts:
    """The read-only knowledge of one run; implements `shared.domain.convert.base.Lookup`."""

    def __init__(self, setup: RunSetup) -> None:
        self.setup = setup
        self.typed_target: Target = parse_target(dict(setup.target), "target")
        self.knowledge: Knowledge = knowledge_of(setup.knowledge)
        self.profile: Profile = self.knowledge.profiles[setup.source.profile]
        self._by_key: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
        self._by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in setup.index["objects"]:
            obj = entry["object"]
            meta = obj.get("metadata") or {}
            if isinstance(meta.get("name"), str):
                self._by_key[obj["kind"], meta.get("namespace"), meta["name"]].append(obj)
            self._by_kind[obj["kind"]].append(obj)

    @property
    def target(self) -> Mapping[str, JsonValue]:
        return self.setup.target

    def decision(self, key: str) -> JsonValue:
        return answer(self.setup.decisions, key)

    def of_kind(self, kind: str) -> Iterable[Mapping[str, Any]]:
        """Every object of a kind, trimmed."""
        return self._by_kind.get(kind, ())

    def whole(self) -> list[Mapping[str, Any]]:
        """The objects that the index keeps whole: those that refer to ImageStreams."""
        return [o["whole"] for found in self._by_kind.values() for o in found if "whole" in o]

    def find(self, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """The object of this name; one that names no namespace may meet one that does (kustomize and `-n` fill it in).

        None where several of the name differ: a tree of many applications must not lend one the facts of another.
        """
        exact = self._by_key.get((kind, namespace, name), ())
        return _only(exact) if exact else _only(self._loose(kind, namespace, name))

    def _loose(self, kind: str, namespace: str | None, name: str) -> list[Mapping[str, Any]]:
        if namespace is not None:
            return self._by_key.get((kind, None, name), [])
        return [o for o in self._by_kind.get(kind, ()) if (o.get("metadata") or {}).get("name") == name]

    def exists(self, kind: str, namespace: str | None, name: str) -> bool:
        return bool(self._by_key.get((kind, namespace, name)) or self._loose(kind, namespace, name))

    def service(self, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        found = self.find("Service", namespace, name)
        spec = found.get("spec") if found else None
        return spec if isinstance(spec, dict) else None

    def workload_ports(self, namespace: str | None, selector: Mapping[str, str]) -> Mapping[str, int]:
        ports: dict[str, int] = {}
        for obj in self._workloads():
            place = (obj.get("metadata") or {}).get("namespace")
            if selector and selector.items() <= obj["pod"]["labels"].items() and (place == namespace or None in (place, namespace)):
                ports.update(obj["pod"]["ports"])
        return ports

    @functools.cached_property
    def kustomizations(self) -> Kustomizations:
        """The run's kustomizations with the patches they use."""
        return Kustomizations(self.setup.index["kustomizations"], self.setup.index["patches"].get)

    @functools.cached_property
    def patch_files(self) -> frozenset[str]:
        """Files that hold patches, fragments of objects: what they leave out is not missing."""
        return self.kustomizations.patch_files()

    @property
    def source(self) -> str:
        return self.profile.name

    def selected_values(self, namespace: str | None, key: str) -> frozenset[str]:
        """Over every namespace: a superset, which is the safe side."""
        del namespace
        return frozenset(self._selected.get(key, ()))

    def _workloads(self) -> list[Mapping[str, Any]]:
        return [o for found in self._by_kind.values() for o in found if "pod" in o]

    @functools.cached_property
    def _selected(self) -> Mapping[str, set[str]]:
        roots = [o.get("spec") for kind in SELECTING for o in self.of_kind(kind)]
        roots += [selector for o in self._workloads() for selector in o["pod"]["selectors"]]
        found: dict[str, set[str]] = defaultdict(set)
        for key, value in _selected_pairs(roots):
            found[key].add(value)
        return found


def _only(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What all of them say, or None."""
    same = found and all(
        {k: v for k, v in o.items() if k != "metadata"} == {k: v for k, v in found[0].items() if k != "metadata"} for o in found
    )
    return found[0] if same else None


SELECTING = ("Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor", "PodMonitor")
"""Kinds of the index whose spec selects pods by label."""


def _selected_pairs(value: Any) -> Iterable[tuple[str, str]]:
    """(label key, value) of every matchLabels-like mapping and match expression below a value."""
    if isinstance(value, dict):
        if isinstance(value.get("key"), str) and isinstance(value.get("values"), list):
            yield from ((value["key"], v) for v in value["values"] if isinstance(v, str))
        for key, inner in value.items():
            if isinstance(inner, str):
                yield key, inner
            else:
                yield from _selected_pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _selected_pairs(inner)
