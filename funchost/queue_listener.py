"""Polls one queue and drives every message from receipt to deletion, release or poison (QueueListener.cs, QueueProcessor.cs)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from azure.core.exceptions import AzureError

from funchost.backoff import RandomizedExponentialBackoff
from funchost.hostjson import QueueOptions
from funchost.queue_messages import decode_text
from funchost.queue_store import QueueStore, Received
from funchost.storage_errors import error_code, is_back_off, is_gone, stopped, summary

log = logging.getLogger("funchost.queues")

# Runs one decoded message; True when it succeeded. Never raises for a failing function.
Handler = Callable[[Received, bytes], Awaitable[bool]]


@dataclass(frozen=True)
class ListenerOptions(QueueOptions):
    """How one queue is served: what host.json says, and how long a message is held, in seconds."""

    lease: float


class QueueListener:
    """A listener of its own per function: two functions on one queue compete, as in the real host."""

    def __init__(
        self,
        queue: QueueStore,
        poison: QueueStore | None,
        options: ListenerOptions,
        handler: Handler,
        notify: Callable[[str], None],
    ) -> None:
        self.queue = queue
        self._poison = poison
        self._options = options
        self._handler = handler
        self._notify = notify
        self._backoff = RandomizedExponentialBackoff(options.max_polling_interval)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._known_to_exist = False
        self._failure: BaseException | None = None

    def wake(self) -> None:
        """End the current wait: someone in this host has just put a message into the queue."""
        self._wake.set()

    def stop(self) -> None:
        """Stop polling; messages in flight are finished by ``run``."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Poll until ``stop``, then wait for every message in flight; raises StorageStoppedHostError for an unexpected storage error."""
        try:
            while not self._stopping and self._failure is None:
                if await self._poll():
                    self._backoff.reset()
                    await self._wait_for_room()
                else:
                    await self._wait(self._backoff.next_delay())
        finally:
            while self._in_flight:
                await asyncio.wait(set(self._in_flight))
        if self._failure is not None:
            raise self._failure

    async def _poll(self) -> bool:
        try:
            if not self._known_to_exist and not await self.queue.exists():
                return False
            self._known_to_exist = True
            messages = await self.queue.receive(self._options.batch_size, self._options.lease)
        except AzureError as error:
            self._known_to_exist = False
            if not is_back_off(error):
                raise stopped(f"receive from queue '{self.queue.name}'", error) from error
            log.warning("queue '%s' cannot be read now (%s); backing off", self.queue.name, summary(error))
            return False
        for message in messages:
            self._start(message)
        return bool(messages)

    def _start(self, message: Received) -> None:
        task = asyncio.create_task(self._process(message))
        self._in_flight.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._wake.set()

    async def _wait_for_room(self) -> None:
        while len(self._in_flight) > self._options.new_batch_threshold and self._failure is None and not self._stopping:
            await asyncio.wait(set(self._in_flight), return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _process(self, message: Received) -> None:
        try:
            await self._begin(message)
        except AzureError as error:
            if not is_gone(error):
                raise stopped(f"complete a message of queue '{self.queue.name}'", error) from error
            log.debug("message %s of '%s' is no longer ours: %s", message.id, self.queue.name, error_code(error))

    async def _begin(self, message: Received) -> None:
        body = decode_text(message.text, base64_encoded=self._options.base64)
        if body is None:
            await self._undecodable(message)
        elif message.dequeue_count > self._options.max_dequeue_count:
            await self._over_count(message)
        else:
            async with self._renewing(message):
                succeeded = await self._handler(message, body)
            await self._complete(message, succeeded=succeeded)

    async def _undecodable(self, message: Received) -> None:
        if self._poison is None:
            log.warning("a message of '%s' is not base64 and there is no poison queue for it; it is left until it expires", self.queue.name)
        else:
            await self._move_to_poison(message, self._poison)

    async def _over_count(self, message: Received) -> None:
        """A queue without a poison queue: extension 5.3.7 skips the message for ever, and so does this host."""
        if self._poison is None:
            log.warning("a message of '%s' was dequeued %s times; the host of today skips it", self.queue.name, message.dequeue_count)
        else:
            await self._move_to_poison(message, self._poison)

    async def _complete(self, message: Received, *, succeeded: bool) -> None:
        if succeeded:
            await self.queue.delete(message)
        elif self._poison is None:
            return  # left invisible on purpose: releasing it would be a hot loop
        elif message.dequeue_count >= self._options.max_dequeue_count:
            await self._move_to_poison(message, self._poison)
        else:
            await self.queue.hide(message, self._options.visibility_timeout)

    async def _move_to_poison(self, message: Received, poison: QueueStore) -> None:
        """Copy the text, then delete: not atomic, so a crash between leaves both (as in the real host)."""
        log.warning(
            "Message has reached MaxDequeueCount of %s. Moving message to queue '%s'.", self._options.max_dequeue_count, poison.name
        )
        await poison.send(message.text)
        self._notify(poison.name)
        await self.queue.delete(message)

    @contextlib.asynccontextmanager
    async def _renewing(self, message: Received) -> AsyncIterator[None]:
        """Keep the message invisible while its function runs: a renewal at half the lease, each with the latest pop receipt."""
        renewal = asyncio.create_task(self._renew(message))
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    async def _renew(self, message: Received) -> None:
        wait = self._options.lease / 2
        while True:
            await asyncio.sleep(wait)
            try:
                # Shielded: a renewal that is under way when the function ends must finish, for it changes the pop receipt.
                await _uncancelled(self.queue.hide(message, self._options.lease))
                wait = self._options.lease / 2
            except AzureError as error:
                if is_gone(error):
                    log.warning("message %s of '%s' was lost while its function runs: %s", message.id, self.queue.name, error_code(error))
                    return
                wait = max(wait / 2, self._options.lease / 10)


async def _uncancelled(call: Awaitable[None]) -> None:
    task = asyncio.ensure_future(call)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
