"""Storage errors sorted into what the real host does about them: tolerate, back off, or stop (QueueListener.cs)."""

from __future__ import annotations

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from funchost.errors import StorageStoppedHostError

_GONE = {"QueueNotFound", "QueueBeingDeleted", "QueueDisabled", "MessageNotFound", "PopReceiptMismatch"}


def error_code(error: AzureError) -> str:
    """The storage service's error code, or an empty string."""
    code = getattr(error, "error_code", "") or ""
    return str(getattr(code, "value", code))


def is_gone(error: AzureError) -> bool:
    """The message was taken over, or message or queue no longer exist: tolerated when a message is completed."""
    return error_code(error) in _GONE


def is_back_off(error: AzureError) -> bool:
    """Something missing or a server error: wait and ask again."""
    missing = isinstance(error, ResourceNotFoundError) or is_gone(error)
    return missing or (isinstance(error, HttpResponseError) and (error.status_code or 0) >= 500)


def summary(error: AzureError) -> str:
    """The error in a few words on one line: its code where there is one."""
    return error_code(error) or " ".join(str(error.message).split())[:200]


def stopped(action: str, error: AzureError) -> StorageStoppedHostError:
    """The error that ends the host: ``action`` reads like "receive from queue 'x'"."""
    status = getattr(error, "status_code", None)
    http = f" (HTTP {status})" if status else ""
    return StorageStoppedHostError(f"storage did not let the host {action}: {summary(error)}{http}")
