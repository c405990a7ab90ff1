"""The queue listener against a real Azurite queue, in this process: leases, poison, back-off, concurrency (functions_host 9.2)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from azure.storage.queue import QueueServiceClient
from funchost_bench import OPTIONS, Bench

from funchost.azurite import Azurite
from funchost.connections import Connections
from funchost.errors import StorageStoppedHostError
from funchost.queue_listener import Handler, QueueListener
from funchost.queue_store import QueueStore, Received


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture
def bench(azurite: Azurite, threads: ThreadPoolExecutor) -> Bench:
    return Bench(azurite.connection_string, threads)


def counting(answer: Callable[[Received], bool]) -> tuple[list[Received], Handler]:
    seen: list[Received] = []

    async def handle(message: Received, _body: bytes) -> bool:
        seen.append(replace(message))
        return answer(message)

    return seen, handle


def test_success_deletes(bench: Bench) -> None:
    bench.create("one", "<two & 'three'>")
    seen, handler = counting(lambda _: True)
    bench.run(handler, OPTIONS, lambda: len(seen) == 2 and bench.count() == 0)
    assert sorted(m.text for m in seen) == ["<two & 'three'>", "one"]


def test_always_failing_runs_exactly_max_dequeue_count_times_then_poison(bench: Bench) -> None:
    bench.create("bad")
    seen, handler = counting(lambda _: False)
    bench.run(handler, OPTIONS, lambda: bench.count() == 0)
    assert [m.dequeue_count for m in seen] == [1, 2, 3, 4, 5]
    assert bench.texts("-poison") == ["bad"]
    assert bench.woken == [bench.name + "-poison"], "the poison queue's own listener is woken"


def test_a_message_over_the_count_goes_to_poison_without_an_invocation(bench: Bench) -> None:
    bench.create("crashed before")
    client = bench.service.get_queue_client(bench.name)
    for _ in range(2):
        (message,) = client.receive_messages(visibility_timeout=1)
        client.update_message(message, visibility_timeout=0)
    seen, handler = counting(lambda _: True)
    bench.run(handler, replace(OPTIONS, max_dequeue_count=2), lambda: bench.count() == 0)
    assert seen == []
    assert bench.texts("-poison") == ["crashed before"]


def test_without_a_poison_queue_a_failed_message_is_left_and_skipped_over_the_count(bench: Bench) -> None:
    bench.create("bad")
    seen, handler = counting(lambda _: False)
    start = time.monotonic()
    bench.run(handler, replace(OPTIONS, lease=1, max_dequeue_count=1), lambda: time.monotonic() - start > 2.5, poison=False)
    assert [m.dequeue_count for m in seen] == [1], "released by its lease only, then skipped as extension 5.3.7 does"
    assert bench.count() == 1


def test_a_failed_release_waits_for_the_visibility_timeout(bench: Bench) -> None:
    bench.create("retry")
    moments: list[float] = []

    async def handle(message: Received, _body: bytes) -> bool:
        moments.append(asyncio.get_running_loop().time())
        return message.dequeue_count > 1

    bench.run(handle, replace(OPTIONS, visibility_timeout=2), lambda: bench.count() == 0)
    assert len(moments) == 2
    assert moments[1] - moments[0] >= 1.0, "whole seconds at the service"


def test_undecodable_text_goes_to_poison_as_it_came_and_the_rest_is_served(bench: Bench) -> None:
    bench.create("not base64!", "aGk=")
    bodies: list[bytes] = []

    async def handle(_message: Received, body: bytes) -> bool:
        bodies.append(body)
        return True

    bench.run(handle, replace(OPTIONS, base64=True), lambda: bench.count() == 0)
    assert bodies == [b"hi"]
    assert bench.texts("-poison") == ["not base64!"]


def test_a_renewed_message_is_seen_once_and_deleted_with_its_new_receipt(bench: Bench) -> None:
    bench.create("slow")
    receipts: list[str] = []

    async def handle(message: Received, _body: bytes) -> bool:
        receipts.append(message.pop_receipt)
        await asyncio.sleep(3.2)
        receipts.append(message.pop_receipt)
        return True

    bench.run(handle, replace(OPTIONS, lease=2), lambda: bench.count() == 0)
    assert len(receipts) == 2, "one invocation, though it ran for more than one and a half leases"
    assert receipts[0] != receipts[1]


def test_a_renewed_message_is_poisoned_with_its_new_receipt(bench: Bench) -> None:
    bench.create("slow and bad")

    async def handle(_message: Received, _body: bytes) -> bool:
        await asyncio.sleep(2.5)
        return False

    bench.run(handle, replace(OPTIONS, lease=2, max_dequeue_count=1), lambda: bench.count() == 0)
    assert bench.texts("-poison") == ["slow and bad"]


def test_a_message_deleted_by_someone_else_is_no_error(bench: Bench) -> None:
    bench.create("taken", "other")
    client = bench.service.get_queue_client(bench.name)
    served: list[str] = []

    async def handle(message: Received, _body: bytes) -> bool:
        if message.text == "taken":
            await asyncio.to_thread(client.delete_message, message.id, message.pop_receipt)
        served.append(message.text)
        return True

    bench.run(handle, OPTIONS, lambda: bench.count() == 0)
    assert sorted(served) == ["other", "taken"]


def test_a_missing_queue_is_waited_for_and_never_created(bench: Bench) -> None:
    seen, handler = counting(lambda _: True)
    steps = iter(range(10_000))

    def appears_late() -> bool:
        if next(steps) == 8:
            assert bench.name not in [q.name for q in bench.service.list_queues(name_starts_with=bench.name)]
            bench.create("at last")
        return len(seen) == 1

    bench.run(handler, OPTIONS, appears_late)
    assert [m.text for m in seen] == ["at last"]


def test_a_queue_deleted_and_created_again_is_served_again(bench: Bench) -> None:
    bench.create("first")
    seen, handler = counting(lambda _: True)
    done: list[bool] = []

    def meanwhile() -> bool:
        if seen and not done:
            bench.service.delete_queue(bench.name)
            done.append(True)
        elif done and len(done) < 10:
            done.append(True)
            if len(done) == 10:
                bench.create("second")
        return len(seen) == 2

    bench.run(handler, OPTIONS, meanwhile)
    assert [m.text for m in seen] == ["first", "second"]


def test_concurrency_is_batch_size_plus_threshold(bench: Bench) -> None:
    bench.create(*(str(i) for i in range(12)))
    running: list[int] = [0]
    peaks: list[int] = []
    gate = asyncio.Event()

    async def handle(_message: Received, _body: bytes) -> bool:
        running[0] += 1
        peaks.append(running[0])
        if len(peaks) == 1:
            await asyncio.sleep(0.1)  # ends first: two in flight are few enough for a second batch of three
        elif running[0] == 5:
            await asyncio.sleep(0.3)  # time for a sixth that must not come
            gate.set()
        else:
            await gate.wait()
        running[0] -= 1
        return True

    bench.run(handle, replace(OPTIONS, batch_size=3, new_batch_threshold=2, lease=20), lambda: bench.count() == 0)
    assert len(peaks) == 12
    assert max(peaks) == 5


def test_stop_waits_for_messages_in_flight(bench: Bench) -> None:
    bench.create("in flight")
    ended: list[bool] = []
    begun = asyncio.Event()

    async def handle(_message: Received, _body: bytes) -> bool:
        begun.set()
        await asyncio.sleep(0.5)
        ended.append(True)
        return True

    bench.run(handle, OPTIONS, begun.is_set)
    assert ended == [True]
    assert bench.count() == 0


def test_a_refused_request_stops_the_listener_with_one_line(azurite: Azurite, threads: ThreadPoolExecutor) -> None:
    QueueServiceClient.from_connection_string(azurite.connection_string).create_queue("guarded")
    wrong_key = azurite.connection_string.replace("Eby8", "Aaa8")
    store = QueueStore(Connections({"S": wrong_key}).queues("S").get_queue_client("guarded"), threads)

    async def never(_message: Received, _body: bytes) -> bool:
        raise AssertionError("nothing can be received")

    with pytest.raises(StorageStoppedHostError, match="HTTP 403") as raised:
        asyncio.run(QueueListener(store, None, OPTIONS, never, print).run())
    assert "\n" not in str(raised.value)


def test_a_woken_listener_does_not_sit_out_its_wait(bench: Bench) -> None:
    bench.create()
    arrived: list[float] = []

    async def handle(_message: Received, _body: bytes) -> bool:
        arrived.append(asyncio.get_running_loop().time())
        return True

    async def go() -> float:
        listener = QueueListener(bench.store(bench.name), None, replace(OPTIONS, max_polling_interval=30), handle, print)
        task: asyncio.Task[None] = asyncio.create_task(listener.run())
        await asyncio.sleep(2.2)  # by now the wait is 1.7 s or longer
        await bench.store(bench.name).send("hello")
        sent = asyncio.get_running_loop().time()
        listener.wake()
        while not arrived:
            await asyncio.sleep(0.01)
        listener.stop()
        await task
        return arrived[0] - sent

    assert asyncio.run(go()) < 0.5
