"""The changed places of a unified diff, for reports that say a fix as lines to replace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.domain.report.credentials import MASK

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Change:
    """Lines `start` to `start + deleted - 1` of the original (from 1) become `inserted`.

    `exact` is False where a masked value or a missing final newline stands inside: the text is then not the real one.
    """

    start: int
    deleted: int
    inserted: str
    exact: bool


def parse_changes(diff: str) -> list[Change]:
    """The changes of one file's unified diff, in order of lines."""
    changes: list[Change] = []
    line, removed, added, exact = 0, 0, "", True
    for text in [*re.findall(r"[^\n]*\n", diff), " "]:
        hunk = _HUNK.match(text)
        if text.startswith("-") and line:
            removed, exact = removed + 1, exact and MASK not in text
        elif text.startswith("+") and line:
            added, exact = added + text[1:], exact and MASK not in text
        elif text.startswith("\\"):
            exact = False
        else:
            if removed or added:
                changes.append(Change(line, removed, added, exact))
            line = _start(hunk) if hunk else line and line + removed + 1
            removed, added, exact = 0, "", True
    return changes


def _start(hunk: re.Match[str]) -> int:
    """The first line of a hunk; an insertion between lines names the line before it."""
    return int(hunk[1]) + (hunk[2] == "0")
