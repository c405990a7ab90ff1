"""A file as the rest of the program sees it: the verdict on it, and its documents with their places in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.domain import pointer
from shared.domain.manifest.nodes import Alias, Mapping, Node, Root, Sequence
from shared.domain.manifest.values import is_merge, key_name, merge_sources
from shared.domain.pointer import JsonValue

ManifestStatus = Literal["manifest", "skipped", "refused"]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document that counts. `value` is shared: do not change it. `index` is its place among those that count."""

    index: int
    value: JsonValue
    root: Root = field(repr=False)
    text: str = field(repr=False)
    """The whole file's text."""
    end: int = 0
    """Where the next document starts, or the text ends."""

    @property
    def span(self) -> tuple[int, int]:
        """Characters [start, end) of the whole file's text that belong to the document, its `---` included."""
        return self.root.start, self.end

    def position(self, json_pointer: str) -> tuple[int, int]:
        """1-based line and column of the key or list item that a JSON Pointer names; for an absent path, of its nearest parent."""
        index = _place(self.root.node, pointer.split(json_pointer))
        return self.text.count("\n", 0, index) + 1, index - self.text.rfind("\n", 0, index)


def _place(node: Node, tokens: tuple[str, ...]) -> int:
    place, site = node.start, None
    for token in tokens:
        if isinstance(node, Alias):
            site = node.start if site is None else site
            node = node.target
        step = _step(node, token)
        if step is None:
            break
        place, node, merged = step
        site = place if merged and site is None else site
    return place if site is None else site


def _step(node: Node, token: str) -> tuple[int, Node, bool] | None:
    """Where one token leads: the place of the key or item, its value, and whether a `<<` brought it in."""
    if isinstance(node, Sequence):
        item = node.items[int(token)] if token.isdigit() and int(token) < len(node.items) else None
        return None if item is None else (item.start, item, False)
    if not isinstance(node, Mapping):
        return None
    for key, value in node.pairs:
        if not is_merge(key) and key_name(key) == token:
            return key.start, value, False
    merge = next((key.start for key, _ in node.pairs if is_merge(key)), node.start)
    found = (step for source in merge_sources(node) if (step := _step(source, token)) is not None)
    return next(((merge, value, True) for _, value, _ in found), None)


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A file that was read. `documents` is empty where the status is "refused" or the text is no YAML or JSON.

    `text` is the decoded content without its byte order mark; `bom` says whether it had one. `reason` is one sentence
    that quotes nothing but keys and kinds; None where the status is "manifest".
    """

    path: str
    data: bytes = field(repr=False)
    text: str = field(repr=False)
    bom: bool
    is_json: bool
    status: ManifestStatus
    reason: str | None = None
    documents: tuple[Document, ...] = ()


def is_object(value: JsonValue) -> bool:
    """Whether a value is a Kubernetes object: a mapping with string apiVersion and kind."""
    return isinstance(value, dict) and isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str)


def _bare(item: JsonValue) -> bool:
    return isinstance(item, dict) and not is_object(item)


def objects_of(value: JsonValue) -> Iterator[tuple[str, dict[str, Any]]]:
    """(base pointer, object) of the value itself ("") or, for any `kind: *List` with items, of its items ("/items/0").

    A RouteList and the like whose items leave out what they are (kubectl fills it in from the list) is one object.
    """
    if not is_object(value):
        return
    items = value.get("items")
    if value["kind"].endswith("List") and isinstance(items, list) and (value["kind"] == "List" or not any(map(_bare, items))):
        yield from ((f"/items/{i}", item) for i, item in enumerate(items) if is_object(item))
    else:
        yield "", value


def resources(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """(base pointer, object) of each Kubernetes object of a document; see `objects_of`."""
    return objects_of(document.value)
