"""New text for new values: block lines, flow text and JSON text."""

from __future__ import annotations

import json

from shared.domain.editor.strings import escaped, literal_lines, quoted, scalar_text
from shared.domain.editor.style import Style
from shared.domain.pointer import JsonValue


def is_inline(value: JsonValue, *, literal: bool) -> bool:
    """Whether a value in a block context stands on the line of its key or dash."""
    if isinstance(value, dict | list):
        return not value
    return not (literal and isinstance(value, str) and literal_lines(value))


def block(value: JsonValue, indent: int, style: Style, *, literal: bool) -> tuple[str, list[str]]:
    """(what stands on the line of the key or dash, the lines below). `indent` is the column of the lines below.

    `literal` allows literal block scalars (not at the end of a text without final line end).
    """
    if isinstance(value, dict) and value:
        return "", mapping_lines(value, indent, style, literal=literal)
    if isinstance(value, list) and value:
        return "", [line for item in value for line in item_lines(item, indent, style, literal=literal)]
    block_scalar = literal_lines(value) if literal and isinstance(value, str) else None
    if block_scalar:
        header, lines = block_scalar
        return header, [" " * indent + line if line else "" for line in lines]
    return scalar_text(value, style.quotes.get(value) if isinstance(value, str) else None), []


def mapping_lines(value: dict[str, JsonValue], indent: int, style: Style, *, literal: bool = True) -> list[str]:
    """The lines of a block mapping."""
    return [line for key, item in value.items() for line in entry_lines_of(quoted(key), item, indent, style, literal=literal)]


def entry_lines_of(key: str, value: JsonValue, indent: int, style: Style, *, literal: bool = True) -> list[str]:
    """The lines of one `key: value`; `key` as it is to be written."""
    below = indent + (style.dash if isinstance(value, list) else style.step)
    inline, lines = block(value, below, style, literal=literal)
    return [" " * indent + key + ":" + (" " + inline if inline else ""), *lines]


def item_lines(value: JsonValue, indent: int, style: Style, *, literal: bool = True) -> list[str]:
    """The lines of one `- item`; a collection starts on the line of its dash."""
    inline, lines = block(value, indent + 2, style, literal=literal)
    if inline or not lines:
        return [" " * indent + "- " + inline, *lines]
    return [" " * indent + "- " + lines[0].lstrip(" "), *lines[1:]]


def flow(value: JsonValue) -> str:
    """YAML flow text on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k, flow=True)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar_text(value, flow=True)


def json_text(value: JsonValue, style: Style, indent: str, eol: str) -> str:
    """JSON text; lines below the first start with `indent`."""
    if style.unit is None:
        return escaped(json.dumps(value, ensure_ascii=False, separators=(style.comma, style.colon)))
    return escaped(json.dumps(value, ensure_ascii=False, indent=style.unit)).replace("\n", eol + indent)
