"""How near files lie to each other, and which of many objects lie nearest to a file that asks, without a look at all of them."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Placed = tuple[str, Mapping[str, Any]]
"""The file of an object, and the object."""


class Nearby:
    """Objects by file, by folder and by every folder above; each answer is one list, the same one whoever gets it."""

    def __init__(self, found: Iterable[Placed]) -> None:
        self.all: Sequence[Placed] = tuple(found)
        self._in_file: dict[str, list[Placed]] = defaultdict(list)
        self._in_folder: dict[str, list[Placed]] = defaultdict(list)
        self._below: dict[str, list[Placed]] = defaultdict(list)
        for placed in self.all:
            self._in_file[placed[0]].append(placed)
            folder = posixpath.dirname(placed[0])
            self._in_folder[folder].append(placed)
            for above in _upwards(folder):
                self._below[above].append(placed)

    def nearest(self, asking: str | None) -> Sequence[Placed]:
        """Those that lie nearest to the file that asks; all of them where none asks."""
        return self.all if asking is None else self._around(asking)[1]

    def distance(self, asking: str) -> int | None:
        """How far the nearest lies: 0 in the file, 1 in its folder, 2 below it, then two more for each folder upwards; None without any."""
        return self._around(asking)[0] if self.all else None

    def _around(self, asking: str) -> tuple[int, Sequence[Placed]]:
        if asking in self._in_file:
            return 0, self._in_file[asking]
        folder = posixpath.dirname(asking)
        for steps, here in enumerate((folder, *_upwards(folder))):
            if here in self._in_folder:
                return 2 * steps + 1, self._in_folder[here]
            if here in self._below:
                return 2 * steps + 2, self._below[here]
        return 0, self.all


def _upwards(folder: str) -> Iterator[str]:
    """The folders above a folder, the nearest first, the root ("") last."""
    while folder:
        folder = posixpath.dirname(folder)
        yield folder
