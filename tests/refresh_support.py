"""Blobs that count and interrupt, and a refresh of the knowledge base over them as a new instance makes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY

from shared.adapters.knowledge.documents import Files
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.store import BlobIndex
from shared.domain.retrieval.passages import Document
from shared.pipeline import names
from shared.pipeline.knowledge_index import refresh

PLACE = (names.CACHE, names.KNOWLEDGE_INDEX)


class Small(Files):
    """The program ships two documents."""

    def shipped(self) -> tuple[Document, ...]:
        return (DISKS, GATEWAY)


class Storage(MemoryBlobs):
    """Counts requests; does something else before the n-th one."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.count = 0
        self.before: dict[int, Callable[[], None]] = {}

    def _step(self) -> None:
        self.count += 1
        action = self.before.pop(self.count, None)
        if action:
            action()

    def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        self._step()
        self.reads.append(f"{container}/{name}")
        return super().read(container, name, max_bytes=max_bytes)

    def write(self, container: str, name: str, data: bytes, **how: Any) -> bool:
        self._step()
        return super().write(container, name, data, **how)

    def list(self, container: str, prefix: str, *, limit: int | None = None) -> Any:
        self._step()
        return super().list(container, prefix, limit=limit)

    def put(self, name: str, data: str | bytes) -> None:
        MemoryBlobs.write(self, names.KNOWLEDGE, name, data.encode() if isinstance(data, str) else data)


def indexed(blobs: MemoryBlobs) -> BlobIndex:
    """As a new instance finds it."""
    return BlobIndex(blobs, PLACE, HashedGrams())


def once(blobs: MemoryBlobs) -> Any:
    return refresh(blobs, indexed(blobs), Small())


def held(blobs: MemoryBlobs) -> set[str]:
    """The names of the documents in the stored index."""
    return set(indexed(blobs)._read()[1].digests)


def status(blobs: MemoryBlobs) -> dict[str, Any]:
    files: dict[str, Any] = json.loads(blobs.texts(names.CACHE)[names.KNOWLEDGE_STATUS])["files"]
    return files


def started() -> Storage:
    """Something is indexed, then a file comes, one changes and one goes."""
    blobs = Storage()
    for name in ("gone", "changed", "same"):
        blobs.put(f"articles/{name}.md", f"Zebra {name}")
    once(blobs)
    blobs.put("articles/new.md", "Zebra new")
    blobs.put("articles/changed.md", "Zebra changed again")
    blobs.delete(names.KNOWLEDGE, "articles/gone.md")
    blobs.count = 0
    return blobs
