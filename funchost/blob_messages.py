"""Names and the message format of the blob trigger's second stage: the internal queue between discovery and function."""

from __future__ import annotations

import json
from dataclasses import dataclass

HOSTS_CONTAINER = "azure-webjobs-hosts"
POISON_QUEUE = "webjobs-blobtrigger-poison"
_PREFIX = "Host.Functions."


def internal_queue(host_id: str) -> str:
    """The queue between discovery and execution, in the host's own account."""
    return f"azure-webjobs-blobtrigger-{host_id}"


def receipt_name(host_id: str, function: str, etag: str, container: str, blob: str) -> str:
    """The receipt of one blob version for one function; the ETag stands before the name, for names contain slashes."""
    return f"blobreceipts/{host_id}/{function_id(function)}/{etag}/{container}/{blob}"


def function_id(function: str) -> str:
    """The id under which receipts, messages and webhooks know a function."""
    return _PREFIX + function


def function_of(identifier: str) -> str:
    """The function's name in ``Host.Functions.<name>``."""
    return identifier.removeprefix(_PREFIX)


@dataclass(frozen=True)
class BlobMessage:
    """One message of the internal queue and of the poison queue (BlobTriggerMessage.cs); ``etag`` is quoted."""

    function: str
    container: str
    blob: str
    etag: str
    blob_type: str = "Block"

    def to_json(self) -> str:
        """The message's text."""
        return json.dumps(
            {
                "Type": "BlobTrigger",
                "FunctionId": function_id(self.function),
                "BlobType": self.blob_type,
                "ContainerName": self.container,
                "BlobName": self.blob,
                "ETag": self.etag,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> BlobMessage:
        """Parse a message; raises ValueError for what is none."""
        document = json.loads(text)
        if not isinstance(document, dict) or not isinstance(document.get("FunctionId"), str):
            raise ValueError("not a blob trigger message")  # noqa: TRY004 - bad input, not a wrong type in the program
        names = [document.get(key) for key in ("ContainerName", "BlobName", "ETag")]
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a blob trigger message without container, blob or ETag")
        container, blob, etag = (str(name) for name in names)
        return cls(function_of(document["FunctionId"]), container, blob, etag, str(document.get("BlobType", "Block")))
