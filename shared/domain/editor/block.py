"""Edits of block mappings and sequences: whole lines, except on the line of a dash."""

from __future__ import annotations

from shared.domain.editor.page import Page, Step
from shared.domain.editor.render import block, entry_lines_of, is_inline, item_lines
from shared.domain.editor.splices import (
    Splice,
    after_entry,
    alone,
    column,
    comment_start,
    content_end,
    content_start,
    entry_lines,
    eol_at,
    line_end,
    line_start,
    line_stop,
    next_token,
    properties_end,
    same_line,
)
from shared.domain.editor.strings import literal_lines, quoted, scalar_text
from shared.domain.errors import EditRefused
from shared.domain.manifest.nodes import Mapping, Node, Scalar, Sequence, tail
from shared.domain.pointer import JsonValue


def starts(page: Page, node: Mapping | Sequence) -> list[int]:
    """Where each entry of a block collection begins: its key, or its dash. Raises EditRefused for `? key` entries."""
    if isinstance(node, Mapping):
        found = [key.start for key, _ in node.pairs]
        if any(page.text[line_start(page.text, s) : s].rstrip().endswith("?") for s in found):
            raise EditRefused("a mapping with '?' keys")
        return found
    dashes, position = [], content_start(page.text, node)
    for item in node.items:
        dash = next_token(page.text, position)
        if page.text[dash : dash + 1] != "-":
            raise EditRefused("a sequence whose dashes cannot be told")
        dashes.append(dash)
        position = max(tail(item), dash + 1)
    return dashes


def add_entry(page: Page, node: Mapping | Sequence, index: int, key: str | None, value: JsonValue) -> list[Splice]:
    """A new key at the end of a mapping, or a new item at an index of a sequence."""
    text, places = page.text, starts(page, node)
    indent = column(text, places[0])
    if isinstance(node, Mapping):
        name = quoted(key or "", _key_style(node))
        lines = entry_lines_of(name, value, indent, page.style, literal=page.literal or index < len(places))
    else:
        lines = item_lines(value, indent, page.style, literal=page.literal or index < len(places))
    if index > 0 and not _is_open(page, node, index):
        last = node.pairs[index - 1][1] if isinstance(node, Mapping) else node.items[index - 1]
        return [entry_lines(text, after_entry(text, last, indent), lines, page.style.eol)]
    if isinstance(node, Sequence) and index > 0:
        raise EditRefused("an item after a block scalar without final line end")
    return [_in_front(page, places[0 if isinstance(node, Sequence) else -1], lines)]


def _is_open(page: Page, node: Mapping | Sequence, index: int) -> bool:
    """Whether the entry before an index is a block scalar that the end of the text cuts off: a line after it would change it."""
    entry: Node = node.pairs[index - 1][1] if isinstance(node, Mapping) else node.items[index - 1]
    leaf = entry
    while isinstance(leaf, Mapping | Sequence) and not leaf.flow and (below := leaf.pairs if isinstance(leaf, Mapping) else leaf.items):
        last = below[-1]
        leaf = last[1] if isinstance(last, tuple) else last
    return isinstance(leaf, Scalar) and leaf.style in ("|", ">") and leaf.end == len(page.text) and not page.text.endswith("\n")


def _in_front(page: Page, place: int, lines: list[str]) -> Splice:
    text = page.text
    eol = eol_at(text, place, page.style.eol)
    if alone(text, place):
        position = comment_start(text, line_start(text, place))
        return Splice(position, position, "".join(line + eol for line in lines))
    body = eol.join([lines[0].lstrip(" "), *lines[1:]])
    return Splice(place, place, body + eol + " " * column(text, place))


def _key_style(node: Mapping) -> str | None:
    """The quotes of new keys: those of the old ones where all have the same."""
    styles = {key.style for key, _ in node.pairs if isinstance(key, Scalar)}
    return styles.pop() if len(styles) == 1 else None


def remove_entry(page: Page, node: Mapping | Sequence, index: int) -> list[Splice]:
    """Removes one of several entries, with the comment on its line; on a dash's line the next entry slides up."""
    text, places = page.text, starts(page, node)
    start = places[index]
    value = node.pairs[index][1] if isinstance(node, Mapping) else node.items[index]
    end = max(content_end(text, value), start + 1)
    if isinstance(node, Mapping):
        end = max(end, next_token(text, node.pairs[index][0].end) + 1)
    if alone(text, start):
        return [Splice(line_start(text, start), line_end(text, end), "")]
    if text[line_start(text, start) : start].strip(" -") or index + 1 >= len(places):
        raise EditRefused("an entry on a line with other text before it")
    following = places[index + 1]
    gap = text[line_end(text, end) : following]
    comment = gap.find("#")
    return [Splice(start, following if comment < 0 else line_end(text, end) + comment, "")]


