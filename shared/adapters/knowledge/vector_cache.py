"""Vectors kept by the content that they are of: what was paid for is not paid for again, and a replay searches with the same numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from shared.domain.ports import BlobStore
from shared.domain.retrieval.ports import Embedder, Vectors

AT_ONCE = 8
CHUNK = 256
"""Texts that are embedded before their vectors are kept."""


class CachedEmbedder:
    """An Embedder over another one; a blob per text in (container, prefix), 4 bytes a number, little-endian."""

    def __init__(self, inner: Embedder, blobs: BlobStore, place: tuple[str, str]) -> None:
        self._inner, self._blobs, self._container = inner, blobs, place[0]
        self._prefix = place[1] + hashlib.sha256(inner.name.encode()).hexdigest()[:16]
        self.name, self.dimensions = inner.name, inner.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See Embedder."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            rows[start : start + CHUNK] = self._chunk(texts[start : start + CHUNK])
        return rows

    def _chunk(self, texts: Sequence[str]) -> Vectors:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            known = dict(zip(dict.fromkeys(texts), pool.map(self._kept, dict.fromkeys(texts)), strict=True))
            new = [text for text, row in known.items() if row is None]
            if new:
                made = dict(zip(new, self._inner.embed(new), strict=True))
                list(pool.map(self._keep, made.items()))
                known |= made
        return np.array([known[text] for text in texts], dtype=np.float32)

    def _kept(self, text: str) -> Vectors | None:
        size = 4 * self.dimensions
        listed = self._blobs.read(self._container, self._name(text), max_bytes=64 * 1024)
        return np.frombuffer(listed[0], dtype="<f4") if listed is not None and len(listed[0]) == size else None

    def _keep(self, made: tuple[str, Vectors]) -> None:
        self._blobs.write(self._container, self._name(made[0]), made[1].astype("<f4").tobytes())

    def _name(self, text: str) -> str:
        key = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        return f"{self._prefix}/{key[:2]}/{key}"
