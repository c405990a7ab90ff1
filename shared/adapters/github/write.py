"""Commits, branches and pull requests: https://docs.github.com/en/rest/git and https://docs.github.com/en/rest/pulls (read 2026-11).

Content goes with the tree, not blob by blob: GitHub counts every created object against its secondary limit (80 a minute). Only what
is no plain text needs a blob of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.adapters.github.client import Client
from shared.domain.code_host import SUBMODULE, Repository
from shared.domain.code_writer import COMMITTER, FileChange, NewCommit, PullRequest
from shared.domain.errors import CriticalError, TransientError, ValidationError

_BATCH_BYTES, _BATCH_ENTRIES = 1_000_000, 1_000
_PAGE = 100
_REPLACE = """mutation($repository: ID!, $name: GitRefname!, $before: GitObjectID!, $after: GitObjectID!) {
  updateRefs(input: {repositoryId: $repository, refUpdates: [{name: $name, beforeOid: $before, afterOid: $after, force: true}]}) {
    clientMutationId
  }
}"""
"""https://docs.github.com/en/graphql/reference/git#updaterefs (read 2026-11): `beforeOid` is what the branch has to be before."""


class GitHubWriter:
    """CodeWriter over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def head(self, repository: Repository, branch: str) -> str | None:
        found = self._client.request(repository, "read a branch", "GET", f"/git/matching-refs/heads/{quote(branch)}")
        return next((str(ref["object"]["sha"]) for ref in found if ref["ref"] == f"refs/heads/{branch}"), None)

    def tree(self, repository: Repository, base: str, changes: Sequence[FileChange]) -> str:
        for batch in _batches(changes):
            body = {"base_tree": base, "tree": [self._entry(repository, change) for change in batch]}
            base = str(self._client.request(repository, "write a tree", "POST", "/git/trees", body)["sha"])
        return base

    def commit(self, repository: Repository, commit: NewCommit) -> str:
        who = {"name": COMMITTER[0], "email": COMMITTER[1], "date": commit.at}
        body = {"message": commit.message, "tree": commit.tree, "parents": list(commit.parents), "author": who, "committer": who}
        return str(self._client.request(repository, "write a commit", "POST", "/git/commits", body)["sha"])

    def create(self, repository: Repository, branch: str, sha: str) -> None:
        try:
            self._client.request(
                repository, f"create the branch {branch}", "POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha}
            )
        except ValidationError:
            if self.head(repository, branch) in (None, sha):
                raise
            raise TransientError(f"the branch {branch} was made at the same moment") from None

    def move(self, repository: Repository, branch: str, sha: str, *, expected: str, force: bool) -> None:
        if self.head(repository, branch) != expected:
            raise TransientError(f"the branch {branch} moved at the same moment")
        try:
            if force:
                self._replace(repository, branch, sha, expected)
            else:
                self._patch(repository, branch, sha, force=False)
        except ValidationError:
            if self.head(repository, branch) == expected:
                raise
            raise TransientError(f"the branch {branch} moved at the same moment") from None

    def _replace(self, repository: Repository, branch: str, sha: str, expected: str) -> None:
        """Only GraphQL replaces a branch on the condition that it is what we saw; a server without that is told to by REST."""
        try:
            node = self._client.request(repository, "read the repository", "GET", "")["node_id"]
            values = {"repository": node, "name": f"refs/heads/{branch}", "before": expected, "after": sha}
            self._client.call(repository, f"replace the branch {branch}", lambda github: github.requester.graphql_query(_REPLACE, values))
        except (ValidationError, CriticalError):
            if self.head(repository, branch) != expected:
                raise TransientError(f"the branch {branch} moved at the same moment") from None
            self._patch(repository, branch, sha, force=True)

    def _patch(self, repository: Repository, branch: str, sha: str, *, force: bool) -> None:
        body = {"sha": sha, "force": force}
        self._client.request(repository, f"move the branch {branch}", "PATCH", f"/git/refs/heads/{quote(branch)}", body)

    def merge_base(self, repository: Repository, one: str, other: str) -> str | None:
        try:
            found = self._client.request(repository, "compare two commits", "GET", f"/compare/{one}...{other}?per_page=1&page=1")
        except ValidationError:
            return None
        return str(found["merge_base_commit"]["sha"])

    def pulls(self, repository: Repository, branch: str) -> Sequence[PullRequest]:
        owner = repository.name.partition("/")[0]
        query = f"state=all&head={quote(f'{owner}:{branch}', safe='')}&sort=created&direction=desc&per_page={_PAGE}"
        found = self._client.request(repository, "list pull requests", "GET", f"/pulls?{query}")
        return sorted((_pull(one) for one in found if one["head"]["ref"] == branch), key=lambda one: -one.number)

    def open_pull(self, repository: Repository, branch: str, base: str, title: str, body: str) -> PullRequest:
        fields = {"title": title, "head": branch, "base": base, "body": body}
        return _pull(self._client.request(repository, "open a pull request", "POST", "/pulls", fields))

    def change_pull(self, repository: Repository, number: int, fields: Mapping[str, Any]) -> PullRequest:
        return _pull(self._client.request(repository, f"change pull request #{number}", "PATCH", f"/pulls/{number}", fields))

    def comment_once(self, repository: Repository, number: int, marker: str, text: str) -> None:
        page, path = 1, f"/issues/{number}/comments"
        while True:
            found = self._client.request(repository, "read comments", "GET", f"{path}?per_page={_PAGE}&page={page}")
            if any(marker in (one.get("body") or "") for one in found):
                return
            if len(found) < _PAGE:
                break
            page += 1
        self._client.request(repository, "comment", "POST", path, {"body": f"{text}\n\n{marker}"})

    def _entry(self, repository: Repository, change: FileChange) -> dict[str, Any]:
        kind = "commit" if change.mode == SUBMODULE else "blob"
        entry: dict[str, Any] = {"path": change.path, "mode": change.mode, "type": kind}
        if change.data is None:
            return entry | {"sha": change.sha}
        text = _plain(change.data)
        if text is not None:
            return entry | {"content": text}
        body = {"content": base64.b64encode(change.data).decode("ascii"), "encoding": "base64"}
        return entry | {"sha": self._client.request(repository, "write a file", "POST", "/git/blobs", body)["sha"]}


def _plain(data: bytes) -> str | None:
    """The text of content that survives a JSON document as it is; None where it might not (BOM, carriage returns, NUL, other bytes)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if text.startswith("\ufeff") or "\r" in text or "\0" in text else text


def _batches(changes: Sequence[FileChange]) -> Iterator[list[FileChange]]:
    batch: list[FileChange] = []
    size = 0
    for change in changes:
        weight = len(change.data or b"")
        if batch and (size + weight > _BATCH_BYTES or len(batch) == _BATCH_ENTRIES):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += weight
    if batch:
        yield batch


def _pull(found: Any) -> PullRequest:
    return PullRequest(
        int(found["number"]), str(found.get("html_url") or ""), found["state"] == "open", bool(found.get("merged_at")),
        str(found["head"]["sha"]), str(found["base"]["ref"]), str(found.get("body") or ""),
    )  # fmt: skip
