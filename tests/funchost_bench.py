"""A queue listener of the development host in this process, over queues of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from azure.storage.queue import QueueServiceClient

from funchost.connections import Connections
from funchost.queue_listener import Handler, ListenerOptions, QueueListener
from funchost.queue_store import QueueStore

OPTIONS = ListenerOptions(
    batch_size=16, new_batch_threshold=8, max_polling_interval=0.2, visibility_timeout=0, max_dequeue_count=5, base64=False, lease=5
)


class Bench:
    """Queues of one test, and a listener that is stopped when a condition holds."""

    def __init__(self, connection_string: str, threads: ThreadPoolExecutor) -> None:
        self.name = "l" + uuid.uuid4().hex[:12]
        self.service = QueueServiceClient.from_connection_string(connection_string)
        self._own = Connections({"S": connection_string}).queues("S")
        self._threads = threads
        self.woken: list[str] = []

    def store(self, name: str) -> QueueStore:
        return QueueStore(self._own.get_queue_client(name), self._threads)

    def create(self, *texts: str, suffix: str = "") -> None:
        queue = self.service.create_queue(self.name + suffix)
        for text in texts:
            queue.send_message(text)

    def count(self, suffix: str = "") -> int:
        return self.service.get_queue_client(self.name + suffix).get_queue_properties().approximate_message_count or 0

    def texts(self, suffix: str = "") -> list[str]:
        return [m.content for m in self.service.get_queue_client(self.name + suffix).peek_messages(32)]

    def run(
        self, handler: Handler, options: ListenerOptions, until: Callable[[], bool], *, poison: bool = True, seconds: float = 15
    ) -> None:
        async def go() -> None:
            poison_store = self.store(self.name + "-poison") if poison else None
            listener = QueueListener(self.store(self.name), poison_store, options, handler, self.woken.append)
            task = asyncio.create_task(listener.run())
            try:
                async with asyncio.timeout(seconds):
                    while not task.done() and not await asyncio.to_thread(until):
                        await asyncio.sleep(0.05)
            finally:
                listener.stop()
                await task

        asyncio.run(go())
