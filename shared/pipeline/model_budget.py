"""What may be spent on a model, kept in storage so that every instance and every redelivery counts against the same sums.

Tokens are reserved before a question and settled after it, each by compare-and-swap. A process that dies in between leaves its
reservation behind: the budget errs to the side of spending less.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from shared import logs, telemetry
from shared.domain.errors import BusyError, CriticalError
from shared.domain.language_model import BudgetSpent
from shared.domain.ports import BlobStore
from shared.model_settings import TokenLimits
from shared.pipeline import names

_MAX_BYTES = 4 * 1024 * 1024
_SWAPS = 12
_LONGEST_PAUSE = 0.5  # seconds between two swaps
_WHOLE = "tokens"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens that are set aside: of a run, of one of its violations, of a day."""

    run: str
    violation: str
    day: str
    tokens: int


class _Limit(NamedTuple):
    """What may be spent, whose budget that is (violation, run, day), and the run that asks."""

    tokens: int
    whose: str
    run: str


class TokenBudget:
    """The sums of all runs in one container. Safe to share between threads."""

    def __init__(
        self,
        blobs: BlobStore,
        limits: TokenLimits,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._blobs, self._limits, self._clock, self._pause = blobs, limits, clock, pause
        self._told: _Limit | None = None

    def reserve(self, run: str, violation: str, tokens: int) -> Reservation:
        """Set tokens aside. Raises BudgetSpent where that is more than is left, BusyError where others change the sums all the time."""
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        held = Reservation(run, hashlib.sha256(violation.encode()).hexdigest()[:16], day, tokens)
        self._change(names.run_budget(run), {held.violation: tokens, _WHOLE: tokens}, self._limits_of(held))
        try:
            self._change(names.day_budget(day), {_WHOLE: tokens}, {_WHOLE: _Limit(self._limits.day, "day", run)})
        except Exception:
            self._change(names.run_budget(run), {held.violation: -tokens, _WHOLE: -tokens}, {})
            raise
        return held

    def settle(self, held: Reservation, used: int) -> None:
        """Count what was really used in place of what was set aside."""
        more = used - held.tokens
        if more:
            self._change(names.run_budget(held.run), {held.violation: more, _WHOLE: more}, {})
            self._change(names.day_budget(held.day), {_WHOLE: more}, {})

    def _limits_of(self, held: Reservation) -> dict[str, _Limit]:
        limits = self._limits
        return {held.violation: _Limit(limits.violation, "violation", held.run), _WHOLE: _Limit(limits.run, "run", held.run)}

    def _change(self, name: str, added: dict[str, int], limits: dict[str, _Limit]) -> None:
        for attempt in range(_SWAPS):
            found = self._blobs.read(names.CACHE, name, max_bytes=_MAX_BYTES)
            sums = _sums(found[0], name) if found else {}
            for key, limit in limits.items():
                if sums.get(key, 0) + added[key] > limit.tokens:
                    raise self._spent(limit, sums.get(key, 0), added[key])
            changed = sums | {key: max(0, sums.get(key, 0) + more) for key, more in added.items()}
            data = json.dumps(changed, sort_keys=True).encode()
            if self._blobs.write(names.CACHE, name, data, if_absent=found is None, if_match=found[1] if found else None):
                return
            self._pause(random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - spreads the others out
        raise BusyError("others change the budget of tokens all the time")

    def _spent(self, limit: _Limit, used: int, needed: int) -> BudgetSpent:
        """Counted each time; the log has one line for a run, not one for every question that follows."""
        if self._told != limit:
            self._told = limit
            logs.event("budget spent", budget=limit.whose, tokens=used, limit=limit.tokens, level=logging.WARNING)
        telemetry.measure(telemetry.BUDGET_SPENT, budget=limit.whose)
        return BudgetSpent(f"the tokens of this {limit.whose} are used up ({used} of {limit.tokens}, and the question may need {needed})")


def _sums(data: bytes, name: str) -> dict[str, int]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(type(value) is int for value in found.values()):
        raise CriticalError(f"{names.CACHE}/{name} is no budget; delete it to begin anew")
    return found
