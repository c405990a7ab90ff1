"""Every object of a run by name, as it came and as the run leaves it: what the pages about the move are made of.

Only objects whose names Kubernetes takes are items: their names stand in commands that people paste into a shell. What has another name
(a variable, a generated one) is told apart and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.convert.template import expanded
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import ResourceRef
from shared.domain.noted import noted
from shared.domain.pointer import JsonValue
from shared.domain.reference_kinds import references
from shared.domain.references import Reference

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Answers = Callable[[str], JsonValue]
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""An RFC 1123 subdomain, as Kubernetes checks the names of objects."""
RBAC_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.:_]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Item:
    """One object at its place; `facts` as `noted` has them, `refs` what it names of others."""

    file: str
    api_version: str
    kind: str
    namespace: str | None
    name: str
    facts: Mapping[str, Any]
    refs: tuple[Reference, ...] = ()

    @property
    def group(self) -> str:
        """The API group; "" for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """What it runs; empty where it runs nothing."""
        found: list[Mapping[str, Any]] = self.facts.get("containers", [])
        return found


@dataclass(frozen=True, eq=False)
class Inventory:
    """The objects at one moment, in the order of files and documents; `unnamed` are those that no command can name.

    Two are never equal, so that what is made of one can be kept for it.
    """

    items: tuple[Item, ...] = ()
    unnamed: tuple[str, ...] = ()

    def of(self, *kinds: str) -> list[Item]:
        """The objects of these kinds."""
        return list(self._by_kind.get(kinds[0], ())) if len(kinds) == 1 else [item for item in self.items if item.kind in kinds]

    @cached_property
    def _by_kind(self) -> Mapping[str, Sequence[Item]]:
        return grouped(self.items, lambda item: item.kind)

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Sequence[Item]]:
        return grouped(self.items, lambda item: (item.kind, item.name))

    @cached_property
    def running(self) -> tuple[Item, ...]:
        """The objects that make pods."""
        return tuple(item for item in self.items if item.containers and item.kind != "PodTemplate")

    def find(self, kind: str, namespace: str | None, name: str) -> Item | None:
        """The first of the name; a namespace that is left out meets any."""
        same = self._by_name.get((kind, name), ())
        return next((i for i in same if i.namespace == namespace or None in (namespace, i.namespace)), None)


def grouped(values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    """The values by their keys, each list in their order."""
    found: dict[K, list[V]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return found


def as_it_came(index: Mapping[str, Any]) -> Inventory:
    """The objects of the run's index but fragments of kustomizations."""
    fragments = _fragments(index)
    return _inventory(_came(e) for e in index.get("objects", ()) if e["file"] not in fragments)


def as_it_is_left(index: Mapping[str, Any], changed: Mapping[str, bytes | None], answers: Answers) -> Inventory:
    """The same with the files that the run wrote (None: not written any more) read again."""
    fragments = _fragments(index)
    kept = (_came(e) for e in index.get("objects", ()) if e["file"] not in changed and e["file"] not in fragments)
    new = (made for path, data in sorted(changed.items()) if path not in fragments for made in _read(path, data, answers))
    return _inventory([*kept, *new])


Made = tuple[str, Mapping[str, Any], Mapping[str, Any], tuple[Reference, ...]]
"""File, object, its facts, its references."""


def _fragments(index: Mapping[str, Any]) -> frozenset[str]:
    return Kustomizations(index.get("kustomizations", {}), index.get("patches", {}).get).patch_files()


def _came(entry: Mapping[str, Any]) -> Made:
    return entry["file"], entry["object"], entry.get("noted") or {}, tuple(map(Reference.from_json, entry.get("refs") or ()))


def _read(path: str, data: bytes | None, answers: Answers) -> Iterator[Made]:
    manifest = read_manifest(path, data) if data is not None else None
    for document in manifest.documents if manifest and manifest.status == "manifest" else ():
        for _, obj in resources(document):
            for made in (obj, *(inner for _, inner in expanded(obj, answers))):
                yield path, made, noted(made), tuple(references(made))


def _inventory(found: Iterable[Made]) -> Inventory:
    items: list[Item] = []
    unnamed: list[str] = []
    for file, obj, facts, refs in sorted(found, key=lambda made: made[0]):
        ref = ResourceRef.of(obj)
        name, space = ref.name or "", ref.namespace
        pattern = RBAC_NAME if obj["apiVersion"].startswith("rbac.") else NAME
        if pattern.fullmatch(name) and (space is None or NAME.fullmatch(space)):
            items.append(Item(file, ref.api_version, ref.kind, space, name, facts, refs))
        elif facts or ref.kind == "Template":
            unnamed.append(f"{ref.kind} {name or 'without a name'} ({file})")
    return Inventory(tuple(items), tuple(unnamed))
