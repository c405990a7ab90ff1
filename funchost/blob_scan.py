"""Discovery by listing every watched container (ScanContainersStrategy, what the real host does on the storage emulator)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError

from funchost.blob_messages import BlobMessage
from funchost.blob_pattern import BlobPattern
from funchost.blob_receipts import BlobReceipts
from funchost.blob_store import BlobStore
from funchost.storage_errors import is_back_off, stopped, summary

log = logging.getLogger("funchost.blobs")
_AT_ONCE = 8


@dataclass
class WatchedFunction:
    """A blob function, where its blobs are, and the versions it has been queued for (saves asking for their receipts again)."""

    name: str
    pattern: BlobPattern
    store: BlobStore
    done: set[tuple[str, str]] = field(default_factory=set)


class BlobScan:
    """Lists containers every ``interval`` seconds and queues each new version once per function."""

    def __init__(
        self,
        watched: Sequence[WatchedFunction],
        receipts: BlobReceipts,
        enqueue: Callable[[BlobMessage], Awaitable[None]],
        interval: float,
    ) -> None:
        self._watched = watched
        self._receipts = receipts
        self._enqueue = enqueue
        self._interval = interval
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def stop(self) -> None:
        """End after the scan that is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Scan at once, then ``interval`` seconds after the end of each scan; raises StorageStoppedHostError."""
        while not self._stopping.is_set():
            try:
                for function in self._watched:
                    await self._scan(function)
            except AzureError as error:
                if not is_back_off(error):
                    raise stopped("scan for blobs", error) from error
                log.warning("containers cannot be scanned now (%s); trying again", summary(error))
            await self._pause()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._interval)
        except TimeoutError:
            return

    async def _scan(self, function: WatchedFunction) -> None:
        versions = await function.store.listing(function.pattern.container)
        function.done &= set(versions)
        fresh = [version for version in versions if version not in function.done and function.pattern.match(version[0]) is not None]
        await asyncio.gather(*(self._offer(function, name, etag) for name, etag in fresh))

    async def _offer(self, function: WatchedFunction, name: str, etag: str) -> None:
        async with self._at_once:
            message = BlobMessage(function.name, function.pattern.container, name, etag)
            if not self._stopping.is_set() and await self._receipts.queue_once(message, self._enqueue):
                function.done.add((name, etag))
