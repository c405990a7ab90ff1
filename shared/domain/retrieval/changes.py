"""What an index must do to hold what there is now: a pure comparison of names and digests, so that only what changed is embedded again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

PART = 64


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of documents. What has changed is in both: its old passages go, its new ones come."""

    remove: frozenset[str]
    add: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.remove or self.add)


def changes(held: Mapping[str, str], wanted: Mapping[str, str]) -> Changes:
    """From the digests by name that an index holds to those that there are."""
    before, after = frozenset(held.items()), frozenset(wanted.items())
    return Changes(frozenset(name for name, _ in before - after), frozenset(name for name, _ in after - before))


def parts(names: Collection[str]) -> Iterator[list[str]]:
    """The names in order, PART at a time: so many documents are in memory, and embedded, at once."""
    ordered = sorted(names)
    for start in range(0, len(ordered), PART):
        yield ordered[start : start + PART]
