"""A hand-written CodeReader: commits of files in memory, with git's own names for what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from shared.domain.code_host import FILE, FOLDER, SUBMODULE, SYMLINK, Commit, Comparison, Listing, NotFoundError, Repository, TreeEntry

Files = Mapping[str, bytes | str]


def git_name(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(kind + b" %d\0" % len(data) + data).hexdigest()


class FakeCode:
    """`name` is the only repository; `before_call` may raise what GitHub would; listings over `listed` entries are truncated."""

    def __init__(self, name: str = "acme/shop", listed: int = 100_000) -> None:
        self.name, self.listed = name, listed
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, TreeEntry]] = {}
        self.commits: dict[str, tuple[Commit, dict[str, tuple[str, str]], str | None]] = {}
        self.calls: list[str] = []
        self.before_call: Callable[[str], None] = lambda call: None

    def add(self, files: Files, parent: str | None = None, message: str = "A change", modes: Mapping[str, str] | None = None) -> str:
        """A commit of exactly these files; its SHA."""
        kinds = modes or {}
        entries: dict[str, tuple[str, str]] = {}
        for path, data in files.items():
            raw = data.encode() if isinstance(data, str) else data
            entries[path] = (kinds.get(path, FILE), git_name(b"blob", raw))
            self.blobs[entries[path][1]] = raw
        tree = self._tree(entries)
        sha = git_name(b"commit", f"{tree} {parent} {message}".encode())
        self.commits[sha] = (Commit(sha, tree, message), entries, parent)
        return sha

    def commit(self, repository: Repository, sha: str) -> Commit:
        self._called(repository, f"commit {sha}")
        return self._known(sha)[0]

    def tree(self, repository: Repository, sha: str, *, recursive: bool = False) -> Listing:
        self._called(repository, f"tree {sha}{' recursive' if recursive else ''}")
        if sha not in self.trees:
            raise NotFoundError("not found on GitHub")
        entries = list(self._below(sha, "")) if recursive else list(self.trees[sha].values())
        return Listing(tuple(entries[: self.listed]), len(entries) > self.listed)

    def blob(self, repository: Repository, sha: str) -> bytes:
        self._called(repository, f"blob {sha}")
        return self.blobs[sha]

    def compare(self, repository: Repository, base: str, head: str) -> Comparison | None:
        self._called(repository, f"compare {base}...{head}")
        if base not in self.commits or head not in self.commits:
            return None
        old, new = self.commits[base][1], self.commits[head][1]
        changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        return Comparison(tuple(changed[:300]), len(changed) < 300, base in self._line(head))

    def reads(self) -> int:
        """How many files were read."""
        return sum(call.startswith("blob ") for call in self.calls)

    def _called(self, repository: Repository, call: str) -> None:
        self.before_call(call)
        self.calls.append(call)
        if repository.name != self.name:
            raise NotFoundError(f"not found on GitHub, or not visible to the program (404): cannot read {repository.name}")

    def _known(self, sha: str) -> tuple[Commit, dict[str, tuple[str, str]], str | None]:
        if sha not in self.commits:
            raise NotFoundError("not found on GitHub, or not visible to the program (404)")
        return self.commits[sha]

    def _line(self, sha: str | None) -> list[str]:
        return [] if sha is None else [sha, *self._line(self.commits[sha][2])]

    def _tree(self, entries: Mapping[str, tuple[str, str]]) -> str:
        here: dict[str, TreeEntry] = {}
        for name in sorted({path.partition("/")[0] for path in entries}):
            below = {path.partition("/")[2]: entry for path, entry in entries.items() if path.startswith(f"{name}/")}
            if below:
                here[name] = TreeEntry(name, FOLDER, self._tree(below))
            else:
                mode, sha = entries[name]
                size = 0 if mode in (SUBMODULE, SYMLINK) else len(self.blobs[sha])
                here[name] = TreeEntry(name, mode, sha, size)
        sha = git_name(b"tree", repr(here).encode())
        self.trees[sha] = here
        return sha

    def _below(self, sha: str, prefix: str) -> list[TreeEntry]:
        found: list[TreeEntry] = []
        for entry in self.trees[sha].values():
            path = f"{prefix}{entry.path}"
            found.append(TreeEntry(path, entry.mode, entry.sha, entry.size))
            if entry.mode == FOLDER:
                found += self._below(entry.sha, f"{path}/")
        return found
