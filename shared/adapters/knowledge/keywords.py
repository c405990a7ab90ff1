"""Ranking by words: BM25 (bm25s) over stems (PyStemmer)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import bm25s
import Stemmer

from shared.domain.retrieval.words import question_words, words

K1, B = 1.2, 0.4
"""Measured by `make eval`: passages are of much the same length, so that length says little."""


class Keywords:
    """BM25 over these texts. A text is named by its place in the list."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._stem = Stemmer.Stemmer("english").stemWords
        terms = [self._stem(words(text)) for text in texts]
        self._bm25 = _indexed(terms) if any(terms) else None

    def ranking(self, query: str, limit: int) -> list[int]:
        """The places of texts that share a word with the query, best first, at most `limit`."""
        terms = self._stem(question_words(query))
        if self._bm25 is None or not terms:
            return []
        scores = self._bm25.get_scores(terms)
        best = (-scores).argsort(kind="stable")[:limit]
        return [int(place) for place in best if scores[place] > 0]


def _indexed(terms: list[list[str]]) -> Any:
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # the library asks for DEBUG
    found = bm25s.BM25(k1=K1, b=B)
    found.index(terms, show_progress=False)
    return found
