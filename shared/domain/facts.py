"""What a rule may know besides its object: target, profile, decisions, and the other objects of the run (the Lookup).

A tree may hold many applications that use the same names. Whoever asks from a file is answered by what lies nearest to it: in the same
file, else in the same folder, else in the nearest folder above that holds an object of the name.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from shared.domain.acceptance import Acceptance
from shared.domain.convert.kustomize import Kustomizations
from shared.domain.decisions import answer
from shared.domain.knowledge import Knowledge, knowledge_of
from shared.domain.model import ResourceRef
from shared.domain.nearness import Placed
from shared.domain.pointer import JsonValue
from shared.domain.references import space
from shared.domain.run import RunSetup
from shared.domain.standing import enforcement_of
from shared.domain.target import Profile, Target, parse_target
from shared.domain.views import Namesakes, Workloads

Key = tuple[str, str | None, str]


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
        self._by_name: dict[tuple[str, str], list[Placed]] = defaultdict(list)
        self._by_kind: dict[str, list[Placed]] = defaultdict(list)
        for entry in setup.index["objects"]:
            obj, placed = entry["object"], (entry["file"], entry["object"])
            meta = _meta(obj)
            if isinstance(meta.get("name"), str):
                self._by_key[obj["kind"], meta.get("namespace"), meta["name"]].append(placed)
                self._by_name[obj["kind"], meta["name"]].append(placed)
            self._by_kind[obj["kind"]].append(placed)
        self.patch_files = self.kustomizations.patch_files()
        self._namesakes: dict[Key, Namesakes] = {}
        self._workloads = Workloads(placed for found in self._by_kind.values() for placed in found if "pod" in placed[1])
        self._mounting: dict[str, dict[int, list[Mapping[str, Any]]]] = {}
        self._selected = self._selected_labels()
        self.identities = tuple(ResourceRef.of(entry["object"]) for entry in setup.index["objects"])
        self.image_names = self._image_names()
        self.run = self
        self.fired: dict[Hashable, Any] = {}
        self.kept: dict[Hashable, Any] = {}
        self._views: dict[str, Facts] = {}

    def seen_from(self, file: str) -> Facts:
        """The same facts, asked from a file of the run; `run` stays the whole run's, one value for all files.

        Each view keeps in `fired` what `shared.domain.inspector` found for a value; the last views are kept with that. What every file
        is answered alike may be put in `kept`, by whom and what was asked.
        """
        view = self._views.get(file)
        if view is None:
            if len(self._views) >= VIEWS:
                self._views.clear()
            view = self._views[file] = self.view_of(file)
        return view

    def view_of(self, file: str) -> Facts:
        """A view of its own for one question in passing: not among the last that are kept."""
        view = copy.copy(self)
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
        return self._same_named((kind, namespace, name)).seen_from(self.asking)

    def _same_named(self, key: Key) -> Namesakes:
        if key not in self._namesakes:
            exact = self._by_key.get(key, ())
            found = self._loose(*key) if key[1] is None or not exact else exact
            self._namesakes[key] = Namesakes(key[1], found, self.patch_files)
        return self._namesakes[key]

    def _loose(self, kind: str, namespace: str | None, name: str) -> Sequence[Placed]:
        return self._by_name.get((kind, name), ()) if namespace is None else self._by_key.get((kind, None, name), ())

    def exists(self, kind: str, namespace: str | None, name: str) -> bool:
        return bool(self._by_key.get((kind, namespace, name)) or self._loose(kind, namespace, name))

    def service(self, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        found = self.find("Service", namespace, name)
        spec = found.get("spec") if found else None
        return spec if isinstance(spec, dict) else None

    def workload_ports(self, namespace: str | None, selector: Mapping[str, str]) -> Mapping[str, int]:
        if not selector:
            return {}
        return _agreed([obj["pod"]["ports"] for _, obj in self.selected(namespace, selector)])

    def selected(self, namespace: str | None, selector: Mapping[str, Any], kinds: Sequence[str] | None = None) -> Sequence[Placed]:
        """The workloads (of these kinds) whose pods a selector means, those that lie nearest to the file that asks."""
        return self._workloads.selected(namespace, selector, kinds).nearest(self.asking)

    def mounting(self, name: str, claim: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The workloads of the run whose pods mount a claim, which `find` gave; those that another one owns are that one's own pods."""
        if name not in self._mounting:
            found = self._mounting[name] = defaultdict(list)
            for file, obj in self._workloads.claiming(name):
                if file not in self.patch_files:
                    mounted = self._same_named(("PersistentVolumeClaim", space(obj), name)).seen_from(file)
                    found[id(mounted)].append(obj)
        return self._mounting[name].get(id(claim), [])

    @property
    def source(self) -> str:
        return self.profile.name

    def selected_values(self, namespace: str | None, key: str) -> frozenset[str]:
        """Over every namespace: a superset, which is the safe side."""
        del namespace
        return frozenset(self._selected.get(key, ()))

    def _image_names(self) -> frozenset[str]:
        """The images of the run's pods and those that its kustomizations make of them, without tag and digest."""
        pods = (entry["object"].get("pod", {}) for entry in self.setup.index["objects"])
        return self.kustomizations.new_names.union(name for pod in pods for name in pod.get("images", ()))

    def _selected_labels(self) -> Mapping[str, set[str]]:
        roots = [o.get("spec") for kind in SELECTING for o in self.of_kind(kind)]
        roots += [selector for _, o in self._workloads.all for selector in o["pod"]["selectors"]]
        found: dict[str, set[str]] = defaultdict(set)
        for key, value in _selected_pairs(roots):
            found[key].add(value)
        return found


def _agreed(every: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The ports that bear one number wherever they are named."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for ports in every:
        for name, number in ports.items():
            numbers[name].add(number)
    return {name: found.pop() for name, found in numbers.items() if len(found) == 1}


def _meta(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("metadata") or {}


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
