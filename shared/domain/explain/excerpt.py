"""The smallest part of a file that shows a place: the way to it and what stands there, as written, Secret values masked.

Like a compiler shows code: real lines with their numbers, so that the reader finds them again. What an object is called is always shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.manifest import Document
from shared.domain.manifest.document import is_object
from shared.domain.model import Violation
from shared.domain.pointer import MISSING, child, get, join, split
from shared.domain.report.hiding import mask_lines, split_lines
from shared.domain.report.web import visible

BLOCK = 6
"""Lines of the place itself."""
WHOLE = 12
"""Lines of it where the place is a whole object."""
WIDTH = 160
"""Characters of a line; a manifest may be one line of JSON."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file; `number` counts from 1. `here` where the finding points to it."""

    number: int
    text: str
    here: bool = False


def excerpt(text: str, violation: Violation, document: Document | None = None) -> list[Line]:
    """The lines in order, with gaps. Without the document the way is told by indentation and nothing is parsed: for long pages."""
    lines = split_lines(text)
    if not 0 < violation.line <= len(lines):
        return []
    wanted = set(block_of(lines, violation, WHOLE if _is_whole(violation) else BLOCK))
    if document is not None:
        wanted.update(document.position(pointer)[0] for pointer in _way(document, violation.path))
    else:
        wanted.update(_above(lines, violation))
    masked = mask_lines(text, {n - 1 for n in wanted})
    return [Line(n, cut(masked[n - 1]), n == violation.line) for n in sorted(wanted)]


def _above(lines: list[str], violation: Violation) -> Iterator[int]:
    """The lines of the parents of a place, the nearest first."""
    if _is_whole(violation):
        return
    here = _indent(lines[violation.line - 1])
    item = violation.path.rpartition("/")[2].isdigit()
    depth = here if item else violation.column - 1
    for number in range(violation.line - (here == depth), 0, -1):  # a key behind a dash has its item on its own line
        body, indent = lines[number - 1].strip(), _indent(lines[number - 1])
        if body.startswith(("---", "...")) or depth == 0:
            return
        if body and not body.startswith("#") and (indent < depth or (item and indent == depth and not body.startswith("-"))):
            yield number
            depth, item = indent, body.startswith("-")


def _way(document: Document, path: str) -> list[str]:
    """Pointers to what is on the way to a place: the object's kind and name, each parent, and what a list item is called."""
    tokens = split(path)
    prefixes = [join(tokens[:n]) for n in range(len(tokens) + 1)]
    base = next((p for p in reversed(prefixes) if is_object(get(document.value, p))), "")
    named = [child(p, "name") for p in prefixes if p.rpartition("/")[2].isdigit()]
    identity = [child(base, "kind"), child(base, "metadata", "name")]
    return [p for p in (*identity, *prefixes[1:], *named) if get(document.value, p) is not MISSING]


def block_of(lines: list[str], violation: Violation, limit: int) -> range:
    """The line of a place and at most `limit` in all that stand deeper than it, comments and blank lines between them included."""
    first, item = violation.line, violation.path.rpartition("/")[2].isdigit()
    depth = -1 if _is_whole(violation) else _indent(lines[first - 1]) if item else violation.column - 1
    last = first
    for number in range(first + 1, min(first + limit, len(lines) + 1)):
        body = lines[number - 1].strip()
        if body.startswith(("---", "...")) or (body and not body.startswith("#") and _indent(lines[number - 1]) <= depth):
            break
        last = number if body and not body.startswith("#") else last
    return range(first, last + 1)


def _is_whole(violation: Violation) -> bool:
    return violation.path in ("", "/kind", "/apiVersion")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def cut(line: str) -> str:
    """A line as it is shown: invisible characters named, at most WIDTH characters."""
    text = str(visible(line.rstrip("\r\n")))
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
