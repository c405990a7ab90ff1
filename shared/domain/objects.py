"""Which Kubernetes objects a parsed document holds: itself, or the items of a List."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.pointer import JsonValue


def is_object(value: JsonValue) -> bool:
    """Whether a value is an object: a mapping with string apiVersion and kind."""
    return isinstance(value, dict) and isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str)


def objects_of(document: JsonValue) -> Iterator[tuple[str, dict[str, Any]]]:
    """(base pointer, object) of a document's value: "" for the document itself, "/items/0"... for the items of a `*List`."""
    if not is_object(document):
        return
    items = document.get("items")
    if document["kind"].endswith("List") and isinstance(items, list):
        yield from ((f"/items/{i}", item) for i, item in enumerate(items) if is_object(item))
    else:
        yield "", document
