"""What a name or a selector of a run means where it is asked from a file: indexes, so that a run of many files stays as fast per file.

Many applications of one tree may use the same names; see `shared.domain.facts` for who is answered by what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from shared.domain.nearness import Nearby, Placed
from shared.domain.references import space

IDENTITY = frozenset({"apiVersion", "kind", "metadata", "keys"})
"""What every patch must say to be matched."""


class Namesakes:
    """The objects that one name may mean, and what is said of it where they are asked from a file."""

    def __init__(self, namespace: str | None, found: Sequence[Placed], patch_files: frozenset[str]) -> None:
        self._namespace = namespace
        self._whole = Nearby([placed for placed in found if placed[0] not in patch_files] or found)
        self._patches = [placed for placed in found if placed[0] in patch_files and placed[1].keys() - IDENTITY]
        self._answers: dict[int, Mapping[str, Any] | None] = {}

    def seen_from(self, asking: str | None) -> Mapping[str, Any] | None:
        """What all say that lie nearest, with the patches on them; None where they differ."""
        near = self._whole.nearest(asking)
        if id(near) not in self._answers:
            equal = [placed for placed in near if space(placed[1]) == self._namespace] or near
            self._answers[id(near)] = _only([*(obj for _, obj in equal), *self._patching(equal)])
        return self._answers[id(near)]

    def _patching(self, chosen: Sequence[Placed]) -> list[Mapping[str, Any]]:
        """The patches that say something of the objects that were chosen: those to which they lie nearest."""
        groups = {id(near): (near, patches) for file, _ in chosen for near, patches in self._patches_near.get(file, ())}
        return [obj for near, patches in groups.values() if any(placed in chosen for placed in near) for obj in patches]

    @cached_property
    def _patches_near(self) -> Mapping[str, list[tuple[Sequence[Placed], list[Mapping[str, Any]]]]]:
        """By file of an object: the objects that lie nearest to some patches, of which it is one, and these patches."""
        groups: dict[int, tuple[Sequence[Placed], list[Mapping[str, Any]]]] = {}
        for file, obj in self._patches:
            near = self._whole.nearest(file)
            groups.setdefault(id(near), (near, []))[1].append(obj)
        found: dict[str, list[tuple[Sequence[Placed], list[Mapping[str, Any]]]]] = defaultdict(list)
        for near, patches in groups.values():
            for file in {file for file, _ in near}:
                found[file].append((near, patches))
        return found


class Workloads:
    """The objects of a run that make pods, by the labels of these and the claims that they mount."""

    def __init__(self, found: Iterable[Placed]) -> None:
        self.all = tuple(found)
        self._labelled: dict[tuple[str, str], list[Placed]] = defaultdict(list)
        self._claiming: dict[str, list[Placed]] = defaultdict(list)
        self._selected: dict[str, Nearby] = {}
        for placed in self.all:
            pod = placed[1]["pod"]
            for key, value in pod["labels"].items():
                if isinstance(value, str):
                    self._labelled[key, value].append(placed)
            for name in dict.fromkeys(pod.get("claims", ())):
                self._claiming[name].append(placed)

    def claiming(self, name: str) -> Sequence[Placed]:
        """Those whose pods name a claim."""
        return self._claiming.get(name, ())

    def selected(self, namespace: str | None, selector: Mapping[str, Any], kinds: Sequence[str] | None) -> Nearby:
        """Those (of these kinds) with all labels of a selector in a namespace; one that is left out meets any."""
        key = repr((namespace, selector, kinds))
        if key not in self._selected:
            first = next(iter(selector.items()))
            some = self._labelled.get(first, ()) if isinstance(first[1], str) else self.all
            self._selected[key] = Nearby(p for p in some if _meant(p[1], namespace, selector) and (kinds is None or p[1]["kind"] in kinds))
        return self._selected[key]


def _meant(obj: Mapping[str, Any], namespace: str | None, selector: Mapping[str, Any]) -> bool:
    return selector.items() <= obj["pod"]["labels"].items() and (space(obj) == namespace or None in (namespace, space(obj)))


def _only(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What all of them say, or None."""
    said = [{k: v for k, v in o.items() if k not in ("metadata", "keys")} for o in found]
    return found[0] if found and all(s == said[0] for s in said) else None
