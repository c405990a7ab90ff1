"""The index in a folder, in a container in memory and in real storage: read again by its ETag, swapped under it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY, RULE, fill, found, index_of

from funchost.azurite import Azurite
from shared.adapters.knowledge import local, store
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.store import FILE, FRESH_SECONDS, TRIES, BlobIndex
from shared.adapters.storage import AzureStorage
from shared.domain.errors import BusyError, CriticalError, TransientError
from shared.settings import StorageSettings


def test_a_folder_keeps_the_index_and_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    assert store.load(tmp_path, HashedGrams()) is None
    index, done, _ = local.build(tmp_path / "kb")
    assert len(done.add) == len(index.digests) > 400
    assert not local.build(tmp_path / "kb")[1]
    assert local.load(tmp_path / "kb").to_bytes() == index.to_bytes()
    (tmp_path / "kb" / FILE).write_bytes(b"broken")
    assert local.build(tmp_path / "kb")[1] == done
    assert [path.name for path in (tmp_path / "kb").iterdir()] == [FILE]


def test_a_container_is_read_again_only_when_its_etag_is_another() -> None:
    now, reads = [0.0], list[str]()

    class Watched(MemoryBlobs):
        down = False

        def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
            reads.append(name)
            if self.down:
                raise TransientError("storage is away")
            return super().read(container, name, max_bytes=max_bytes)

    blobs = Watched()
    writer, reader = (BlobIndex(blobs, ("cache", FILE), HashedGrams(), clock=lambda: now[0]) for _ in range(2))
    with pytest.raises(CriticalError, match="no index"):
        reader.search("disk", 3)
    fill(writer, DISKS)
    assert found(reader, "disk zone") == ["disks"]
    reads.clear()
    now[0] += FRESH_SECONDS
    assert found(reader, "disk zone") == ["disks"]
    assert reads == []
    fill(writer, DISKS, GATEWAY)
    reads.clear()
    assert "gateway" not in found(reader, "gateway")
    now[0] += FRESH_SECONDS
    blobs.down = True
    assert found(reader, "disk zone") == ["disks"], "an outage leaves what was loaded"
    blobs.down = False
    now[0] += FRESH_SECONDS
    assert found(reader, "gateway")[0] == "gateway"
    etag = blobs.read("cache", FILE, max_bytes=10**9)
    assert not fill(writer, GATEWAY, DISKS)
    assert blobs.read("cache", FILE, max_bytes=10**9) == etag, "nothing changed, nothing is written"


def test_on_real_storage_a_reader_sees_what_a_writer_stored(azurite: Azurite) -> None:
    storage, container = AzureStorage(StorageSettings(connection_string=azurite.connection_string)), f"c{uuid.uuid4().hex[:12]}"
    now = [0.0]
    writer, reader = (BlobIndex(storage, (container, FILE), HashedGrams(), clock=lambda: now[0]) for _ in range(2))
    fill(writer, DISKS)
    assert found(reader, "disk zone") == ["disks"]
    held = reader._held
    now[0] += FRESH_SECONDS
    assert found(reader, "disk zone") == ["disks"]
    assert reader._held is held, "the same ETag: not loaded again"
    fill(writer, GATEWAY)
    now[0] += FRESH_SECONDS
    assert found(reader, "disk zone gateway") == ["gateway"]
    assert not fill(writer, GATEWAY)


def test_two_writers_lose_nothing_and_one_who_never_wins_says_so() -> None:
    class Contended(MemoryBlobs):
        others = 0

        def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
            if self.others:
                self.others -= 1
                super().write(container, name, index_of(RULE).to_bytes())
            return super().write(container, name, data, if_absent=if_absent, if_match=if_match)

    blobs = Contended()
    writer = BlobIndex(blobs, ("cache", FILE), HashedGrams())
    blobs.others = 1
    assert fill(writer, DISKS).remove == {"rules/AKS0101.yaml"}
    assert found(writer, "disk zone") == ["disks"]
    blobs.others = TRIES
    with pytest.raises(BusyError):
        fill(writer, GATEWAY)


def test_a_container_with_an_unreadable_index_is_built_anew() -> None:
    blobs = MemoryBlobs()
    blobs.write("cache", FILE, b"broken")
    index = BlobIndex(blobs, ("cache", FILE), HashedGrams())
    with pytest.raises(CriticalError, match="kb build"):
        index.search("disk", 3)
    fill(index, DISKS)
    assert found(index, "disk zone") == ["disks"]
