"""Receipts: which version of which blob has been queued for which function (BlobReceiptManager.cs, BlobTriggerExecutor.cs).

A receipt is an empty blob; its ``Incomplete`` metadata is removed once the message is in the internal queue. A lease on it keeps two hosts
from queueing the same version. A completed receipt means queued, not processed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient

from funchost.blob_messages import HOSTS_CONTAINER, BlobMessage, receipt_name
from funchost.blob_store import BlobStore
from funchost.storage_errors import summary

log = logging.getLogger("funchost.blobs")
_INCOMPLETE = "Incomplete"


class BlobReceipts:
    """Receipts of one host id in the host's own account."""

    def __init__(self, store: BlobStore, host_id: str, lease_seconds: float) -> None:
        self._store = store
        self._host_id = host_id
        self._lease_seconds = round(lease_seconds)

    async def queue_once(self, message: BlobMessage, enqueue: Callable[[BlobMessage], Awaitable[None]]) -> bool:
        """Queue ``message`` unless its receipt is complete.

        True: it is queued now or was before. False: another host is at it, try again later.
        """
        name = receipt_name(self._host_id, message.function, message.etag, message.container, message.blob)
        fresh = await self._store.write(HOSTS_CONTAINER, name, b"", {_INCOMPLETE: _INCOMPLETE}, create=True)
        if not fresh and await self._is_complete(name):
            return True
        lease = await self._acquire(name)
        if lease is None:
            return False
        try:
            if not fresh and await self._is_complete(name):
                return True
            await enqueue(message)
            await self._store.run(lambda: self._store.blob(HOSTS_CONTAINER, name).set_blob_metadata({}, lease=lease))
            return True
        finally:
            await self._release(lease)

    async def _is_complete(self, name: str) -> bool:
        try:
            found = await self._store.run(self._store.blob(HOSTS_CONTAINER, name).get_blob_properties)
        except ResourceNotFoundError:
            return False
        return _INCOMPLETE.lower() not in {key.lower() for key in found.metadata or {}}

    async def _acquire(self, name: str) -> BlobLeaseClient | None:
        client = self._store.blob(HOSTS_CONTAINER, name)
        try:
            return await self._store.run(lambda: client.acquire_lease(self._lease_seconds))
        except HttpResponseError as error:
            if error.status_code in {404, 409}:
                return None
            raise

    async def _release(self, lease: BlobLeaseClient) -> None:
        try:
            await self._store.run(lease.release)
        except HttpResponseError as error:
            log.debug("a receipt's lease could not be released: %s", summary(error))
