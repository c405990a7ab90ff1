"""Several rankings made one by reciprocal ranks: scores of different searches cannot be compared, their ranks can.

Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods (SIGIR 2009); 60 is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

CONSTANT = 60


def fuse(rankings: Iterable[tuple[float, Sequence[int]]], constant: int = CONSTANT) -> list[tuple[int, float]]:
    """(passage, score), best first, from (weight, passages best first). Equal scores stand in the order of the passages."""
    scores: dict[int, float] = defaultdict(float)
    for weight, ranking in rankings:
        for rank, passage in enumerate(ranking, 1):
            scores[passage] += weight / (constant + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
