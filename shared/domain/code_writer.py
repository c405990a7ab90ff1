"""What the program needs to write into a team's repository: commits on a branch of its own, and a pull request for them.

The port raises as shared.domain.code_host says. Nothing here moves a branch that is not one of the program's own, but for creating the
branch that the layout `branch` wants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.code_host import FILE, Repository

COMMITTER = ("aks-copilot", "aks-copilot@noreply.invalid")
"""Name and address on the program's commits. Nobody can own the domain (RFC 2606), so they are shown as no account's."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a new tree: an existing blob (`sha`), new content (`data`), or neither: the file is deleted."""

    path: str
    mode: str = FILE
    sha: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to make. `at` (ISO 8601) is both its dates: the same content twice is the same commit."""

    message: str
    tree: str
    parents: tuple[str, ...]
    at: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the host keeps it. `head` is the commit that its branch had when it was last asked."""

    number: int
    url: str
    open: bool
    merged: bool
    head: str
    base: str
    body: str


class CodeWriter(Protocol):
    """Writes commits, branches and pull requests."""

    def head(self, repository: Repository, branch: str) -> str | None:
        """The commit of a branch; None where there is no such branch."""

    def tree(self, repository: Repository, base: str, changes: Sequence[FileChange]) -> str:
        """A tree made from another one."""

    def commit(self, repository: Repository, commit: NewCommit) -> str:
        """A commit that no branch names yet."""

    def create(self, repository: Repository, branch: str, sha: str) -> None:
        """A new branch. Raises TransientError where somebody made it first."""

    def move(self, repository: Repository, branch: str, sha: str, *, expected: str, force: bool) -> None:
        """Let a branch name another commit; without `force` only one that descends from the old one.

        Raises TransientError where the branch does not name `expected` any more: look again.
        """

    def merge_base(self, repository: Repository, one: str, other: str) -> str | None:
        """The best common ancestor of two commits, or None."""

    def pulls(self, repository: Repository, branch: str) -> Sequence[PullRequest]:
        """The pull requests of a branch of this repository, the newest first."""

    def open_pull(self, repository: Repository, branch: str, base: str, title: str, body: str) -> PullRequest:
        """A new pull request."""

    def change_pull(self, repository: Repository, number: int, fields: Mapping[str, Any]) -> PullRequest:
        """Change `state`, `body` or `base`. Raises ValidationError where the host will not (reopening one whose branch was rewritten)."""

    def comment_once(self, repository: Repository, number: int, marker: str, text: str) -> None:
        """A comment on a pull request, unless one that holds `marker` is there."""


def blob_name(data: bytes, length: int = 40) -> str:
    """The object name that git gives to a file: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects.

    `length` is that of the repository's other names: 64 hexadecimal digits where it uses SHA-256.
    """
    kind = "sha256" if length == 64 else "sha1"
    return hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
