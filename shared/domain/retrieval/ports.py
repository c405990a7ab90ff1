"""What the knowledge base needs of libraries and services, and what the rest of the program needs of the knowledge base."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from shared.domain.errors import CriticalError
from shared.domain.retrieval.changes import Changes
from shared.domain.retrieval.passages import Document, Passage

Vectors: TypeAlias = NDArray[np.float32]
"""One row per text, of length 1 each."""

Load: TypeAlias = Callable[[Collection[str]], Sequence[Document]]
"""The documents of these names. Raises BusyError where one is not any more what it was."""


class NoIndexError(CriticalError):
    """There is no index yet, or none that can be used; the next `sync` makes one."""


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

        Articles and the team's files only: rules are found by `rules`. Raises NoIndexError where there is no index,
        TransientError and CriticalError where a service is asked and does not answer.
        """

    def rules(self, query: str, k: int) -> Sequence[Hit]:
        """As `search`, among the rules."""

    def explaining(self, rule_id: str, query: str, k: int) -> Sequence[Hit]:
        """As `search`, but articles that say that they explain the rule come first."""


class DocumentIndex(KnowledgeBase, Protocol):
    """A knowledge base that can be brought up to date."""

    def sync(self, wanted: Mapping[str, str], load: Load) -> Changes:
        """Make it hold exactly the documents of these digests by name; only what is new or changed is loaded and embedded.

        Two at once end with what one of them wanted. Raises BusyError where others keep changing it.
        """


class Library(Protocol):
    """Where documents come from and how they are read."""

    @property
    def max_bytes(self) -> int:
        """Of the largest file that may be one."""

    def shipped(self) -> Sequence[Document]:
        """The program's own articles and rules."""

    def belongs(self, name: str) -> bool:
        """Whether a path of the container `knowledge` is a document."""

    def read(self, name: str, data: bytes) -> Document:
        """A file of a team as a document. Raises ValidationError in one line where it cannot be used."""
