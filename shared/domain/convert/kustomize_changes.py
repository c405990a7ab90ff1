"""What follows in a kustomization when files, kinds, versions and images change under it, as operations on it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.base import Op
from shared.domain.convert.kustomize_patches import Patch, retargeted, retyped_body
from shared.domain.model import ResourceRef, Retyping
from shared.domain.pointer import get
from shared.domain.text_edits import edited_text

FILE_LISTS = ("resources", "bases", "components", "crds", "configurations", "transformers", "generators", "patchesStrategicMerge")
INCLUDING = ("resources", "bases", "components")


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a run's files and objects; paths are relative to the run's root."""

    retyped: tuple[Retyping, ...] = ()
    kept: tuple[ResourceRef, ...] = ()
    """Objects of a kind that was converted elsewhere but not here: a target that selects both is written twice."""
    removed: frozenset[str] = frozenset()
    created: frozenset[str] = frozenset()
    gone: frozenset[ResourceRef] = frozenset()
    """Objects that are in no file any more, and have no successor."""
    images: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By file, the images (without tag) that were replaced in it: old name to new name."""


def following(path: str, content: Mapping[str, Any], patches: Sequence[Patch], changes: Changes, moved: Mapping[str, str]) -> Iterator[Op]:
    """Everything that follows in one kustomization. `moved`: the images of what it builds, old name to new name.

    Entries of `patches` go last among the operations on patches, so that the places of the others hold.
    """
    yield from _retarget(patches, changes)
    yield from _retype(patches, content, changes)
    yield from _drop(patches, content, changes)
    yield from _relist(path, content, changes)
    yield from _rename(content, moved)


def image_entries(content: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(place, entry) of every entry of `images` that names an image."""
    items = content.get("images")
    for i, entry in enumerate(items if isinstance(items, list) else []):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield i, entry


def listed(path: str, content: Mapping[str, Any], fields: Iterable[str]) -> set[str]:
    """The files and folders that a kustomization lists in these fields, relative to the run's root."""
    return {resolve(path, e) for f in fields for e in _entries(content, f)}


def _entries(content: Mapping[str, Any], field: str) -> Iterator[str]:
    items = content.get(field)
    yield from (e for e in (items if isinstance(items, list) else []) if isinstance(e, str) and "\n" not in e and "://" not in e)


def resolve(path: str, entry: str) -> str:
    """An entry of a kustomization as a path of the run."""
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry))
    return "" if resolved == "." else resolved


def patches_nothing(patch: Patch, changes: Changes) -> bool:
    """Whether kustomize would find nothing for a patch that names its object itself, and fail."""
    return patch.target is None and isinstance(patch.body, Mapping) and any(patch.selects(ref) for ref in changes.gone)


def _drop(patches: Sequence[Patch], content: Mapping[str, Any], changes: Changes) -> Iterator[Op]:
    """The entries whose patches would all find nothing, from the last to the first, so that their places hold."""
    by_entry: dict[str, list[Patch]] = {}
    for patch in patches:
        by_entry.setdefault(patch.place, []).append(patch)
    vain = [found[0] for found in by_entry.values() if all(patches_nothing(p, changes) for p in found)]
    for name in dict.fromkeys(p.field for p in vain):
        places = [p.place for p in vain if p.field == name]
        yield from ([Op("remove", f"/{name}")] if len(places) == len(content[name]) else [Op("remove", p) for p in reversed(places)])


def _retarget(patches: Sequence[Patch], changes: Changes) -> Iterator[Op]:
    """Targets that select a converted object; where one also selects an object that stayed, the patch is written for both."""
    added: dict[str, int] = {}
    for patch in patches:
        new = next((r for r in changes.retyped if patch.target is not None and patch.selects(r.ref)), None)
        if new is None or patch.target is None:
            continue
        target = retargeted(patch.target, new)
        if target == patch.target:
            continue
        if not any(patch.selects(k) for k in changes.kept):
            yield from (Op("replace", f"{patch.place}/target/{k}", v) for k, v in target.items() if patch.target[k] != v)
        else:
            place = added.setdefault(patch.field, patch.siblings)
            added[patch.field] += 1
            yield Op("add", f"/{patch.field}/{place}", {**patch.entry, "target": target})


def _rename(content: Mapping[str, Any], moved: Mapping[str, str]) -> Iterator[Op]:
    """Entries of `images` follow the images that they are about."""
    known = {entry["name"] for _, entry in image_entries(content)}
    for i, entry in image_entries(content):
        new = moved.get(entry["name"])
        if new is not None and new not in known:
            yield Op("replace", f"/images/{i}/name", new)


def _retype(patches: Sequence[Patch], content: Mapping[str, Any], changes: Changes) -> Iterator[Op]:
    """Inline strategic-merge patches that are matched by apiVersion and kind: their text, with the new ones."""
    places: dict[str, list[Op]] = {}
    for patch in (p for p in patches if p.file is None):
        ops = [Op(o.op, f"/{patch.document}{o.path}", o.value) for o in retyped_body(patch, changes.retyped)]
        places.setdefault(f"{patch.place}/patch" if patch.entry else patch.place, []).extend(ops)
    yield from (Op("replace", place, edited_text(get(content, place), ops, place)) for place, ops in places.items() if ops)


def _relist(path: str, content: Mapping[str, Any], changes: Changes) -> Iterator[Op]:
    for name in FILE_LISTS:
        items = content.get(name)
        if isinstance(items, list):
            gone = [i for i, e in enumerate(items) if isinstance(e, str) and resolve(path, e) in changes.removed]
            yield from (
                [Op("remove", f"/{name}")] if items and len(gone) == len(items) else [Op("remove", f"/{name}/{i}") for i in reversed(gone)]
            )
    yield from _add_created(path, content, changes)


def _add_created(path: str, content: Mapping[str, Any], changes: Changes) -> Iterator[Op]:
    """New files of the same folder; a Gateway is of no use where the kustomization builds nothing."""
    items = content.get("resources")
    kept = [e for e in items if not (isinstance(e, str) and resolve(path, e) in changes.removed)] if isinstance(items, list) else []
    there = listed(path, content, INCLUDING)
    new = sorted(posixpath.basename(f) for f in changes.created if posixpath.dirname(f) == posixpath.dirname(path) and f not in there)
    if new and not kept:
        yield Op("add", "/resources", new)
    else:
        yield from (Op("add", f"/resources/{len(kept) + i}", name) for i, name in enumerate(new))
