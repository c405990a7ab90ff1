"""The blob requests the host makes, as coroutines over the SDK's blocking client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient

T = TypeVar("T")


@dataclass(frozen=True)
class BlobContent:
    """A blob that was read at one ETag."""

    body: bytes
    uri: str
    properties: dict[str, Any]
    metadata: dict[str, str]


class BlobStore:
    """One blob service."""

    def __init__(self, service: BlobServiceClient, threads: ThreadPoolExecutor) -> None:
        self._service = service
        self._threads = threads

    @property
    def account(self) -> str:
        """The account's name."""
        return str(self._service.account_name)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a blocking SDK call in a storage thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def blob(self, container: str, name: str) -> BlobClient:
        """A client for one blob; no request."""
        return self._service.get_blob_client(container, name)

    async def listing(self, container: str) -> list[tuple[str, str]]:
        """(name, quoted ETag) of every blob in ``container``; empty when it does not exist."""
        return await self.run(lambda: self._list(container))

    def _list(self, container: str) -> list[tuple[str, str]]:
        client = self._service.get_container_client(container)
        try:
            return [(str(blob.name), quoted(str(blob.etag))) for blob in client.list_blobs()]
        except ResourceNotFoundError:
            return []

    async def read(self, container: str, name: str, etag: str | None) -> BlobContent | None:
        """The blob, or None when it is gone or, with ``etag`` given, has changed."""
        return await self.run(lambda: self._read(self.blob(container, name), etag))

    def _read(self, client: BlobClient, etag: str | None) -> BlobContent | None:
        # The version is pinned even when the caller accepts any: a blob of several ranges must come from one version.
        try:
            found = client.get_blob_properties()
            if etag is not None and quoted(str(found.etag)) != etag:
                return None
            stream = client.download_blob(etag=str(found.etag), match_condition=MatchConditions.IfNotModified)
            body = stream.readall()
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if error.status_code == 412:
                return None
            raise
        return BlobContent(body, client.url, _properties(found), dict(found.metadata or {}))

    async def read_text(self, container: str, name: str) -> str | None:
        """A small blob as text, or None when it is not there."""

        def read() -> str | None:
            try:
                return bytes(self.blob(container, name).download_blob().readall()).decode("utf-8")
            except ResourceNotFoundError:
                return None

        return await self.run(read)

    async def write(
        self, container: str, name: str, body: bytes, metadata: Mapping[str, str] | None = None, *, create: bool = False
    ) -> bool:
        """Write a small blob, container included; with ``create`` only when it is not there yet. False: it was there."""
        return await self.run(lambda: self._write(container, name, body, dict(metadata or {}), create=create))

    def _write(self, container: str, name: str, body: bytes, metadata: dict[str, str], *, create: bool) -> bool:
        try:
            self.blob(container, name).upload_blob(body, metadata=metadata, overwrite=not create)
        except ResourceNotFoundError:
            self._make_container(container)
            return self._write(container, name, body, metadata, create=create)
        except HttpResponseError as error:
            if create and error.status_code in {409, 412}:
                return False
            raise
        return True

    def _make_container(self, container: str) -> None:
        try:
            self._service.create_container(container)
        except HttpResponseError as error:
            if error.status_code != 409:
                raise


def quoted(etag: str) -> str:
    """An ETag in the quoted form that receipts and messages use."""
    return etag if etag.startswith('"') else f'"{etag}"'


def _properties(found: Any) -> dict[str, Any]:
    """The names .NET's BlobProperties has, as the worker receives them."""
    return {
        "LastModified": found.last_modified.isoformat(),
        "ContentLength": found.size,
        "ContentType": found.content_settings.content_type,
        "ContentEncoding": found.content_settings.content_encoding,
        "ETag": quoted(str(found.etag)),
        "BlobType": str(getattr(found.blob_type, "value", found.blob_type)).removesuffix("Blob"),
    }
