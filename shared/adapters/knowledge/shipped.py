"""The articles that the program ships, searched as long as the index of an installation is not there yet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from shared import logs
from shared.domain.retrieval.changes import Changes
from shared.domain.retrieval.ports import DocumentIndex, Hit, KnowledgeBase, Load, NoIndexError

AGAIN_SECONDS = 60.0
"""After which an index that was not there is looked for again."""


class OrShipped:
    """A DocumentIndex over another one."""

    def __init__(self, index: DocumentIndex, shipped: Callable[[], KnowledgeBase], clock: Callable[[], float] = time.monotonic) -> None:
        """`shipped` gives the same one each time."""
        self._index, self._shipped, self._clock, self._again = index, shipped, clock, -math.inf

    def search(self, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._asked(lambda index: index.search(query, k))

    def rules(self, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._asked(lambda index: index.rules(query, k))

    def explaining(self, rule_id: str, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._asked(lambda index: index.explaining(rule_id, query, k))

    def sync(self, wanted: Mapping[str, str], load: Load) -> Changes:
        """See DocumentIndex."""
        done = self._index.sync(wanted, load)
        self._again = -math.inf
        return done

    def _asked(self, ask: Callable[[KnowledgeBase], Sequence[Hit]]) -> Sequence[Hit]:
        if self._clock() >= self._again:
            try:
                return ask(self._index)
            except NoIndexError as error:
                logs.event("the shipped articles are searched", reason=str(error))
                self._again = self._clock() + AGAIN_SECONDS
        return ask(self._shipped())
