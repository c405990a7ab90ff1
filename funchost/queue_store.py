"""One storage queue as a listener needs it: raw texts, single requests.

The SDK's clients are blocking, so every call runs in the host's storage threads. Texts are never encoded or decoded
here: an undecodable message must reach the poison queue as it came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient
from azure.storage.queue import QueueMessage as SdkMessage

T = TypeVar("T")


@dataclass
class Received:
    """One received message; ``pop_receipt`` is replaced by every renewal."""

    id: str
    text: str
    dequeue_count: int
    pop_receipt: str
    inserted_on: datetime | None
    expires_on: datetime | None
    next_visible_on: datetime | None


class QueueStore:
    """A queue client whose methods are coroutines."""

    def __init__(self, client: QueueClient, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._threads = threads
        self.name: str = client.queue_name

    async def exists(self) -> bool:
        """Whether the queue is there; a trigger never creates it."""
        try:
            await self._run(self._client.get_queue_properties)
        except ResourceNotFoundError:
            return False
        return True

    async def create(self) -> None:
        """Create the queue; one that is already there is fine."""
        # The service answers 204 for a queue that is there with the same metadata, and the SDK raises for it.
        with contextlib.suppress(ResourceExistsError):
            await self._run(self._client.create_queue)

    async def receive(self, count: int, lease_seconds: float) -> list[Received]:
        """Up to ``count`` (1..32) messages in exactly one request, invisible to others for ``lease_seconds``."""
        return await self._run(lambda: self._receive(count, max(1, round(lease_seconds))))

    def _receive(self, count: int, lease: int) -> list[Received]:
        # by_page: iterating over messages would go on asking until the queue is empty.
        pages = self._client.receive_messages(messages_per_page=count, max_messages=count, visibility_timeout=lease).by_page()
        return [_received(message) for message in next(pages, iter(()))]

    async def hide(self, message: Received, seconds: float) -> None:
        """Set the message invisible for ``seconds`` from now, text untouched, and keep the new pop receipt."""
        updated = await self._run(
            lambda: self._client.update_message(message.id, pop_receipt=message.pop_receipt, visibility_timeout=round(seconds))
        )
        message.pop_receipt = str(updated.pop_receipt)

    async def delete(self, message: Received) -> None:
        """Delete the message with its latest pop receipt."""
        await self._run(lambda: self._client.delete_message(message.id, message.pop_receipt))

    async def send(self, text: str) -> None:
        """Send ``text`` as it is, and create the queue first when it is missing."""
        try:
            await self._run(lambda: self._client.send_message(text))
        except ResourceNotFoundError:
            await self.create()
            await self._run(lambda: self._client.send_message(text))

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _received(message: SdkMessage) -> Received:
    return Received(
        id=str(message.id),
        text=str(message.content or ""),
        dequeue_count=message.dequeue_count or 0,
        pop_receipt=str(message.pop_receipt),
        inserted_on=message.inserted_on,
        expires_on=message.expires_on,
        next_visible_on=message.next_visible_on,
    )
