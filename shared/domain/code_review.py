"""What the program needs to speak in the review of a pull request: values and the port. The adapter is shared/adapters/github/reviews.py.

The port raises as shared.domain.code_host says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.code_host import Repository

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as it is now: whether it is open, the commit it offers, and the commit of its base branch."""

    open: bool
    head: str
    base: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review's text, and its address."""

    text: str
    url: str


class ReviewHost(Protocol):
    """Reads what a pull request changes and writes reviews. Comments have GitHub's fields."""

    def pull(self, repository: Repository, number: int) -> Pull:
        """A pull request."""

    def patches(self, repository: Repository, base: str, head: str) -> Mapping[str, str]:
        """Path to unified diff (hunks only) of what changed since the common ancestor; without files whose diff the host leaves out."""

    def reviews(self, repository: Repository, number: int) -> Sequence[Review]:
        """Every review so far."""

    def review(self, repository: Repository, number: int, commit: str, text: str, comments: Sequence[Mapping[str, Any]]) -> Review:
        """A review that neither approves nor blocks, with all its comments or not at all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The lines (from 1, of the new side) that a diff shows, hunk by hunk as (first, last), and those among them that are new."""

    hunks: tuple[tuple[int, int], ...]
    new: frozenset[int]

    def commentable(self, start: int, end: int) -> bool:
        """Whether a comment may span these lines: one hunk shows them all, and one of them is new."""
        return any(first <= start and end <= last for first, last in self.hunks) and any(n in self.new for n in range(start, end + 1))


def shown_lines(diff: str) -> Shown:
    """Which lines a unified diff shows. Raises nothing: lines outside any hunk count for nothing."""
    hunks: list[tuple[int, int]] = []
    new: set[int] = set()
    line = 0
    for text in diff.split("\n"):
        head = _HUNK.match(text)
        if head:
            line = int(head[1])
            hunks.append((line, line - 1))
        elif hunks and text[:1] in ("+", " "):
            new |= {line} if text.startswith("+") else set()
            hunks[-1] = (hunks[-1][0], line)
            line += 1
    return Shown(tuple(hunks), frozenset(new))
