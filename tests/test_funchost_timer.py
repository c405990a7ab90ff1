"""Timer functions with a hand-written worker and statuses in a real Azurite: past due, start, overlap, what is stored."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from funchost.azurite import Azurite
from funchost.blob_store import BlobStore
from funchost.connections import Connections
from funchost.executor import FunctionExecutor
from funchost.schedule import ConstantSchedule, parse_schedule
from funchost.timer import StatusStore, TimerListener
from funchost.worker import Indexed, Invocation, Outcome


class RecordingWorker:
    """A worker that notes the payloads it is called with and takes ``seconds`` over each."""

    def __init__(self, seconds: float = 0.0, *, ok: bool = True) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.running = 0
        self.overlapped = False
        self._seconds = seconds
        self._ok = ok

    def index(self) -> tuple[Indexed, ...]:
        return ()

    async def invoke(self, invocation: Invocation) -> Outcome:
        self.running += 1
        self.overlapped |= self.running > 1
        self.payloads.append(json.loads(invocation.data.value))
        await asyncio.sleep(self._seconds)
        self.running -= 1
        return Outcome(ok=self._ok)

    def stop(self) -> None:
        return None


class Clock:
    """A clock that starts where it is told and runs on."""

    def __init__(self, start: datetime) -> None:
        self._offset = start - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._offset


@pytest.fixture(scope="module")
def store(azurite: Azurite) -> Iterator[BlobStore]:
    with ThreadPoolExecutor(4) as threads:
        yield BlobStore(Connections({"S": azurite.connection_string}).blobs("S"), threads)


@pytest.fixture
def statuses(store: BlobStore) -> StatusStore:
    return StatusStore(store, "h" + uuid.uuid4().hex[:8])


def run(make: Callable[[FunctionExecutor], TimerListener], worker: RecordingWorker, until: Callable[[], bool], seconds: float = 8) -> None:
    async def go() -> None:
        listener = make(FunctionExecutor(worker, None, print))
        task = asyncio.create_task(listener.run())
        async with asyncio.timeout(seconds):
            while not until() and not task.done():
                await asyncio.sleep(0.02)
        listener.stop()
        await task

    asyncio.run(go())


HOURLY = parse_schedule("0 0 * * * *", "f", {"WEBSITE_TIME_ZONE": "UTC"})


def test_a_new_timer_does_not_fire_but_writes_when_it_will(statuses: StatusStore, azurite: Azurite) -> None:
    worker = RecordingWorker()
    clock = Clock(datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
    started = datetime.now(UTC)
    run(
        lambda e: TimerListener("t", HOURLY, statuses, e, now=clock),
        worker,
        lambda: datetime.now(UTC) - started > timedelta(seconds=0.4),
    )
    assert worker.payloads == []
    name = statuses._name("t")
    text = BlobServiceClient.from_connection_string(azurite.connection_string).get_blob_client("azure-webjobs-hosts", name)
    status = json.loads(text.download_blob().readall())
    assert name.endswith("/Host.Functions.t/status")
    assert status["Last"].startswith("0001-01-01")
    assert status["Next"] == "2026-11-23T11:00:00+00:00"


def test_a_timer_fires_on_time_and_stores_it(statuses: StatusStore) -> None:
    worker = RecordingWorker()
    clock = Clock(datetime(2026, 11, 23, 10, 59, 59, 300_000, tzinfo=UTC))
    run(lambda e: TimerListener("t", HOURLY, statuses, e, now=clock), worker, lambda: len(worker.payloads) == 1)
    assert [p["IsPastDue"] for p in worker.payloads] == [False]
    status = asyncio.run(statuses.read("t"))
    assert status is not None
    assert status.last == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert status.next == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_run_missed_while_the_host_was_down_is_made_up_for_once(statuses: StatusStore) -> None:
    first = RecordingWorker()
    run(
        lambda e: TimerListener("t", HOURLY, statuses, e, now=Clock(datetime(2026, 11, 23, 10, 59, 59, 500_000, tzinfo=UTC))),
        first,
        lambda: len(first.payloads) == 1,
    )
    later = RecordingWorker()
    clock = Clock(datetime(2026, 11, 23, 15, 20, tzinfo=UTC))
    run(lambda e: TimerListener("t", HOURLY, statuses, e, now=clock), later, lambda: len(later.payloads) == 1)
    assert [p["IsPastDue"] for p in later.payloads] == [True]
    assert later.payloads[0]["ScheduleStatus"]["Last"] == "2026-11-23T11:00:00+00:00"


def test_run_on_startup(statuses: StatusStore) -> None:
    worker = RecordingWorker()
    run(lambda e: TimerListener("t", HOURLY, statuses, e, run_on_startup=True), worker, lambda: bool(worker.payloads))
    assert [p["IsPastDue"] for p in worker.payloads] == [False]


def test_a_slow_timer_never_overlaps_and_skips_what_it_missed(statuses: StatusStore) -> None:
    worker = RecordingWorker(seconds=0.5)
    schedule = ConstantSchedule(timedelta(seconds=0.1))
    run(lambda e: TimerListener("t", schedule, statuses, e), worker, lambda: len(worker.payloads) == 3)
    assert not worker.overlapped
    assert len(worker.payloads) == 3


def test_a_failing_timer_goes_on(statuses: StatusStore) -> None:
    worker = RecordingWorker(ok=False)
    schedule = ConstantSchedule(timedelta(seconds=0.1))
    run(lambda e: TimerListener("t", schedule, statuses, e), worker, lambda: len(worker.payloads) == 3)
    assert len(worker.payloads) == 3


def test_a_garbled_status_is_written_anew(statuses: StatusStore, store: BlobStore) -> None:
    for text in (b"{", b"[]", b'{"Last": 1}', b'{"Last": "x", "Next": "x", "LastUpdated": "x"}'):
        asyncio.run(store.write("azure-webjobs-hosts", statuses._name("t"), text))
        assert asyncio.run(statuses.read("t")) is None
