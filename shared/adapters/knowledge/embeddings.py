"""Embeddings that need no network: character n-grams hashed into a fixed number of dimensions.

They know spelling, not meaning: a word with a typing error or another ending still lands near. `make eval` measures them, alone and
beside BM25, against static word embeddings.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from shared.domain.retrieval.ports import Vectors

DIMENSIONS = 4096
GRAM = 4

_RUN = re.compile(r"[^\W_]+")


class HashedGrams:
    """An Embedder: log-scaled counts of n-grams, each in the dimension that its CRC-32 gives. The same everywhere and for ever."""

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self.name, self.dimensions = f"hashed-{GRAM}grams-{dimensions}", dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; a row of zeros for a text without letters and digits."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for gram, count in Counter(_grams(text)).items():
                row[zlib.crc32(gram.encode()) % self.dimensions] += 1 + np.log(count)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(lengths > 0, lengths, 1)
        return rows


def _grams(text: str) -> Iterator[str]:
    for match in _RUN.finditer(text.lower()):
        word = f" {match[0]} "
        for start in range(max(1, len(word) - GRAM + 1)):
            yield word[start : start + GRAM]
