"""Azure Blob and Queue storage (and Azurite) behind the ports; the only module that knows the Azure Storage SDK.

The connection is given by prefix (shared.settings): a connection string locally, addresses and a managed identity in Azure.
Containers and queues that are missing are created by the first write or send, so an empty account heals itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobClient, BlobPrefix, BlobServiceClient
from azure.storage.blob import ExponentialRetry as BlobRetry
from azure.storage.queue import ExponentialRetry as QueueRetry
from azure.storage.queue import QueueServiceClient

from shared.domain.errors import AccessError, AksCopilotError, CriticalError, TransientError, ValidationError
from shared.domain.ports import BlobInfo
from shared.settings import StorageSettings

T = TypeVar("T")
_CHUNK = 4 * 1024 * 1024
_OPTIONS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60, "max_single_get_size": _CHUNK, "max_chunk_get_size": _CHUNK}
_RETRY: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "random_jitter_range": 1}
_BUSY_STATUS, _REFUSED_STATUS = (408, 429), (401, 403)
_BUSY_CODES = ("ContainerBeingDeleted", "QueueBeingDeleted", "OperationTimedOut", "ServerBusy", "InternalError")


class AzureStorage:
    """Both ports over one storage account. Safe to share between threads, as the SDK's clients are."""

    def __init__(self, settings: StorageSettings, retries: int = 3) -> None:
        self._blobs, self._queues = clients(settings, retries)

    def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        with translated(f"read of {container}/{name}"):
            try:
                # The first request brings at most _CHUNK bytes and the full length; the rest is fetched only when it may be.
                stream = self._blob(container, name).download_blob()
            except ResourceNotFoundError:
                return None
            if stream.size > max_bytes:
                raise ValidationError(f"{name} has {stream.size} bytes; the limit is {max_bytes}")
            return stream.readall(), stream.properties.etag.strip('"')

    def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        conditions: dict[str, Any] = {} if if_match is None else {"etag": f'"{if_match}"', "match_condition": MatchConditions.IfNotModified}
        with translated(f"write of {container}/{name}"):
            try:
                upload = self._blob(container, name).upload_blob
                self._healing(container, lambda: upload(data, overwrite=not if_absent, **conditions))
            except (ResourceExistsError, ResourceModifiedError):
                return False
            return True

    def list(self, container: str, prefix: str, *, limit: int | None = None) -> Iterator[BlobInfo]:
        with translated(f"listing of {container}/{prefix}"):
            pages = self._blobs.get_container_client(container).list_blobs(name_starts_with=prefix, results_per_page=limit)
            with contextlib.suppress(ResourceNotFoundError):
                for number, blob in enumerate(pages, start=1):
                    yield BlobInfo(blob.name, blob.etag.strip('"'), blob.size, blob.last_modified.timestamp())
                    if number == limit:
                        return

    def list_prefixes(self, container: str, prefix: str) -> Iterator[str]:
        with translated(f"listing of {container}/{prefix}"), contextlib.suppress(ResourceNotFoundError):
            for item in self._blobs.get_container_client(container).walk_blobs(name_starts_with=prefix, delimiter="/"):
                if isinstance(item, BlobPrefix):
                    yield item.name

    def copy(self, source: tuple[str, BlobInfo], target: tuple[str, str]) -> bool:
        container, blob = source
        with translated(f"copy of {container}/{blob.name}"):
            try:
                stream = self._blob(container, blob.name).download_blob(
                    etag=f'"{blob.etag}"', match_condition=MatchConditions.IfNotModified
                )
                upload = self._blob(*target).upload_blob
                self._healing(target[0], lambda: upload(stream.chunks(), length=stream.size, overwrite=True))
            except (ResourceNotFoundError, ResourceModifiedError):
                return False
            return True

    def delete(self, container: str, name: str) -> None:
        with translated(f"deletion of {container}/{name}"), contextlib.suppress(ResourceNotFoundError):
            self._blob(container, name).delete_blob()

    def send(self, queue: str, text: str, *, visibility_delay: float = 0) -> None:
        client = self._queues.get_queue_client(queue)
        with translated(f"send to {queue}"):
            try:
                client.send_message(text, visibility_timeout=round(visibility_delay))
            except ResourceNotFoundError:
                with contextlib.suppress(ResourceExistsError):
                    client.create_queue()
                client.send_message(text, visibility_timeout=round(visibility_delay))

    def oldest(self, queue: str) -> float | None:
        with translated(f"look into {queue}"):
            try:
                first = next(iter(self._queues.get_queue_client(queue).peek_messages(max_messages=1)), None)
            except ResourceNotFoundError:
                return None
        sent = first.inserted_on if first is not None else None
        return sent.timestamp() if sent is not None else None

    def ensure(self, containers: tuple[str, ...], queues: tuple[str, ...]) -> None:
        """Create what is missing; what exists is left alone."""
        with translated("creation of containers and queues"):
            for container in containers:
                with contextlib.suppress(ResourceExistsError):
                    self._blobs.create_container(container)
            for queue in queues:
                with contextlib.suppress(ResourceExistsError):
                    self._queues.create_queue(queue)

    def check(self) -> dict[str, str]:
        """{"blob": "ok" | one line, "queue": ...}: whether each service answers this identity, for the health route."""
        return {
            "blob": _probe(lambda: next(iter(self._blobs.list_containers(results_per_page=1)), None)),
            "queue": _probe(lambda: next(iter(self._queues.list_queues(results_per_page=1)), None)),
        }

    def _blob(self, container: str, name: str) -> BlobClient:
        return self._blobs.get_blob_client(container, name)

    def _healing(self, container: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except ResourceNotFoundError as error:
            if _code(error) != "ContainerNotFound":
                raise ResourceModifiedError("the blob that a condition named is gone") from error
            with contextlib.suppress(ResourceExistsError):
                self._blobs.create_container(container)
            return action()


def clients(settings: StorageSettings, retries: int, **options: Any) -> tuple[BlobServiceClient, QueueServiceClient]:
    """The SDK's clients; `options` are theirs. Raises CriticalError where the connection cannot be used."""
    retry = _RETRY | {"retry_total": retries}
    try:
        if settings.connection_string:
            return (
                BlobServiceClient.from_connection_string(settings.connection_string, retry_policy=BlobRetry(**retry), **_OPTIONS | options),
                QueueServiceClient.from_connection_string(settings.connection_string, retry_policy=QueueRetry(**retry), **options),
            )
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - not needed locally, and slow to import

        credential = DefaultAzureCredential(managed_identity_client_id=settings.client_id)
        return (
            BlobServiceClient(settings.blob_uri or "", credential, retry_policy=BlobRetry(**retry), **_OPTIONS | options),
            QueueServiceClient(settings.queue_uri or "", credential, retry_policy=QueueRetry(**retry), **options),
        )
    except ValueError as error:
        raise CriticalError("STORAGE is not a usable storage connection") from error


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the program's errors for what the SDK raises while doing `what`."""
    try:
        yield
    except AksCopilotError:
        raise
    except AzureError as error:
        raise _error(what, error) from error


def _error(what: str, error: AzureError) -> AksCopilotError:
    """The program's error for an SDK error; its text names the status and code, never a header or an address."""
    if isinstance(error, (ServiceRequestError, ServiceResponseError, IncompleteReadError)):
        return TransientError(f"storage: {what}: no answer ({type(error).__name__})")
    if isinstance(error, HttpResponseError):
        return _answered(what, error)
    return CriticalError(f"storage: {what}: {type(error).__name__}")


def _answered(what: str, error: HttpResponseError) -> AksCopilotError:
    """An error by its status; a credential that gives no token has none."""
    status, code = error.status_code or 0, _code(error)
    line = f"storage: {what}: " + (f"{status} {code}".rstrip() if status else type(error).__name__)
    if status >= 500 or status in _BUSY_STATUS or code in _BUSY_CODES:
        return TransientError(line, _retry_after(error))
    if isinstance(error, ResourceModifiedError):
        return TransientError(f"{line} (changed while it was read)")
    if status in _REFUSED_STATUS or isinstance(error, ClientAuthenticationError):
        return AccessError(line, code)
    return CriticalError(line)


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _retry_after(error: HttpResponseError) -> float | None:
    text = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return float(text) if text.isdigit() else None


def _probe(action: Callable[[], object]) -> str:
    try:
        with translated("check"):
            action()
    except AksCopilotError as error:
        return str(error)
    return "ok"
