"""What becomes of each violation while a plan is made: every word on it is noted, and the weightiest one holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from shared.domain.model import Resolution, Violation
from shared.domain.plan import Unit, UnitKey
from shared.domain.pointer import split

_WEIGHT: Mapping[Resolution, int] = {"fixed": 3, "suggested": 2, "needs-human": 1, "ignored": 0}


class Verdicts:
    """The verdicts of one file's plan, by rule and original place."""

    def __init__(self) -> None:
        self._said: dict[UnitKey, list[tuple[Resolution, str | None]]] = defaultdict(list)

    def say(self, key: UnitKey | None, resolution: Resolution, reason: str | None) -> None:
        """Note a verdict; one on a place that was not in the original (None) is of no violation."""
        if key is not None and (resolution, reason) not in self._said[key]:
            self._said[key].append((resolution, reason))

    def resolved(self, violations: Iterable[Violation], units: list[Unit]) -> Iterator[Violation]:
        """Each violation with what became of it; `units` are the fixes that were applied."""
        for violation in violations:
            verdicts = self._said.get(violation.key)
            if verdicts:
                resolution, reason = max(verdicts, key=lambda v: _WEIGHT[v[0]])
                over = violation.reason if resolution in ("needs-human", "suggested") else None
                yield violation.resolved(resolution, " ".join(filter(None, (over, reason))) or None)
            elif cure := _cure(violation, units):
                yield violation.resolved("ignored", f"Went away with the fix of {cure.rule_id}.")
            else:
                yield violation


def _cure(violation: Violation, units: list[Unit]) -> Unit | None:
    """The fix nearest to a violation of its document; of several one of a whole object, else the last."""
    near = [u for u in reversed(units) if u.document == violation.document]
    return max(near, key=lambda u: (_shared(u.path, violation.path), u.path.endswith("/kind")), default=None)


def _shared(one: str, other: str) -> int:
    """How many tokens two pointers have in common from their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(split(one), split(other), strict=False)))
