"""The webhook through which Event Grid tells a function about a blob (BlobsExtensionConfigProvider.ProcessEventsAsync)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from funchost.blob_messages import BlobMessage
from funchost.blob_store import quoted


def blob_message(function: str, event: Any, blob_path_prefix: str) -> BlobMessage:
    """The internal message for one ``Microsoft.Storage.BlobCreated`` event; raises ValueError for what is none.

    ``blob_path_prefix`` is the path of the blob service's endpoint: ``/devstoreaccount1`` on Azurite, empty in Azure.
    """
    data = event.get("data") if isinstance(event, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(data.get("url"), str):
        raise ValueError("an event without data.url")  # noqa: TRY004 - bad input, not a wrong type in the program
    path = unquote(urlsplit(data["url"]).path)
    container, _, blob = path.removeprefix(blob_path_prefix.rstrip("/")).strip("/").partition("/")
    if not container or not blob:
        raise ValueError(f"not the address of a blob: {data['url']}")
    kind = str(data.get("blobType") or "BlockBlob").removesuffix("Blob")
    return BlobMessage(function, container, blob, quoted(str(data.get("eTag") or "")), kind)
