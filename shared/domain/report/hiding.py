"""Hides secrets in manifest text, line for line, so that diffs can be shown and logged (DESIGN 5).

The text is composed to find the exact characters of each secret value; where it cannot be composed, every value of a section that
mentions a Secret is hidden. Line numbers never change. Only documents that hold a line to be shown are composed, since a diff shows few.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from shared.domain.report.credentials import MASK, redact
from shared.domain.report.spans import find_secrets

_BOM = "\ufeff"
_SECTION = re.compile(r"(?m)^(?:---|\.\.\.)(?=\s|\Z)")
_SECRET = re.compile(r"\bSecret\b|secretGenerator")
_SUSPECT = re.compile(r"(?i)secret|last-applied|pass|pwd|token|credential|conn|key|salt|redis|masterauth|://")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_COMMENT = re.compile(r"(^|\s)#.*?(\r?)$")
_HEADER = re.compile(r"(?:[&!]\S*\s+)*[|>][-+0-9]*")
_ASSIGNMENT = re.compile(r"^(\s*(?:-\s+)*[\"']?([\w./-]+)[\"']?\s*:\s*)\S.*$")
_TELLS_NOTHING = {"apiVersion", "kind", "name", "namespace", "type"}
_ANYWHERE, _IN_COMMENT = 12, 4
"""Shortest secret value, in characters, hidden wherever the file repeats it, and where a comment of it does."""


def secret_values(text: str) -> set[str]:
    """Every value of a Secret in a file's text, in every form in which it may turn up; the empty set where the text cannot be read."""
    values: set[str] = set()
    text = text.removeprefix(_BOM)
    for start, end in _sections(text):
        if _SECRET.search(text, start, end):
            found = find_secrets(text[start:end])
            values |= found.values if found else set()
    return values


def mask_lines(text: str, shown: Collection[int] | None = None, values: Collection[str] | None = None) -> list[str]:
    """The lines of a manifest (with their ends) without secrets; the same number of lines.

    `shown` are the line numbers (from 0) that will be shown: others are not masked with care. `values` are secret values known from
    elsewhere (another version of the file); by default those of the text itself.
    """
    hidden = sorted(secret_values(text) if values is None else values, key=len, reverse=True)
    if text.startswith(_BOM):
        head, *rest = mask_lines(text[1:], shown, hidden) or [""]
        return [_BOM + head, *rest]
    starts = _line_starts(text)
    parts, previous = [], 0
    for start, end in _sections(text):
        first, last = bisect.bisect_right(starts, start) - 1, bisect.bisect_left(starts, end)
        wanted = shown is None or any(first <= n < last for n in shown)
        parts.append(text[previous:start] + (_mask_section(text[start:end]) if wanted else text[start:end]))
        previous = end
    masked = _PEM.sub(lambda m: _blank(m[0]), "".join(parts) + text[previous:])
    return [_mask_line(line, hidden) if shown is None or n in shown else line for n, line in enumerate(split_lines(masked))]


def split_lines(text: str) -> list[str]:
    """Lines with their ends, split at line feeds only, as git does."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _line_starts(text: str) -> list[int]:
    return [0, *(m.end() for m in re.finditer("\n", text))]


def _sections(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each YAML document; `---` in the first column cannot stand inside a value."""
    cuts = [0, *(m.start() for m in _SECTION.finditer(text)), len(text)]
    yield from ((a, b) for a, b in pairwise(cuts) if b > a)


def _mask_section(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    found = find_secrets(text)
    if found is None:
        return _mask_unreadable(text) if _SECRET.search(text) else text
    pieces, previous = [], 0
    for start, end in sorted(found.spans):
        if start >= previous:
            pieces += [text[previous:start], _blank(text[start:end])]
            previous = end
    return _mask_comments(text, "".join(pieces) + text[previous:], found.regions)


def _blank(span: str) -> str:
    """A value's text hidden, its lines and their indentation kept."""
    first, *rest = span.split("\n")
    header = _HEADER.match(first)
    quote = first[0] if first[:1] in "\"'" and not rest else ""
    shown = header[0] if header and rest else f"{quote}{MASK}{quote}"
    return "\n".join([shown + ("\r" if first.endswith("\r") else ""), *map(_blank_line, rest)])


def _blank_line(line: str) -> str:
    body = line.strip()
    return line[: len(line) - len(line.lstrip())] + MASK + ("\r" if line.endswith("\r") else "") if body else line


def _mask_comments(original: str, masked: str, regions: list[tuple[int, int, int]]) -> str:
    """Comments beside and among a Secret's values go too: old values are kept there."""
    if not regions:
        return masked
    lines, starts = masked.split("\n"), _line_starts(original)
    for start, end, column in regions:
        for n in range(bisect.bisect_right(starts, start) - 1, bisect.bisect_left(starts, end)):
            body = lines[n].lstrip()
            if not body.startswith("#") or len(lines[n]) - len(body) >= column:
                lines[n] = _COMMENT.sub(rf"\1# {MASK}\2", lines[n])
    return "\n".join(lines)


def _mask_unreadable(text: str) -> str:
    def line_of(line: str) -> str:
        match = _ASSIGNMENT.match(line.rstrip("\r"))
        if match and match[2] not in _TELLS_NOTHING:
            return match[1] + MASK
        return line if match or re.fullmatch(r"\s*(?:-{3}|[\w./-]+:)?\s*", line) else _blank_line(line)

    return "\n".join(map(line_of, text.split("\n")))


def _mask_line(line: str, hidden: list[str]) -> str:
    for value in hidden:
        if value not in line:
            continue
        if len(value) >= _ANYWHERE:
            line = line.replace(value, MASK)
        elif comment := _COMMENT.search(line):
            line = line[: comment.start()] + line[comment.start() :].replace(value, MASK)
    return redact(line)
