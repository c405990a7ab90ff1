"""The waits between polls of an idle queue (RandomizedExponentialBackoffStrategy.cs)."""

from __future__ import annotations

import random
from collections.abc import Callable

MINIMUM_SECONDS = 0.1


class RandomizedExponentialBackoff:
    """Delays in seconds: ``minimum`` after a success and at the first miss, then minimum + U(0.8..1.2)*2^k*minimum, at most ``maximum``."""

    def __init__(self, maximum: float, minimum: float = MINIMUM_SECONDS, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._minimum = minimum
        self._maximum = max(maximum, minimum)
        self._uniform = uniform
        self._current = minimum
        self._exponent = 0

    def reset(self) -> None:
        """A message was found: the next idle wait is the shortest again."""
        self._current = self._minimum
        self._exponent = 0

    def next_delay(self) -> float:
        """Nothing was found: how long to wait before asking again."""
        if self._exponent > 0 and self._current < self._maximum:
            step = self._uniform(0.8, 1.2) * 2 ** (self._exponent - 1) * self._minimum
            self._current = min(self._minimum + step, self._maximum)
        self._exponent += 1
        return self._current
