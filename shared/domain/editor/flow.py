"""Edits of flow collections, on one line or several, and of JSON text."""

from __future__ import annotations

from shared.domain.editor import render
from shared.domain.editor.page import Page, Step
from shared.domain.editor.splices import Splice, alone, eol_at, indentation, line_end, line_start, line_stop, next_token, same_line
from shared.domain.editor.strings import quoted, scalar_text
from shared.domain.errors import EditRefused
from shared.domain.manifest.nodes import Mapping, Node, Scalar, Sequence
from shared.domain.pointer import JsonValue


def _brackets(page: Page, node: Mapping | Sequence) -> tuple[int, int]:
    """The positions after the opening and of the closing bracket."""
    start = node.start
    while page.text[start : start + 1] in ("&", "!"):
        start = next_token(page.text, start + len(page.text[start:].split(None, 1)[0]))
    if page.text[start : start + 1] not in ("{", "["):
        raise EditRefused("a flow mapping without braces")
    return start + 1, node.end - 1


def _spans(node: Mapping | Sequence) -> list[tuple[int, int]]:
    if isinstance(node, Mapping):
        return [(key.start, max(key.end, value.end)) for key, value in node.pairs]
    return [(item.start, item.end) for item in node.items]


def _spread(page: Page, node: Mapping | Sequence) -> bool:
    """Whether the entries stand on lines of their own."""
    spans = _spans(node)
    return bool(spans) and alone(page.text, spans[-1][0])


def _value_text(page: Page, value: JsonValue, indent: str, eol: str, old: Node | None = None) -> str:
    if page.json:
        return render.json_text(value, page.style, indent, eol)
    style = old.style if isinstance(old, Scalar) else None
    return render.flow(value) if isinstance(value, dict | list) else scalar_text(value, style, flow=True)


def _entry_text(page: Page, node: Mapping | Sequence, key: str | None, value: JsonValue, indent: str) -> str:
    body = _value_text(page, value, indent, eol_at(page.text, node.start, page.style.eol))
    if key is None:
        return body
    styles = {k.style for k, _ in node.pairs if isinstance(k, Scalar)} if isinstance(node, Mapping) else set()
    name = quoted(key, styles.pop() if len(styles) == 1 else None, flow=True, json_text=page.json)
    return name + (page.style.colon if page.json else ": ") + body


def add_entry(page: Page, node: Mapping | Sequence, index: int, key: str | None, value: JsonValue) -> list[Splice]:
    """A new key at the end of a mapping, or a new item at an index of a sequence."""
    text = page.text
    first, last = _brackets(page, node)
    eol, spans = eol_at(text, node.start, page.style.eol), _spans(node)
    if not spans:
        return [Splice(first, last, _only_entry(page, node, key, value, eol))]
    if not _spread(page, node):
        entry = _entry_text(page, node, key, value, indentation(text, node.start))
        comma = page.style.comma if page.json else ", "
        if index < len(spans):
            return [Splice(spans[index][0], spans[index][0], entry + comma)]
        return [Splice(spans[-1][1], spans[-1][1], comma + entry)]
    indent = indentation(text, spans[-1][0])
    entry = _entry_text(page, node, key, value, indent)
    if index < len(spans):
        return [Splice(spans[index][0], spans[index][0], entry + "," + eol + indent)]
    return _append_line(text, spans[-1][1], eol + indent + entry)


def _append_line(text: str, end: int, line: str) -> list[Splice]:
    """A line after the last entry, whether a comma or a comment follows that entry or not."""
    comma = next_token(text, end)
    has_comma = text[comma : comma + 1] == ","
    place = comma + 1 if has_comma else end
    stop = line_stop(text, place)
    if text[place:stop].strip().startswith("#"):
        return [Splice(place, place, "" if has_comma else ","), Splice(stop, stop, line)]
    return [Splice(place, place, ("" if has_comma else ",") + line)]


def _only_entry(page: Page, node: Mapping | Sequence, key: str | None, value: JsonValue, eol: str) -> str:
    indent = indentation(page.text, node.start)
    if page.json and page.style.unit is not None:
        inner = indent + page.style.unit
        return eol + inner + _entry_text(page, node, key, value, inner) + eol + indent
    return _entry_text(page, node, key, value, indent)


def remove_entry(page: Page, node: Mapping | Sequence, index: int) -> list[Splice]:
    """Removes an entry with its comma; the only one leaves `{}` or `[]`."""
    first, last = _brackets(page, node)
    spans = _spans(node)
    if len(spans) == 1:
        start, end = first, last
    elif index + 1 < len(spans):
        start, end = spans[index][0], spans[index + 1][0]
    else:
        start, end = spans[index - 1][1], spans[index][1]
    between = page.text[start : spans[index][0]] + page.text[spans[index][1] : end]
    if "#" in between and len(spans) > 1:
        return [_commented_lines(page.text, *spans[index])]
    return [Splice(start, end, "")]


def _commented_lines(text: str, start: int, end: int) -> Splice:
    """The lines of an entry with their comment; a comma that is left before the closing bracket is good YAML."""
    comma = next_token(text, end)
    stop = line_end(text, comma + 1 if text[comma : comma + 1] == "," and same_line(text, end, comma) else end)
    rest = text[end:stop].strip().lstrip(",").strip()
    if not alone(text, start) or (rest and not rest.startswith("#")) or text[stop:].lstrip().startswith(","):
        raise EditRefused("a comment stands between the entries of a flow collection")
    return Splice(line_start(text, start), stop, "")


def set_value(page: Page, step: Step, value: JsonValue) -> list[Splice]:
    """Replaces the value of a key or an item of a flow collection; an anchor stays."""
    text, node = page.text, step.node
    body = _value_text(
        page, value, indentation(text, step.key.start if step.key else node.start), eol_at(text, node.start, page.style.eol), node
    )
    body = f"&{node.anchor} {body}" if node.anchor else body
    if node.start == node.end:
        return [_into_empty(text, step, body)]
    return [Splice(node.start, node.end, body)]


def _into_empty(text: str, step: Step, body: str) -> Splice:
    """A value where none is written: `{a, b: , c: 1}`."""
    if step.key is None:
        raise EditRefused("an empty item of a flow sequence")
    colon = next_token(text, step.key.end)
    if text[colon : colon + 1] == ":":
        return Splice(colon + 1, colon + 1, " " + body)
    return Splice(step.key.end, step.key.end, ": " + body)
