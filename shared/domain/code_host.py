"""What the program needs of the host of a team's repositories (GitHub): values and ports. The adapter is shared/adapters/github.

Every method of a port raises TransientError where the host is unavailable or asks for a pause (`retry_after`), ValidationError where
the repository, commit or object is not there or not visible to the program, CriticalError where the host refuses the program's own
credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.errors import ValidationError

FILE, EXECUTABLE, SYMLINK, SUBMODULE, FOLDER = "100644", "100755", "120000", "160000", "040000"
"""Modes of tree entries: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""


class NotFoundError(ValidationError):
    """What was asked for is not there, or not visible to the program. GitHub says so, too, for a moment after a push."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository by its full name `owner/name`, and the installation of the program's GitHub App there, where it has one."""

    name: str
    installation: int | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its own SHA, that of its root tree, its message, when it was committed (ISO 8601) and under which address, its parents."""

    sha: str
    tree: str
    message: str
    at: str = "1970-01-01T00:00:00Z"
    committer: str = ""
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a listing. `path` is relative to the listed tree; `size` in bytes, 0 for what is no file."""

    path: str
    mode: str
    sha: str
    size: int = 0

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file: no folder, no symbolic link, no submodule."""
        return self.mode in (FILE, EXECUTABLE)


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries of a tree; `truncated` where the host left some out (GitHub: over 100 000 entries or 7 MB)."""

    entries: tuple[TreeEntry, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed on the way from one commit to another.

    `paths` holds both names of a renamed file. `whole` is False where the host may have left files out. `straight` is False where the
    second commit does not descend from the first: the paths are then those that changed since their common ancestor.
    """

    paths: tuple[str, ...]
    whole: bool = True
    straight: bool = True


class CodeReader(Protocol):
    """Reads repositories by SHA; SHAs never change what they mean, so every answer may be kept."""

    def commit(self, repository: Repository, sha: str) -> Commit:
        """One commit."""

    def tree(self, repository: Repository, sha: str, *, recursive: bool = False) -> Listing:
        """The entries of a tree; with `recursive` those of its folders too."""

    def blob(self, repository: Repository, sha: str) -> bytes:
        """The content of a file. The caller looks at the listed size first: the host's limit is 100 MB."""

    def compare(self, repository: Repository, base: str, head: str) -> Comparison | None:
        """What changed from `base` to `head`; None where one of them is gone or they have no common ancestor."""


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run as the host keeps it; `annotations` is how many it has so far."""

    id: int
    url: str
    annotations: int = 0


class CheckHost(Protocol):
    """Writes check runs, and commit statuses where the credentials may not write those. Fields are named as GitHub names them."""

    def find(self, repository: Repository, sha: str, name: str, external_id: str) -> CheckRun | None:
        """The check run of a commit that carries our id; None where there is none yet."""

    def create(self, repository: Repository, fields: Mapping[str, Any]) -> CheckRun:
        """A new check run. Raises CriticalError where the credentials may not (a token: only a GitHub App writes check runs)."""

    def update(self, repository: Repository, check: CheckRun, fields: Mapping[str, Any]) -> CheckRun:
        """Change a check run; annotations in `fields` come on top of those that are there."""

    def set_status(self, repository: Repository, sha: str, fields: Mapping[str, Any]) -> str:
        """The newest status of its context on a commit; the commit's address."""


class CodeScanning(Protocol):
    """Takes findings as alerts."""

    def upload_sarif(self, repository: Repository, sha: str, ref: str, sarif: str) -> str:
        """Upload gzipped Base64 SARIF of a commit on a full ref (`refs/heads/main`); where its processing can be followed."""
