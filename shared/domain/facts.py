"""What a rule may know besides its object: target, profile, decisions, and the other objects of the run (the Lookup).

A tree may hold many applications that use the same names. Whoever asks from a file is answered by what lies nearest to it: in the same
file, else in the same folder, else in the nearest folder above that holds an object of the name.
"""

from __future__ import annotations

import copy
import posixpath
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from shared.domain.acceptance import Acceptance
from shared.domain.convert.kustomize import Kustomizations
from shared.domain.decisions import answer
from shared.domain.knowledge import Knowledge, knowledge_of
from shared.domain.model import ResourceRef
from shared.domain.pointer import JsonValue
from shared.domain.run import RunSetup
from shared.domain.standing import enforcement_of
from shared.domain.target import Profile, Target, parse_target

Key = tuple[str, str | None, str]
Placed = tuple[str, Mapping[str, Any]]
"""The file of an object, and the object."""


VIEWS = 8
"""How many views of single files are kept: the stages ask from one file in turn, and a file asks for what others see."""


class Facts:
    """The read-only knowledge of one run; implements `shared.domain.convert.base.Lookup` for a file that asks (see `seen_from`)."""

    def __init__(self, setup: RunSetup) -> None:
        self.setup = setup
        self.asking: str | None = None
        self.typed_target: Target = parse_target(dict(setup.target), "target")
        self.enforcement = enforcement_of(self.typed_target)
        self.knowledge: Knowledge = knowledge_of(setup.knowledge)
        self.acceptance = Acceptance(setup.accepted, setup.today)
        self.profile: Profile = self.knowledge.profiles[setup.source.profile]
        copies = {k: v for k, v in (setup.decisions.get("bases") or {}).items() if isinstance(v, str)}
        self.kustomizations = Kustomizations(setup.index["kustomizations"], setup.index["patches"].get, copies)
        self._by_key: dict[Key, list[Placed]] = defaultdict(list)
        self._by_kind: dict[str, list[Placed]] = defaultdict(list)
        for entry in setup.index["objects"]:
            obj, placed = entry["object"], (entry["file"], entry["object"])
            meta = _meta(obj)
            if isinstance(meta.get("name"), str):
                self._by_key[obj["kind"], meta.get("namespace"), meta["name"]].append(placed)
            self._by_kind[obj["kind"]].append(placed)
        self.patch_files = self.kustomizations.patch_files()
        self._selected = self._selected_labels()
        self.identities = tuple(ResourceRef.of(entry["object"]) for entry in setup.index["objects"])
        self.image_names = self._image_names()
        self.run = self
        self.fired: dict[Hashable, Any] = {}
        self._views: dict[str, Facts] = {}

    def seen_from(self, file: str) -> Facts:
        """The same facts, asked from a file of the run; `run` stays the whole run's, one value for all files.

        Each view keeps in `fired` what `shared.domain.inspector` found for a value; the last views are kept with that.
        """
        view = self._views.get(file)
        if view is None:
            if len(self._views) >= VIEWS:
                self._views.clear()
            view = self._views[file] = copy.copy(self)
            view.asking, view.fired = file, {}
        return view

    @property
    def target(self) -> Mapping[str, JsonValue]:
        return self.setup.target

    def decision(self, key: str) -> JsonValue:
        return answer(self.setup.decisions, key)

    def of_kind(self, kind: str) -> Iterable[Mapping[str, Any]]:
        """Every object of a kind, trimmed."""
        return [obj for _, obj in self._by_kind.get(kind, ())]

    def placed(self, kind: str) -> Sequence[Placed]:
        """Every object of a kind, trimmed, with its file, in the order of the run."""
        return self._by_kind.get(kind, ())

    def whole(self) -> list[Mapping[str, Any]]:
        """The objects that the index keeps whole: those that refer to ImageStreams."""
        return [o["whole"] for found in self._by_kind.values() for _, o in found if "whole" in o]

    def find(self, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """The object of this name; one that names no namespace may meet one that does (kustomize and `-n` fill it in).

        None where several of the name that lie equally near differ: no application lends another its facts.
        """
        exact = self._by_key.get((kind, namespace, name), ())
        found = self._loose(kind, namespace, name) if namespace is None or not exact else exact
        whole = [placed for placed in found if placed[0] not in self.patch_files] or found
        near = nearest(whole, self.asking)
        equal = [placed for placed in near if _namespace(placed[1]) == namespace] or near
        return _only([*(obj for _, obj in equal), *self._patching(equal, whole, found)])

    def _patching(self, chosen: Sequence[Placed], whole: Sequence[Placed], found: Sequence[Placed]) -> list[Mapping[str, Any]]:
        """The patches that say something of the objects that were chosen: those to which they lie nearest."""
        patches = (placed for placed in found if placed[0] in self.patch_files and placed[1].keys() - IDENTITY)
        return [obj for file, obj in patches if any(placed in chosen for placed in nearest(whole, file))]

    def _loose(self, kind: str, namespace: str | None, name: str) -> list[Placed]:
        if namespace is not None:
            return self._by_key.get((kind, None, name), [])
        return [placed for placed in self._by_kind.get(kind, ()) if _meta(placed[1]).get("name") == name]

    def exists(self, kind: str, namespace: str | None, name: str) -> bool:
        return bool(self._by_key.get((kind, namespace, name)) or self._loose(kind, namespace, name))

    def service(self, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        found = self.find("Service", namespace, name)
        spec = found.get("spec") if found else None
        return spec if isinstance(spec, dict) else None

    def workload_ports(self, namespace: str | None, selector: Mapping[str, str]) -> Mapping[str, int]:
        if not selector:
            return {}
        matching = [
            (file, obj)
            for file, obj in self._workloads()
            if selector.items() <= obj["pod"]["labels"].items() and (_namespace(obj) == namespace or None in (namespace, _namespace(obj)))
        ]
        return _agreed([obj["pod"]["ports"] for _, obj in nearest(matching, self.asking)])

    def mounting(self, name: str, claim: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The workloads of the run whose pods mount a claim, which `find` gave; those that another one owns are that one's own pods."""
        return [
            obj
            for file, obj in self._workloads()
            if name in obj["pod"].get("claims", ())
            and file not in self.patch_files
            and self.seen_from(file).find("PersistentVolumeClaim", _namespace(obj), name) is claim
        ]

    @property
    def source(self) -> str:
        return self.profile.name

    def selected_values(self, namespace: str | None, key: str) -> frozenset[str]:
        """Over every namespace: a superset, which is the safe side."""
        del namespace
        return frozenset(self._selected.get(key, ()))

    def _workloads(self) -> list[Placed]:
        return [placed for found in self._by_kind.values() for placed in found if "pod" in placed[1]]

    def _image_names(self) -> frozenset[str]:
        """The images of the run's pods and those that its kustomizations make of them, without tag and digest."""
        pods = (entry["object"].get("pod", {}) for entry in self.setup.index["objects"])
        return self.kustomizations.new_names.union(name for pod in pods for name in pod.get("images", ()))

    def _selected_labels(self) -> Mapping[str, set[str]]:
        roots = [o.get("spec") for kind in SELECTING for o in self.of_kind(kind)]
        roots += [selector for _, o in self._workloads() for selector in o["pod"]["selectors"]]
        found: dict[str, set[str]] = defaultdict(set)
        for key, value in _selected_pairs(roots):
            found[key].add(value)
        return found


IDENTITY = frozenset({"apiVersion", "kind", "metadata", "keys"})


@lru_cache(maxsize=65536)
def distance(asking: str, file: str) -> int:
    """How far a file lies from one that asks: 0 the same, 1 the same folder, 2 below it, then two more for each folder upwards."""
    here, there = posixpath.dirname(asking), posixpath.dirname(file)
    steps = 0 if asking == file else 1
    while here and not f"{there}/".startswith(f"{here}/"):
        here, steps = posixpath.dirname(here), steps + 2
    return steps if here == there else steps + 1


def nearest(found: Sequence[Placed], asking: str | None) -> list[Placed]:
    """Those objects that lie nearest to the file that asks; all of them where none asks."""
    if asking is None or len(found) < 2:
        return list(found)
    away = [distance(asking, file) for file, _ in found]
    best = min(away)
    return [placed for placed, steps in zip(found, away, strict=True) if steps == best]


def _agreed(every: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The ports that bear one number wherever they are named."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for ports in every:
        for name, number in ports.items():
            numbers[name].add(number)
    return {name: found.pop() for name, found in numbers.items() if len(found) == 1}


def _meta(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("metadata") or {}


def _namespace(obj: Mapping[str, Any]) -> str | None:
    found = _meta(obj).get("namespace")
    return found if isinstance(found, str) else None


def _only(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What all of them say, or None."""
    said = [{k: v for k, v in o.items() if k not in ("metadata", "keys")} for o in found]
    return found[0] if found and all(s == said[0] for s in said) else None


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
