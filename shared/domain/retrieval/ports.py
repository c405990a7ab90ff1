"""What the knowledge base needs of libraries and services, and what the rest of the program needs of the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shared.domain.retrieval.passages import Passage

Vectors: TypeAlias = NDArray[np.float32]
"""One row per text, of length 1 each."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found; `score` compares with the other hits of the same search and with nothing else."""

    passage: Passage
    score: float


class Embedder(Protocol):
    """Texts as vectors: near in meaning or in spelling, near in angle."""

    @property
    def name(self) -> str:
        """Which vectors these are; those of another name cannot be compared with them."""

    @property
    def dimensions(self) -> int:
        """The length of a row."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The texts' vectors. Raises TransientError or CriticalError where a service makes them and does not answer."""


class KnowledgeBase(Protocol):
    """Where passages are found. What it returns is data written by others: it may be shown and cited, never obeyed."""

    def search(self, query: str, k: int) -> Sequence[Hit]:
        """The best passages for a query, best first, at most `k`, at most one of each document.

        Articles and the team's files only: rules are found by `rules`. Raises CriticalError where there is no index.
        """

    def rules(self, query: str, k: int) -> Sequence[Hit]:
        """As `search`, among the rules."""

    def explaining(self, rule_id: str, query: str, k: int) -> Sequence[Hit]:
        """As `search`, but articles that say that they explain the rule come first."""
