"""JSON text to the same node graph as YAML: a JSON file is read by JSON's rules, whatever its tabs and escapes."""

from __future__ import annotations

import json
import re
from typing import Any

from shared.domain.manifest.compose import MAX_DEPTH, ComposeError, ContentError
from shared.domain.manifest.nodes import Mapping, Node, Root, Scalar, Sequence
from shared.domain.pointer import JsonValue

_TOKEN = re.compile(r'[{}\[\]:,]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]:,"]+')


def parse_json(text: str) -> JsonValue:
    """The value of a JSON text. Raises ComposeError, also for duplicate keys, NaN and numbers out of range."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        raise ComposeError(f"not JSON: {error.msg}", error.pos) from error
    except RecursionError as error:
        raise ContentError(f"nested deeper than {MAX_DEPTH} levels", 0) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ContentError(f"duplicate key {twice!r}", -1)
    return value


def _constant(_: str) -> None:
    raise ContentError("an infinity or NaN, which JSON cannot hold", -1)


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ContentError("a number out of range", -1)
    return value


def compose_json(text: str) -> list[Root]:
    """The one document of a JSON text that `parse_json` accepts. Raises ContentError where it nests too deep."""
    stack: list[Mapping | Sequence] = []
    keys: list[Node | None] = []
    root: Node | None = None
    for match in _TOKEN.finditer(text):
        lexeme = match[0]
        if lexeme in ":,":
            continue
        if lexeme in "}]":
            stack.pop().end = match.end()
            keys.pop()
            continue
        node = _node(lexeme, match.start(), match.end())
        root = root or node
        _attach(node, stack, keys)
        if isinstance(node, Mapping | Sequence):
            if len(stack) >= MAX_DEPTH:
                raise ContentError(f"nested deeper than {MAX_DEPTH} levels", match.start())
            stack.append(node)
            keys.append(None)
    return [Root(root, root.start, explicit=False)] if root else []


def _node(lexeme: str, start: int, end: int) -> Node:
    if lexeme == "{":
        return Mapping(start, end, None, None, flow=True)
    if lexeme == "[":
        return Sequence(start, end, None, None, flow=True)
    quoted = lexeme.startswith('"')
    return Scalar(start, end, None, None, json.loads(lexeme) if quoted else lexeme, '"' if quoted else None)


def _attach(node: Node, stack: list[Mapping | Sequence], keys: list[Node | None]) -> None:
    if not stack:
        return
    parent = stack[-1]
    if isinstance(parent, Sequence):
        parent.items.append(node)
    elif (key := keys[-1]) is None:
        keys[-1] = node
    else:
        parent.pairs.append((key, node))
        keys[-1] = None
