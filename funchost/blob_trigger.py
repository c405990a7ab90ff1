"""The second stage of the blob trigger: a message of the internal queue becomes an invocation (BlobQueueTriggerExecutor.cs)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from azure.core.exceptions import AzureError

from funchost.blob_messages import BlobMessage
from funchost.blob_pattern import BlobPattern
from funchost.blob_store import BlobContent, BlobStore
from funchost.executor import FunctionExecutor
from funchost.queue_store import Received
from funchost.storage_errors import summary
from funchost.worker import TypedData

log = logging.getLogger("funchost.blobs")


@dataclass(frozen=True)
class BlobFunction:
    """A blob function as the consumer needs it; with Event Grid the ETag of the message is not compared."""

    name: str
    pattern: BlobPattern
    store: BlobStore
    data_type: str
    event_grid: bool


class BlobTrigger:
    """Handles messages of the internal queue for all blob functions."""

    def __init__(self, functions: Mapping[str, BlobFunction], executor: FunctionExecutor) -> None:
        self._functions = functions
        self._executor = executor

    async def handle(self, _message: Received, body: bytes) -> bool:
        """Run the function the message names. Unknown function, blob gone, blob overwritten since: dropped as a success."""
        try:
            message = BlobMessage.from_json(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            log.warning("Invalid message in blob trigger queue: %s", error)
            return True
        function = self._functions.get(message.function)
        if function is None:
            return True
        return await self._read_and_invoke(function, message, etag=None if function.event_grid else message.etag)

    async def _read_and_invoke(self, function: BlobFunction, message: BlobMessage, *, etag: str | None) -> bool:
        try:
            found = await function.store.read(message.container, message.blob, etag)
        except AzureError as error:
            log.warning("blob %s/%s cannot be read: %s", message.container, message.blob, summary(error))
            return False
        if found is None:
            log.debug("blob %s/%s is gone or has changed; dropped", message.container, message.blob)
            return True
        return await self._invoke(function, message.container, message.blob, found)

    async def handle_path(self, function: str, path: str) -> bool:
        """Run ``function`` on the blob ``container/name``, for the admin endpoint; a blob that is not there is dropped."""
        container, _, blob = path.partition("/")
        if not container or not blob:
            log.warning("function '%s' is started with container/blob, not %r", function, path[:200])
            return False
        message = BlobMessage(function, container, blob, "")
        return await self._read_and_invoke(self._functions[function], message, etag=None)

    async def _invoke(self, function: BlobFunction, container: str, blob: str, found: BlobContent) -> bool:
        metadata = blob_metadata(function.pattern, container, blob, found)
        reason = f"New blob detected({container}/{blob})"
        try:
            data = _data(function, found)
        except UnicodeDecodeError:
            log.warning("blob %s/%s is not UTF-8 and function %s wants text", container, blob, function.name)
            return False
        return (await self._executor.run(function.name, reason, data, metadata)).ok


def blob_metadata(pattern: BlobPattern, container: str, blob: str, found: BlobContent) -> dict[str, TypedData]:
    """BlobTrigger, Uri, Properties, Metadata and what the pattern's braces capture."""
    metadata = {
        "BlobTrigger": TypedData.text(f"{container}/{blob}"),
        "Uri": TypedData("json", json.dumps(found.uri)),
        "Properties": TypedData.json(found.properties),
        "Metadata": TypedData.json(found.metadata),
    }
    captured = pattern.match(blob) or {}
    return metadata | {name: TypedData.text(value) for name, value in captured.items()}


def _data(function: BlobFunction, found: BlobContent) -> TypedData:
    if function.data_type == "STRING":
        return TypedData.text(found.body.decode("utf-8"))
    return TypedData("bytes", found.body)
