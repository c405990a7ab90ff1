"""Trying a storage account out, for `aks-copilot doctor`: quick answers, nothing left behind, and the service's clock on the way."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.adapters.storage import clients, translated
from shared.settings import StorageSettings

_QUICK: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}
_HIDDEN = 600
"""Seconds for which the message of a try is invisible; it is deleted at once, and would end by itself a second after them."""


class StorageProbe:
    """Methods raise as shared.domain.ports.BlobStore does, and CriticalError where the connection cannot be used at all."""

    def __init__(self, settings: StorageSettings) -> None:
        self._settings = settings
        self.skew: float | None = None
        """Seconds by which this machine's clock is ahead of the service's, once it answered anything."""

    def reach_blobs(self) -> None:
        """Ask the blob service for one container."""
        with translated("listing of containers"):
            next(iter(self._blobs.list_containers(results_per_page=1)), None)

    def reach_queues(self) -> None:
        """Ask the queue service for one queue."""
        with translated("listing of queues"):
            next(iter(self._queues.list_queues(results_per_page=1)), None)

    def missing_containers(self, wanted: Sequence[str]) -> list[str]:
        """Those that do not exist."""
        with translated("listing of containers"):
            there = {container.name for container in self._blobs.list_containers()}
        return [name for name in wanted if name not in there]

    def missing_queues(self, wanted: Sequence[str]) -> list[str]:
        """Those that do not exist."""
        with translated("listing of queues"):
            there = {queue.name for queue in self._queues.list_queues()}
        return [name for name in wanted if name not in there]

    def use_blobs(self, container: str) -> None:
        """Write, read and delete a blob `doctor/<random>`."""
        blob = self._blobs.get_blob_client(container, f"doctor/{secrets.token_hex(8)}")
        with translated(f"write into {container}"):
            blob.upload_blob(b"")
        with translated(f"read from {container}"):
            blob.download_blob().readall()
        with translated(f"deletion in {container}"):
            blob.delete_blob()

    def use_queue(self, queue: str) -> None:
        """Look at a queue, send a message that nobody can see, and delete it."""
        client = self._queues.get_queue_client(queue)
        with translated(f"look into {queue}"):
            client.peek_messages()
        with translated(f"send to {queue}"):
            sent = client.send_message("{}", visibility_timeout=_HIDDEN, time_to_live=_HIDDEN + 1)
        with translated(f"deletion in {queue}"):
            client.delete_message(sent.id, sent.pop_receipt)

    def newer(self, container: str, seconds: float) -> int:
        """How many blobs of a container were written within the last `seconds`, by the service's clock."""
        since = time.time() - (self.skew or 0.0) - seconds
        with translated(f"listing of {container}"):
            blobs = self._blobs.get_container_client(container).list_blobs()
            return sum(blob.last_modified.timestamp() >= since for blob in blobs)

    @property
    def _blobs(self) -> BlobServiceClient:
        return self._clients[0]

    @property
    def _queues(self) -> QueueServiceClient:
        return self._clients[1]

    @cached_property
    def _clients(self) -> tuple[BlobServiceClient, QueueServiceClient]:
        return clients(self._settings, 0, raw_response_hook=self._answered, **_QUICK)

    def _answered(self, response: Any) -> None:
        """Called for every answer, a refusal too."""
        with contextlib.suppress(ValueError):
            self.skew = time.time() - parsedate_to_datetime(response.http_response.headers.get("Date", "")).timestamp()
