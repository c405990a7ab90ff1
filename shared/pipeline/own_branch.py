"""The branch `aks-copilot/<app>`: what the program knows of it, and how it is brought up to date without losing anybody's work.

What is about to be pushed is remembered first. So a head that is remembered is the program's own, whatever crashed in between, and may be
replaced; commits of anybody else are never rewritten: the program then adds one commit on top, and leaves files that others changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.code_host import FOLDER, CodeReader, Repository, TreeEntry
from shared.domain.code_writer import COMMITTER, CodeWriter, FileChange, NewCommit
from shared.domain.errors import ValidationError
from shared.domain.merging import Wanted, merged
from shared.domain.messages import digest
from shared.domain.webhook import is_own_commit
from shared.pipeline import state
from shared.pipeline.context import Context

_HEADS, _VERSIONS = 50, 20


@dataclass(slots=True)
class Memory:
    """What was pushed: `heads` of commits that are all ours, and every version that we left of a file (by SHA; "" for none)."""

    heads: list[str] = field(default_factory=list)
    written: dict[str, list[str]] = field(default_factory=dict)
    result: str | None = None
    """The digest of what was pushed last."""

    def note(self, wanted: Wanted) -> None:
        """Remember versions of files."""
        for path, kind in wanted.items():
            known = self.written.setdefault(path, [])
            sha = kind[1] if kind else ""
            known[:] = [*(one for one in known if one != sha), sha][-_VERSIONS:]


def place(repository: Repository, branch: str) -> str:
    """The folder in `runs` for what is known of a branch."""
    return f"branches/{digest(f'{repository.name.lower()} {branch}'.encode())}"


def recall(ctx: Context, repository: Repository, branch: str) -> Memory:
    """What is known of a branch; nothing where it was never pushed."""
    found = state.find(ctx, f"{place(repository, branch)}/memory.json") or {}
    return Memory(list(found.get("heads", [])), dict(found.get("written", {})), found.get("result"))


def remember(ctx: Context, repository: Repository, branch: str, memory: Memory) -> None:
    """Before a push."""
    about = {"repository": repository.name, "branch": branch, "result": memory.result}
    value = about | {"heads": memory.heads[-_HEADS:], "written": memory.written}
    state.save(ctx, f"{place(repository, branch)}/memory.json", value)


def is_all_ours(line: Line, base: str) -> bool:
    """Whether a branch holds nothing but commits of ours on top of what `base` has: where the memory was lost, the commits still say so.

    Somebody who changes a commit of ours becomes its committer.
    """
    sha = line.head
    for _ in range(_HEADS):
        commit = line.reader.commit(line.repository, sha)
        if not (len(commit.parents) == 1 and commit.committer == COMMITTER[1] and is_own_commit(commit.message)):
            return line.writer.merge_base(line.repository, sha, base) == sha
        sha = commit.parents[0]
    return False


@dataclass(frozen=True, slots=True)
class Line:
    """Commits being made one after another; `head` and `tree` are where they stand."""

    reader: CodeReader
    writer: CodeWriter
    repository: Repository
    at: str
    head: str
    tree: str

    def add(self, message: str, changes: Sequence[FileChange], *parents: str) -> Line:
        """One more commit (with further parents, a merge)."""
        tree = self.writer.tree(self.repository, self.tree, changes) if changes else self.tree
        head = self.writer.commit(self.repository, NewCommit(message, tree, (self.head, *parents), self.at))
        return Line(self.reader, self.writer, self.repository, self.at, head, tree)


def changes_of(wanted: Wanted, content: Mapping[str, bytes]) -> list[FileChange]:
    """What a tree needs; content that is not given by SHA is in the repository already."""
    made = []
    for path, kind in sorted(wanted.items()):
        if kind is None:
            made.append(FileChange(path))
        else:
            data = content.get(kind[1])
            made.append(FileChange(path, kind[0], None if data is not None else kind[1], data))
    return made


@dataclass(frozen=True, slots=True)
class Update:
    """What came of a commit on top of somebody else's work; `clean` and `left` as in shared.domain.merging."""

    line: Line
    left: tuple[str, ...]
    clean: bool


def on_top(
    line: Line, source: tuple[str, str], wanted: Wanted, content: Mapping[str, bytes], memory: Memory, message: str, *, strict: bool
) -> Update:
    """`line` (a branch that others commit to) brought up to date with `source` (commit and tree of its base) and what we want.

    `strict` where the branch is our own (shared.domain.merging).
    """
    base = line.writer.merge_base(line.repository, line.head, source[0])
    ancestor = whole(line, line.reader.commit(line.repository, base).tree) if base else {}
    found = merged(whole(line, line.tree), whole(line, source[1]), ancestor, wanted, memory.written, strict=strict)
    parents = [source[0]] if found.clean and base != source[0] else []
    if not found.changes and not parents:
        return Update(line, found.left, found.clean)
    return Update(line.add(message, changes_of(found.changes, content), *parents), found.left, found.clean)


def whole(line: Line, tree: str) -> dict[str, TreeEntry]:
    """Every file of a tree. Raises ValidationError where GitHub does not list them all."""
    listing = line.reader.tree(line.repository, tree, recursive=True)
    if listing.truncated:
        raise ValidationError("the repository has too many files to merge with what others committed: delete the branch")
    return {entry.path: entry for entry in listing.entries if entry.mode != FOLDER}
