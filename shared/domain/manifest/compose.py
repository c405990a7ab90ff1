"""YAML text to node graphs, over PyYAML's event streams.

libyaml's parser is some ten times faster and gave the same events and marks as the pure-Python one on every file of a
corpus of 1,060 (PyYAML 6.0.3), but it accepts tabs that the other rejects. So text with anything unusual in it is
read by the pure parser, whose answer decides what is readable at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from shared.domain.manifest.nodes import Alias, Mapping, Node, Root, Scalar, Sequence

MAX_DEPTH = 200
_UNUSUAL = re.compile("[\t\x85\u2028\u2029\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|^%|^[ -]*\\? |[|>][-+0-9]*#", re.MULTILINE)
_QUESTIONS = re.compile(r"^.*\?\s", re.MULTILINE)
_END_TABS = re.compile(r"\t+(?=\r?$)", re.MULTILINE)
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ComposeError(ValueError):
    """Text that is no YAML, at character `index`. `str(error)` says what is wrong and quotes nothing of the text."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class ContentError(ComposeError):
    """YAML or JSON by its syntax, but with content that no Kubernetes object can have (duplicate keys, custom tags...)."""


def compose(text: str) -> list[Root]:
    """The documents of a stream, empty ones included. Raises ComposeError."""
    if _FAST is not yaml.SafeLoader and not _is_unusual(text):
        try:
            return _Composer(text).documents(yaml.parse(text, Loader=_FAST))
        except yaml.YAMLError:
            pass  # the pure parser's word and message count
    return compose_pure(text)


def _is_unusual(text: str) -> bool:
    """Whether the two parsers might differ: found by comparing them on mutated manifests."""
    return bool(_UNUSUAL.search(text)) or any("{" in m[0] or "[" in m[0] for m in _QUESTIONS.finditer(text))


def compose_pure(text: str) -> list[Root]:
    """The same by the pure-Python parser, which minds tabs; those at the end of a line are read as spaces."""
    try:
        return _Composer(text).documents(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        without = without_end_tabs(text)
        if without != text:
            return compose_pure(without)
        raise _explained(error, text) from error


def without_end_tabs(text: str) -> str:
    """Tabs before a line end as spaces, so that every character keeps its place."""
    return _END_TABS.sub(lambda match: " " * len(match[0]), text)


def _explained(error: yaml.YAMLError, text: str) -> ComposeError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = mark.index if mark is not None else getattr(error, "position", 0)
    problem = getattr(error, "problem", None) or "unreadable characters"
    if "character '\\t'" in problem or text[index : index + 1] == "\t":
        return ComposeError("a tab is used for indentation", index)
    return ComposeError(re.sub(r" tag handle '.*'", " tag handle", problem), index)


class _Composer:
    """Builds graphs from events with a stack of its own, so that deep nesting costs no recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: list[Mapping | Sequence] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, Node] = {}
        self.root: Node | None = None

    def documents(self, events: Iterator[Any]) -> list[Root]:
        roots: list[Root] = []
        start, explicit = 0, False
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._put(_scalar(event), event.anchor)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.stack.pop().end = event.end_mark.index
                self.keys.pop()
            elif kind is yaml.AliasEvent:
                self._put(self._alias(event), None)
            elif kind is yaml.DocumentStartEvent:
                start, explicit = event.start_mark.index, event.explicit
                self._check_start(event)
                self.anchors, self.root = {}, None
            elif kind is yaml.DocumentEndEvent and self.root is not None:
                roots.append(Root(self.root, start, explicit))
        return roots

    def _check_start(self, event: Any) -> None:
        if event.version or event.tags:
            raise ContentError("a YAML directive, which kubectl does not read", event.start_mark.index)

    def _open(self, event: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise ContentError(f"nested deeper than {MAX_DEPTH} levels", event.start_mark.index)
        kind = Mapping if type(event) is yaml.MappingStartEvent else Sequence
        node = kind(event.start_mark.index, event.end_mark.index, event.tag, event.anchor, event.flow_style is True)
        self._put(node, event.anchor)
        self.stack.append(node)
        self.keys.append(None)

    def _alias(self, event: Any) -> Alias:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise ComposeError("an alias of an anchor that is not there", event.start_mark.index)
        if target in self.stack:
            raise ComposeError("an alias inside the node it stands for", event.start_mark.index)
        return Alias(event.start_mark.index, event.end_mark.index, target)

    def _put(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
        elif isinstance(parent := self.stack[-1], Sequence):
            parent.items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self.keys[-1] = None


def _scalar(event: Any) -> Scalar:
    style = event.style or None
    return Scalar(event.start_mark.index, event.end_mark.index, event.tag, event.anchor, event.value, style)
