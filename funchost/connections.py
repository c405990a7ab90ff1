"""Storage connections by setting prefix, exactly the names that Azure uses.

``STORAGE`` is looked for as ``AzureWebJobsSTORAGE``, then ``STORAGE``, then ``ConnectionStrings:STORAGE``; without a connection
string the identity settings ``STORAGE__blobServiceUri``, ``__queueServiceUri``, ``__serviceUri`` or ``__accountName`` count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient
from azure.storage.blob import ExponentialRetry as BlobRetry
from azure.storage.queue import ExponentialRetry as QueueRetry
from azure.storage.queue import QueueServiceClient
from requests.adapters import HTTPAdapter

from funchost.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_Client = TypeVar("_Client", BlobServiceClient, QueueServiceClient)
DEFAULT_CONNECTION = "AzureWebJobsStorage"
_POOL = 64
# The SDK's own default starts at 15 s, which is a long silence on a developer's machine.
_RETRY: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "retry_total": 2, "random_jitter_range": 0}


class Connections:
    """Clients of the named connections, one per connection and service, shared by all threads."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._blobs: dict[str, BlobServiceClient] = {}
        self._queues: dict[str, QueueServiceClient] = {}
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL))

    def blobs(self, connection: str) -> BlobServiceClient:
        """The blob service of ``connection``; raises ConfigurationError naming the missing setting."""
        if connection not in self._blobs:
            self._blobs[connection] = self._client(BlobServiceClient, BlobRetry(**_RETRY), connection, "blob")
        return self._blobs[connection]

    def queues(self, connection: str) -> QueueServiceClient:
        """The queue service of ``connection``; raises ConfigurationError naming the missing setting."""
        if connection not in self._queues:
            self._queues[connection] = self._client(QueueServiceClient, QueueRetry(**_RETRY), connection, "queue")
        return self._queues[connection]

    def close(self) -> None:
        """Give up all sockets."""
        self._session.close()

    def _client(self, kind: type[_Client], retry: object, connection: str, service: str) -> _Client:
        options: dict[str, Any] = {
            "retry_policy": retry,
            "transport": RequestsTransport(session=self._session, session_owner=False),
        }
        text = self._connection_string(connection)
        try:
            if text:
                return kind.from_connection_string(text, **options)
            return kind(self._service_uri(connection, service), credential=self._credential(connection), **options)
        except ValueError as error:
            raise ConfigurationError(f"connection {connection}: {error}") from None

    def _connection_string(self, connection: str) -> str:
        names = (f"AzureWebJobs{connection}", connection, f"ConnectionStrings:{connection}")
        return next((self._environ[name] for name in names if self._environ.get(name)), "")

    def _identity(self, connection: str, key: str) -> str:
        names = (f"AzureWebJobs{connection}__{key}", f"{connection}__{key}")
        return next((self._environ[name] for name in names if self._environ.get(name)), "")

    def _service_uri(self, connection: str, service: str) -> str:
        uri = self._identity(connection, f"{service}ServiceUri") or self._identity(connection, "serviceUri")
        account = self._identity(connection, "accountName")
        if uri:
            return uri
        if account:
            return f"https://{account}.{service}.core.windows.net"
        raise ConfigurationError(
            f"setting {connection} is missing: a connection string, or {connection}__{service}ServiceUri, or {connection}__accountName"
        )

    def _credential(self, connection: str) -> TokenCredential:
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415 - slow import, rarely needed here

        client_id = self._identity(connection, "clientId")
        if self._identity(connection, "credential").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
        return DefaultAzureCredential()
