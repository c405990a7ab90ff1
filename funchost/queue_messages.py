"""What the host makes of one received message: its bytes, and the metadata that goes with it to the function."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from funchost.queue_store import Received
from funchost.worker import TypedData

MAX_DATE = "9999-12-31T23:59:59.9999999+00:00"


def decode_text(text: str, *, base64_encoded: bool) -> bytes | None:
    """The message's bytes, or None when it should be base64 and is not (it goes to the poison queue at once)."""
    if not base64_encoded:
        return text.encode("utf-8")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def encode_text(body: bytes, *, base64_encoded: bool) -> str:
    """The text to send for ``body``."""
    return base64.b64encode(body).decode("ascii") if base64_encoded else body.decode("utf-8")


def trigger_data(body: bytes, data_type: str) -> TypedData:
    """The trigger's value: text, or bytes where the binding says ``BINARY``; raises UnicodeDecodeError for text that is none."""
    if data_type.upper() == "BINARY":
        return TypedData("bytes", body)
    return TypedData.text(body.decode("utf-8"))


def trigger_metadata(message: Received, body: bytes) -> dict[str, TypedData]:
    """The standard names, then the body's own top-level JSON properties written over them (Utility.ApplyBindingData).

    Names are case-insensitive, so a body ``{"id": "x"}`` replaces ``Id``: faithful, and open as an issue since 2019.
    """
    metadata = {
        "DequeueCount": TypedData.json(message.dequeue_count),
        "ExpirationTime": TypedData.json(_date(message.expires_on, MAX_DATE)),
        "Id": TypedData.text(message.id),
        "InsertionTime": TypedData.json(_date(message.inserted_on, datetime.now(UTC).isoformat())),
        "NextVisibleTime": TypedData.json(_date(message.next_visible_on, MAX_DATE)),
        "PopReceipt": TypedData.text(message.pop_receipt),
    }
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return metadata
    metadata["QueueTrigger"] = TypedData.text(text)
    return merge_json(metadata, text)


def bare_metadata(text: str) -> dict[str, TypedData]:
    """Metadata of a message made by ``POST /admin/functions/{name}``: body only, no id and no receipt."""
    now = datetime.now(UTC).isoformat()
    metadata = {
        "QueueTrigger": TypedData.text(text),
        "DequeueCount": TypedData.json(0),
        "ExpirationTime": TypedData.json(MAX_DATE),
        "InsertionTime": TypedData.json(now),
        "NextVisibleTime": TypedData.json(MAX_DATE),
    }
    return merge_json(metadata, text)


def merge_json(metadata: dict[str, TypedData], text: str) -> dict[str, TypedData]:
    """``metadata`` with the top-level properties of a JSON object: no arrays, no nulls; scalars as text, objects as JSON."""
    if not (text.strip().startswith("{") and text.strip().endswith("}")):
        return metadata
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return metadata
    merged = dict(metadata)
    for name, value in document.items():
        if value is not None and not isinstance(value, list):
            merged[_existing(merged, name)] = TypedData.json(value) if isinstance(value, dict) else TypedData.text(_scalar(value))
    return merged


def _existing(metadata: dict[str, TypedData], name: str) -> str:
    return next((key for key in metadata if key.lower() == name.lower()), name)


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _date(value: datetime | None, absent: str) -> str:
    return value.isoformat() if value else absent
