"""The reading side of GitHub: commits, trees, blobs and comparisons by SHA."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from github import Github

from shared.adapters.github.client import Client
from shared.domain.code_host import FOLDER, Commit, Comparison, Listing, Repository, TreeEntry
from shared.domain.errors import ValidationError

T = TypeVar("T")
COMPARED_FILES = 300
"""A comparison lists at most so many files: https://docs.github.com/en/rest/commits/commits#compare-two-commits (read 2026-11)."""
_STRAIGHT = ("ahead", "identical")


class GitHubReader:
    """CodeReader over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def commit(self, repository: Repository, sha: str) -> Commit:
        return self._get(repository, f"read commit {sha[:12]}", f"/git/commits/{sha}", _commit)

    def tree(self, repository: Repository, sha: str, *, recursive: bool = False) -> Listing:
        parameters = {"recursive": 1} if recursive else {}
        listing = self._get(repository, f"list tree {sha[:12]}", f"/git/trees/{sha}", _listing, **parameters)
        # PyGithub drops the query, and `recursive` with it, when GitHub redirects a renamed repository.
        return Listing(listing.entries, listing.truncated or (recursive and not _descends(listing.entries)))

    def blob(self, repository: Repository, sha: str) -> bytes:
        return self._get(repository, f"read blob {sha[:12]}", f"/git/blobs/{sha}", lambda found: base64.b64decode(found["content"]))

    def compare(self, repository: Repository, base: str, head: str) -> Comparison | None:
        try:
            # One commit a page: only the first page has the files, and the commits are of no interest.
            return self._get(repository, "compare two commits", f"/compare/{base}...{head}", _comparison, per_page=1, page=1)
        except ValidationError:
            return None

    def _get(self, repository: Repository, what: str, path: str, read: Callable[[Any], T], **parameters: Any) -> T:
        def action(github: Github) -> T:
            return read(github.requester.requestJsonAndCheck("GET", f"/repos/{repository.name}{path}", parameters=parameters)[1])

        return self._client.call(repository, what, action)


def _commit(found: Any) -> Commit:
    who, parents = found["committer"], tuple(parent["sha"] for parent in found["parents"])
    return Commit(found["sha"], found["tree"]["sha"], found["message"], who["date"], who["email"], parents)


def _listing(found: Any) -> Listing:
    entries = (TreeEntry(e["path"], e["mode"], e["sha"], e.get("size") or 0) for e in found["tree"])
    return Listing(tuple(entries), bool(found["truncated"]))


def _comparison(found: Any) -> Comparison:
    paths = {name for file in found["files"] for name in (file["filename"], file.get("previous_filename")) if name}
    return Comparison(tuple(sorted(paths)), len(found["files"]) < COMPARED_FILES, found["status"] in _STRAIGHT)


def _descends(entries: Iterable[TreeEntry]) -> bool:
    """Whether a listing goes into its folders (none of which is empty in git)."""
    inside = {entry.path.rpartition("/")[0] for entry in entries}
    return all(entry.path in inside for entry in entries if entry.mode == FOLDER)
