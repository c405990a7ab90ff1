"""Node graphs to JSON values, with kubectl's meaning of keys and merges, and with bounds on aliases."""

from __future__ import annotations

from shared.domain.manifest.compose import ContentError
from shared.domain.manifest.nodes import Alias, Mapping, Node, Scalar, Sequence, resolved
from shared.domain.manifest.scalars import COLLECTION_TAGS, MERGE, ScalarError, key_text, scalar_value
from shared.domain.pointer import JsonValue

MAX_EXPANDED = 100_000
"""How many nodes aliases may repeat in one document (no billion laughs)."""


def is_merge(key: Node) -> bool:
    """Whether a key is the plain `<<`."""
    return isinstance(key, Scalar) and key.text == MERGE and key.style is None and key.tag is None


def is_null(node: Node) -> bool:
    """Whether a document's root makes it an empty document, which does not count."""
    return isinstance(node, Scalar) and node.style is None and node.tag is None and node.text in ("", "~", "null", "Null", "NULL")


def value_of(node: Node) -> JsonValue:
    """The JSON value of a node; what aliases repeat is built anew at each place. Raises ContentError."""
    return _Builder().build(node)


def key_name(node: Node) -> str:
    """A key as JSON has it. Raises ContentError."""
    key = resolved(node)
    if not isinstance(key, Scalar):
        raise ContentError("a key that is no scalar", node.start)
    try:
        return key.text if key.style and key.tag is None else key_text(scalar_value(key.text, key.style, key.tag), key.text)
    except ScalarError as error:
        raise ContentError(str(error), node.start) from error


class _Builder:
    def __init__(self) -> None:
        self.aliases = 0
        self.repeated = 0

    def build(self, node: Node) -> JsonValue:
        if self.aliases:
            self.repeated += 1
            if self.repeated > MAX_EXPANDED:
                raise ContentError(f"aliases that repeat more than {MAX_EXPANDED} nodes", node.start)
        if isinstance(node, Scalar):
            return _scalar(node)
        if isinstance(node, Mapping):
            _check_tag(node)
            return self._mapping(node)
        if isinstance(node, Sequence):
            _check_tag(node)
            return [self.build(item) for item in node.items]
        self.aliases += 1
        value = self.build(resolved(node))
        self.aliases -= 1
        return value

    def _mapping(self, node: Mapping) -> dict[str, JsonValue]:
        merged: dict[str, JsonValue] | None = None
        own: dict[str, JsonValue] = {}
        for key, value in node.pairs:
            if is_merge(key):
                if merged is not None:
                    raise ContentError("duplicate key '<<'", key.start)
                merged = self._merged(value)
                if merged.keys() & own.keys():
                    raise ContentError("a merge below a key that it overrides, which YAML loaders read differently", key.start)
                continue
            name = key_name(key)
            if name in own:
                raise ContentError(f"duplicate key {name!r}", key.start)
            own[name] = self.build(value)
        return own if merged is None else merged | own

    def _merged(self, node: Node) -> dict[str, JsonValue]:
        target = resolved(node)
        parts = list(reversed(target.items)) if isinstance(target, Sequence) else [node]
        merged: dict[str, JsonValue] = {}
        for part in parts:
            if not isinstance(resolved(part), Mapping):
                raise ContentError("a merge key whose value is no mapping", node.start)
            merged |= self.build(part)
        return merged


def _check_tag(node: Node) -> None:
    if node.tag is not None and node.tag not in COLLECTION_TAGS:
        raise ContentError("a custom tag, which JSON cannot hold", node.start)


def _scalar(node: Scalar) -> JsonValue:
    try:
        return node.text if node.style and node.tag is None else scalar_value(node.text, node.style, node.tag)
    except ScalarError as error:
        raise ContentError(str(error), node.start) from error


def merge_sources(node: Mapping) -> list[Mapping]:
    """The mappings that a mapping merges, the one that wins first."""
    for key, value in node.pairs:
        if is_merge(key):
            target = resolved(value)
            parts = target.items if isinstance(target, Sequence) else [target]
            return [m for m in map(resolved, parts) if isinstance(m, Mapping)]
    return []


def has_aliases(node: Node) -> bool:
    """Whether an alias is written anywhere below a node."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, Alias):
            return True
        if isinstance(current, Mapping):
            stack.extend(part for pair in current.pairs for part in pair)
        elif isinstance(current, Sequence):
            stack.extend(current.items)
    return False