def remove_only(page: Page, node: Mapping | Sequence, after: int | None) -> list[Splice]:
    """Removes the only entry of a collection: `{}` or `[]` is left, in the line of the key or dash that ends at `after`."""
    text, start = page.text, starts(page, node)[0]
    empty = "{}" if isinstance(node, Mapping) else "[]"
    end = content_end(text, node)
    if after is None or not alone(text, start) or same_line(text, after, start):
        return [Splice(start, line_stop(text, end), empty)]
    place = properties_end(text, node) if node.start < start and (node.anchor or node.tag) else after
    if not same_line(text, after, place):
        return [Splice(start, line_stop(text, end), empty)]
    stop = line_end(text, end)
    if stop == len(text) and not text.endswith("\n"):
        return [Splice(place, place, " " + empty), Splice(line_stop(text, line_start(text, start) - 1), stop, "")]
    return [Splice(place, place, " " + empty), Splice(line_start(text, start), stop, "")]


def value_place(page: Page, step: Step) -> int:
    """The position after the colon or dash that a value follows."""
    if step.key is not None:
        colon = next_token(page.text, step.key.end)
        if page.text[colon : colon + 1] != ":":
            raise EditRefused("a key without a colon")
        return colon + 1
    return starts(page, step.parent)[step.index] + 1


def set_value(page: Page, step: Step, value: JsonValue) -> list[Splice]:
    """Replaces the value of a key or an item of a block collection; an anchor stays."""
    after = value_place(page, step)
    node = step.node
    prefix = f"&{node.anchor} " if node.anchor else ""
    if is_inline(value, literal=page.literal) and _same_block(page, node, value) is None:
        old_style = node.style if isinstance(node, Scalar) else None
        return _set_inline(page, node, after, prefix + scalar_text(value, old_style))
    return _set_block(page, step, after, prefix, value)


def _same_block(page: Page, node: Node, value: JsonValue) -> tuple[str, list[str]] | None:
    """Header and lines where a literal block scalar gives way to a text that can stand in one, blanks at line ends included."""
    was_block = page.literal and isinstance(node, Scalar) and node.style == "|"
    return literal_lines(value, trailing=True) if was_block and isinstance(value, str) else None


def _starts_below(text: str, node: Node, after: int) -> bool:
    """Whether a value's own text begins on a later line than its key or dash."""
    return node.end > node.start and not same_line(text, after, content_start(text, node))


def _set_inline(page: Page, node: Node, after: int, new: str) -> list[Splice]:
    text = page.text
    end = content_end(text, node)
    if not isinstance(node, Mapping | Sequence) or node.flow:
        return [Splice(node.start, max(node.start, end), new if node.start > after else " " + new)]
    if not _starts_below(text, node, after):
        return [Splice(node.start, line_stop(text, end), new)]
    head = _head_end(text, node, after)
    return [Splice(after, head, " " + new), Splice(line_stop(text, head), line_stop(text, end), "")]


def _head_end(text: str, node: Node, after: int) -> int:
    """Where a value's anchor and tag end on the line of its key; right after the key where there are none."""
    place = properties_end(text, node)
    return place if place > node.start and same_line(text, after, place) else after


def _set_block(page: Page, step: Step, after: int, prefix: str, value: JsonValue) -> list[Splice]:
    text, node = page.text, step.node
    entry = step.key.start if step.key is not None else after - 1
    below = column(text, entry) + (2 if step.key is None else page.style.dash if isinstance(value, list) else page.style.step)
    again = _same_block(page, node, value)
    header, lines = again or block(value, below, page.style, literal=page.literal)
    lines = [" " * below + line if line else "" for line in lines] if again else lines
    header = (prefix + header).rstrip()
    end = content_end(text, node)
    if _starts_below(text, node, after):
        head, stop = _head_end(text, node, after), line_stop(text, end)
        rest = text[head : line_stop(text, head)]
    elif isinstance(node, Mapping | Sequence) and not node.flow:
        head = stop = line_stop(text, end)
        rest = ""
    else:
        head = max(end, after)
        stop = line_stop(text, head)
        rest = text[head:stop]
    if step.key is None and not header and not rest.strip():
        header, lines = lines[0].lstrip(" "), lines[1:]
    eol = eol_at(text, after, page.style.eol)
    first = (" " + header if header else "") + (rest if rest.strip() else "")
    return [Splice(after, max(stop, head), eol.join([first, *lines]))]
