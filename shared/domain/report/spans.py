"""Where the secrets of a manifest's text stand: the exact characters, found by composing it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress

import yaml

from shared.domain.report.credentials import LAST_APPLIED, SECRET_FIELDS, holds_secret, is_credential, is_reference, redact, told_by_flags

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_END_TABS = re.compile(r"(?m)[ \t]+(?=\r?$)")
_SHORTEST = 4
_Fields = dict[str, tuple[yaml.Node, yaml.Node]]


class Found:
    """What one section hides: character spans, regions whose comments go too, and the secret values themselves."""

    def __init__(self) -> None:
        self.spans: set[tuple[int, int]] = set()
        self.regions: list[tuple[int, int, int]] = []
        self.values: set[str] = set()

    def add(self, node: yaml.ScalarNode, *, secret: bool) -> None:
        if not is_reference(node.value) and node.end_mark.index > node.start_mark.index:
            self.spans.add((node.start_mark.index, node.end_mark.index))
            if secret:
                self.values |= forms(node.value)


def forms(value: str) -> set[str]:
    """The texts in which a Secret's value may turn up: as it stands, Base64 decoded and encoded, and line by line."""
    plain = {value.strip(), base64.b64encode(value.encode("utf-8", "replace")).decode()}
    with suppress(ValueError, binascii.Error):
        plain.add(base64.b64decode("".join(value.split()), validate=True).decode("utf-8").strip())
    lines = {line.strip() for text in plain for line in text.splitlines()}
    return {text for text in plain | lines if len(text) >= _SHORTEST}


def find_secrets(text: str) -> Found | None:
    """What a section hides, or None where it is no YAML."""
    for attempt in (text, _without_tabs(text)):
        try:
            node = yaml.compose(attempt, Loader=_LOADER)
            found = Found()
            _walk(node, found, set())
        except (yaml.YAMLError, RecursionError, UnicodeError):
            continue
        return found
    return None


def _without_tabs(text: str) -> str:
    """JSON may be indented with tabs, and kubectl lets them pass at the end of a line; the length stays."""
    if text.lstrip()[:1] in ("{", "["):
        return text.replace("\t", " ")
    return _END_TABS.sub(lambda m: " " * len(m[0]), text)


def _walk(node: yaml.Node | None, found: Found, seen: set[int]) -> None:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        _walk_mapping(node, found, seen)
    elif isinstance(node, yaml.SequenceNode):
        hidden = told_by_flags([item.value if isinstance(item, yaml.ScalarNode) else None for item in node.value])
        for item, secret in zip(node.value, hidden, strict=True):
            found.add(item, secret=False) if secret else _walk(item, found, seen)
    elif isinstance(node, yaml.ScalarNode) and "\n" in node.value and redact(node.value) != node.value:
        found.add(node, secret=False)


def _walk_mapping(node: yaml.MappingNode, found: Found, seen: set[int]) -> None:
    fields: _Fields = {key.value: (key, value) for key, value in _pairs(node) if isinstance(key, yaml.ScalarNode)}
    if _text(fields, "kind") == "Secret":
        for key, value in (fields[f] for f in SECRET_FIELDS if f in fields):
            _hide(value, found, set())
            column = value.value[0][0].start_mark.column if isinstance(value, yaml.MappingNode) and value.value else 0
            found.regions.append((key.start_mark.index, value.end_mark.index, column))
    name = _text(fields, "name")
    for text, (_, value) in fields.items():
        if text == "secretGenerator":
            _hide_literals(value, found)
        elif isinstance(value, yaml.ScalarNode) and _is_credential(text, value, name):
            found.add(value, secret=False)
        _walk(value, found, seen)


def _pairs(node: yaml.MappingNode, depth: int = 0) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The members of a mapping; those merged by `<<` first, so that its own win."""
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge" and depth < 10:
            for base in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if isinstance(base, yaml.MappingNode):
                    yield from _pairs(base, depth + 1)
    yield from ((key, value) for key, value in node.value if key.tag != "tag:yaml.org,2002:merge")


def _text(fields: _Fields, key: str) -> str:
    node = fields[key][1] if key in fields else None
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _is_credential(key: str, value: yaml.ScalarNode, name: str) -> bool:
    """Judged by the key, by the `name` beside a `value`, or as an annotation that repeats a Secret."""
    if LAST_APPLIED in key:
        return holds_secret(value.value)
    named = name if key == "value" and name else key
    return value.tag == "tag:yaml.org,2002:str" and is_credential(named, value.value)


def _hide(node: yaml.Node, found: Found, seen: set[int]) -> None:
    """Every leaf below a Secret's data."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        found.add(node, secret=True)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            _hide(value, found, seen)
    else:
        for item in node.value:
            _hide(item, found, seen)


def _hide_literals(node: yaml.Node, found: Found) -> None:
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        for key, value in item.value if isinstance(item, yaml.MappingNode) else ():
            if key.value == "literals":
                _hide(value, found, set())
