"""Where an index is kept: in a file of a folder, or as a blob that is read again when its ETag is another."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shared.adapters.knowledge.index import Index
from shared.domain.errors import BusyError, TransientError
from shared.domain.ports import BlobStore
from shared.domain.retrieval.changes import Changes, changes
from shared.domain.retrieval.ports import Embedder, Hit, Load, NoIndexError

FILE = "knowledge.index"
MAX_BYTES = 512 * 1024 * 1024
FRESH_SECONDS = 60.0
"""How long a loaded index is used before its ETag is looked at again."""
TRIES = 5


def load(folder: Path, embedder: Embedder) -> Index | None:
    """The index of a folder, None where there is none. Raises NoIndexError where it cannot be used."""
    try:
        return Index.from_bytes((folder / FILE).read_bytes(), embedder)
    except FileNotFoundError:
        return None


def save(folder: Path, index: Index) -> None:
    """Write the index, whole or not at all: a reader never sees half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{FILE}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(index.to_bytes())
        Path(name).replace(folder / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class BlobIndex:
    """A DocumentIndex in a container: loaded once, looked at again by its ETag; writers swap it under that ETag."""

    def __init__(
        self, blobs: BlobStore, place: tuple[str, str], embedder: Embedder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`place` is (container, blob)."""
        self._blobs, self._embedder, self._clock = blobs, embedder, clock
        self._container, self._name = place
        self._lock = threading.Lock()
        self._held: tuple[str, Index] | None = None
        self._looked = 0.0

    def search(self, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._current().search(query, k)

    def rules(self, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._current().rules(query, k)

    def explaining(self, rule_id: str, query: str, k: int) -> Sequence[Hit]:
        """See KnowledgeBase."""
        return self._current().explaining(rule_id, query, k)

    def sync(self, wanted: Mapping[str, str], load: Load) -> Changes:
        """See DocumentIndex. Nothing is written where nothing changed; an index that cannot be used is built anew."""
        if self._holds(wanted):
            return Changes(frozenset(), frozenset())
        for _ in range(TRIES):
            etag, index = self._stored()
            done = index.sync(wanted, load)
            if not done and etag is not None:
                return done
            if self._blobs.write(self._container, self._name, index.to_bytes(), if_absent=etag is None, if_match=etag):
                self._looked = -math.inf  # the next search sees it
                return done
        raise BusyError("the index of the knowledge base is being changed by others")

    def _holds(self, wanted: Mapping[str, str]) -> bool:
        """Looked up in the index that searches use, which need not be loaded again where it is the stored one."""
        with self._lock, contextlib.suppress(NoIndexError):
            self._held, self._looked = self._read(), self._clock()
            return not changes(self._held[1].digests, wanted)
        return False

    def _stored(self) -> tuple[str | None, Index]:
        found = self._blobs.read(self._container, self._name, max_bytes=MAX_BYTES)
        if found is None:
            return None, Index(self._embedder)
        with contextlib.suppress(NoIndexError):
            return found[1], Index.from_bytes(found[0], self._embedder)
        return found[1], Index(self._embedder)

    def _current(self) -> Index:
        with self._lock:
            if self._held is None or self._clock() - self._looked >= FRESH_SECONDS:
                self._held = self._refreshed()
                self._looked = self._clock()
            return self._held[1]

    def _refreshed(self) -> tuple[str, Index]:
        try:
            return self._read()
        except TransientError:
            if self._held is None:
                raise
            return self._held  # yesterday's articles are better than none during an outage

    def _read(self) -> tuple[str, Index]:
        listed = next((blob for blob in self._blobs.list(self._container, self._name, limit=1) if blob.name == self._name), None)
        if listed is not None and self._held is not None and self._held[0] == listed.etag:
            return self._held
        found = None if listed is None else self._blobs.read(self._container, self._name, max_bytes=MAX_BYTES)
        if found is None:
            raise NoIndexError(f"there is no index of the knowledge base in the container {self._container}")
        return found[1], Index.from_bytes(found[0], self._embedder)
