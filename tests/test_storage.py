"""One contract for the ports: the fake that pipeline tests use, and the adapter on a real Azurite, must both keep it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient
from fakes import MemoryBlobs, World

from funchost.azurite import Azurite
from shared.adapters.local_store import LocalStore
from shared.adapters.storage import AzureStorage
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.pipeline import reporter
from shared.pipeline.context import Context, Limits
from shared.settings import StorageSettings


@pytest.fixture
def adapter(azurite: Azurite) -> AzureStorage:
    return AzureStorage(StorageSettings(connection_string=azurite.connection_string))


@pytest.fixture(params=["fake", "local", "azurite"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "local":
        return LocalStore(tmp_path / "cache" / "model.sqlite3")
    return MemoryBlobs() if request.param == "fake" else request.getfixturevalue("adapter")


@pytest.fixture
def container() -> str:
    return f"c{uuid.uuid4().hex[:12]}"


def test_a_missing_container_reads_as_empty_and_the_first_write_makes_it(blobs: Any, container: str) -> None:
    assert blobs.read(container, "a", max_bytes=1) is None
    assert list(blobs.list(container, "")) == []
    assert list(blobs.list_prefixes(container, "")) == []
    blobs.delete(container, "a")
    assert blobs.write(container, "a", b"1")
    assert blobs.read(container, "a", max_bytes=1)[0] == b"1"


def test_create_once_and_compare_and_swap(blobs: Any, container: str) -> None:
    assert blobs.write(container, "x", b"1", if_absent=True)
    assert not blobs.write(container, "x", b"2", if_absent=True)
    _, first = blobs.read(container, "x", max_bytes=9)
    assert blobs.write(container, "x", b"3", if_match=first)
    assert not blobs.write(container, "x", b"4", if_match=first)
    assert not blobs.write(container, "gone", b"4", if_match=first)
    assert blobs.read(container, "x", max_bytes=9)[0] == b"3"


def test_a_blob_over_the_limit_is_refused(blobs: Any, container: str) -> None:
    blobs.write(container, "x", b"12345")
    assert blobs.read(container, "x", max_bytes=5)[0] == b"12345"
    with pytest.raises(ValidationError, match="5 bytes; the limit is 4"):
        blobs.read(container, "x", max_bytes=4)
    blobs.write(container, "empty", b"")
    assert blobs.read(container, "empty", max_bytes=0)[0] == b""


def test_listings_come_in_name_order_with_the_etag_that_a_read_gives(blobs: Any, container: str) -> None:
    for name in ("b/2", "a", "b/1/x", "b/10", "b"):
        blobs.write(container, name, name.encode())
    assert [b.name for b in blobs.list(container, "")] == ["a", "b", "b/1/x", "b/10", "b/2"]
    assert [b.name for b in blobs.list(container, "b/", limit=2)] == ["b/1/x", "b/10"]
    assert list(blobs.list_prefixes(container, "")) == ["b/"]
    assert list(blobs.list_prefixes(container, "b/")) == ["b/1/"]
    (only,) = blobs.list(container, "b/2")
    assert (only.etag, only.size) == (blobs.read(container, "b/2", max_bytes=9)[1], 3)
    assert only.modified > 1_600_000_000


@pytest.mark.parametrize("name", ["ä/ö ü.yaml", "a%20b", "a+b&c?d#e", "x" * 1000])
def test_names_come_back_as_they_went(blobs: Any, container: str, name: str) -> None:
    blobs.write(container, name, b"x")
    assert [b.name for b in blobs.list(container, "")] == [name]
    assert blobs.read(container, name, max_bytes=1)[0] == b"x"
    blobs.delete(container, name)
    assert blobs.read(container, name, max_bytes=1) is None


def test_content_of_several_chunks_is_whole(adapter: AzureStorage, container: str) -> None:
    data = bytes(range(256)) * 40_000
    adapter.write(container, "x", data)
    found = adapter.read(container, "x", max_bytes=len(data))
    assert found is not None
    assert found[0] == data


def test_a_copy_is_of_the_listed_blob_or_none(blobs: Any, container: str) -> None:
    data = bytes(range(256)) * 30_000
    blobs.write(container, "a", data)
    (listed,) = blobs.list(container, "a")
    assert blobs.copy((container, listed), (f"{container}-to", "b/a"))
    assert blobs.read(f"{container}-to", "b/a", max_bytes=len(data))[0] == data
    blobs.write(container, "a", b"newer")
    assert not blobs.copy((container, listed), (f"{container}-to", "b/a"))
    blobs.delete(container, "a")
    assert not blobs.copy((container, listed), (f"{container}-to", "b/a"))


def test_a_message_arrives_as_it_was_sent_and_not_before_its_delay(adapter: AzureStorage, azurite: Azurite) -> None:
    name = f"q{uuid.uuid4().hex[:12]}"
    adapter.send(name, '{"a": "<&>"}', visibility_delay=2)
    adapter.send(name, '{"now": 1}')
    client = QueueServiceClient.from_connection_string(azurite.connection_string).get_queue_client(name)
    assert [m.content for m in client.receive_messages(messages_per_page=10, visibility_timeout=60)] == ['{"now": 1}']
    time.sleep(2.1)
    assert [m.content for m in client.receive_messages(messages_per_page=10)] == ['{"a": "<&>"}']


def test_the_join_is_exact_under_concurrent_writers(blobs: Any) -> None:
    """40 batches, each marked twice, by 12 threads at once: the set ends full, and at least one writer saw that."""
    context = Context(blobs, World().queue, World().engine, Limits())
    run, barrier = f"shop-{uuid.uuid4().hex[:12]}", threading.Barrier(12)

    def mark(number: int) -> bool:
        if number < 12:
            barrier.wait()
        return reporter.mark(context, run, {number % 40}, 40)

    with ThreadPoolExecutor(12) as pool:
        full = list(pool.map(mark, range(80)))
    found = blobs.read("runs", f"{run}/join", max_bytes=100)
    assert found[0] == b"\xff" * 5
    assert any(full)
    assert not reporter.mark(context, f"{run[:-1]}x", {0, 1}, 3)


class _Counting:
    def __init__(self, inner: Any) -> None:
        self.inner, self.count = inner, 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.count += 1
        return getattr(self.inner, name)


def test_the_head_of_a_queue_tells_when_it_was_sent(adapter: AzureStorage) -> None:
    queue, before = f"q{uuid.uuid4().hex[:12]}", int(time.time())
    assert adapter.oldest(queue) is None  # there is no such queue
    adapter.send(queue, "{}", visibility_delay=60)
    assert adapter.oldest(queue) is None  # a message that nobody may take yet does not wait
    adapter.send(queue, "{}")
    assert before <= adapter.oldest(queue) <= time.time() + 1


@pytest.mark.parametrize("batches", [8, 800])
def test_a_batch_costs_the_same_number_of_requests_however_many_there_are(batches: int) -> None:
    counting = _Counting(MemoryBlobs())
    context = Context(counting, World().queue, World().engine, Limits())
    for number in range(batches):
        reporter.mark(context, "shop-000000000000", {number}, batches)
    assert counting.count == 2 * batches


def test_errors_say_what_failed_and_hold_no_secret(container: str) -> None:
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;"
    storage = AzureStorage(StorageSettings(connection_string=dead), retries=0)
    with pytest.raises(TransientError, match=f"storage: read of {container}/x: no answer") as error:
        storage.read(container, "x", max_bytes=1)
    assert "c2VjcmV0" not in str(error.value)
    assert {key: value.split(":")[0] for key, value in storage.check().items()} == {"blob": "storage", "queue": "storage"}


def test_a_refusal_by_the_service_is_critical(adapter: AzureStorage) -> None:
    with pytest.raises(CriticalError, match="400 InvalidResourceName"):
        adapter.write("Not_A_Container", "x", b"")
    with pytest.raises(CriticalError, match="not a usable storage connection"):
        AzureStorage(StorageSettings(connection_string="nonsense"))


def test_ensure_creates_what_is_missing_and_can_be_repeated(adapter: AzureStorage, container: str) -> None:
    for _ in range(2):
        adapter.ensure((container,), (f"{container}-q",))
    assert adapter.check() == {"blob": "ok", "queue": "ok"}
