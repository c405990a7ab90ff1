"""Cutting and pasting text by character positions, and finding one's way over lines, blanks and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from shared.domain.errors import EditRefused
from shared.domain.manifest.nodes import Node, Scalar, last_leaf, tail

_GAP = re.compile(r"(?:[ \t\r\n]+|(?<![^ \t\r\n,\[\]{}:\-])#[^\n]*)*")
_COMMENT_LINE = re.compile(r"([ ]+)#[^\n]*\n")
_PROPERTY = re.compile(r"[&!][^ \t\r\n,\[\]{}]*")


class Splice(NamedTuple):
    """The characters [start, end) become `new`."""

    start: int
    end: int
    new: str


def splice(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices done; they must not overlap. At one place they go in the order given."""
    parts, position = [], 0
    for start, end, new in sorted(splices, key=lambda s: (s.start, s.end)):
        if start < position:
            raise EditRefused("two edits overlap")
        parts += [text[position:start], new]
        position = end
    return "".join([*parts, text[position:]])


def line_start(text: str, position: int) -> int:
    """The first character of a position's line."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """The position after the line end of a position's line; a position just after a line end is one itself."""
    if position and text[position - 1] == "\n":
        return position
    newline = text.find("\n", position)
    return len(text) if newline < 0 else newline + 1


def line_stop(text: str, position: int) -> int:
    """The position before the line end of a position's line."""
    newline = text.find("\n", position)
    stop = len(text) if newline < 0 else newline
    return stop - 1 if newline > 0 and text[newline - 1] == "\r" else stop


def column(text: str, position: int) -> int:
    """How many characters stand before a position on its line."""
    return position - line_start(text, position)


def alone(text: str, position: int) -> bool:
    """Whether only space stands before a position on its line."""
    return not text[line_start(text, position) : position].strip()


def same_line(text: str, first: int, second: int) -> bool:
    """Whether no line ends between two positions."""
    return text.find("\n", first, second) < 0


def eol_at(text: str, position: int, default: str) -> str:
    """The line end used around a position (files may mix them); `default` where the text has none."""
    newline = text.rfind("\n", 0, position)
    newline = text.find("\n", position) if newline < 0 else newline
    if newline < 0:
        return default
    return "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"


def next_token(text: str, position: int) -> int:
    """The next character that is neither blank nor comment."""
    match = _GAP.match(text, position)
    return match.end() if match else position


def indentation(text: str, position: int) -> str:
    """The white space that a position's line starts with."""
    start = line_start(text, position)
    match = re.compile(r"[ \t]*").match(text, start)
    return match[0] if match else ""


def content_start(text: str, node: Node) -> int:
    """Where a node's own text begins, after its anchor and tag."""
    position = node.start
    if node.anchor is None and node.tag is None:
        return position
    while (match := _PROPERTY.match(text, position)) is not None:
        position = next_token(text, match.end())
        if position >= node.end:
            return node.end
    return position


def properties_end(text: str, node: Node) -> int:
    """Where a node's anchor and tag end; its start where it has none."""
    position = end = node.start
    while (node.anchor or node.tag) and (match := _PROPERTY.match(text, position)) is not None:
        end = match.end()
        position = next_token(text, end)
    return end


def content_end(text: str, node: Node) -> int:
    """Where the last character of a node stands, blank lines after a block scalar left out unless they are its content."""
    leaf = last_leaf(node)
    if not isinstance(leaf, Scalar) or leaf.style not in ("|", ">"):
        return leaf.end
    start = content_start(text, leaf)
    if "+" in text[start : line_stop(text, start)].partition("#")[0]:
        return line_stop(text, leaf.end - 1) if text[leaf.end - 1] == "\n" else leaf.end
    return line_stop(text, start + len(text[start : leaf.end].rstrip()))


def after_entry(text: str, node: Node, indent: int) -> int:
    """Where a line at column `indent` goes after a node: below the comments that are indented deeper, and so belong to the node.

    Blank lines that end a block scalar stay with it.
    """
    position = line_end(text, tail(node))
    while (match := _COMMENT_LINE.match(text, position)) is not None and len(match[1]) > indent:
        position = match.end()
    return position


def comment_start(text: str, position: int) -> int:
    """The start of the comment lines directly above a line, and of the blank lines above those."""
    for wanted in ("#", ""):
        while position > 0:
            start = line_start(text, position - 1)
            line = text[start:position].strip()
            if not (line.startswith("#") if wanted else not line):
                break
            position = start
    return position


def entry_lines(text: str, position: int, lines: list[str], default: str) -> Splice:
    """Whole new lines at the start of a line, or after the last line of a text without final line end; `default` as in `eol_at`."""
    eol = eol_at(text, position, default)
    block = eol.join(lines)
    ended = position == 0 or text[position - 1] == "\n"
    return Splice(position, position, block + eol if ended else eol + block)
