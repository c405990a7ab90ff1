"""Reviews of pull requests: https://docs.github.com/en/rest/pulls/reviews (read 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from github import Github

from shared.adapters.github.client import Client
from shared.domain.code_host import Repository
from shared.domain.code_review import Pull

_PAGE = 100


class GitHubReviews:
    """ReviewHost over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def pull(self, repository: Repository, number: int) -> Pull:
        found = self._call(repository, f"read pull request #{number}", "GET", f"/pulls/{number}")
        return Pull(found["state"] == "open", str(found["head"]["sha"]), str(found["base"]["sha"]))

    def patches(self, repository: Repository, base: str, head: str) -> Mapping[str, str]:
        # One commit a page: only the first page has the files.
        found = self._call(repository, "compare two commits", "GET", f"/compare/{base}...{head}?per_page=1&page=1")
        return {str(file["filename"]): str(file["patch"]) for file in found["files"] if file.get("patch")}

    def reviews(self, repository: Repository, number: int) -> Sequence[str]:
        bodies: list[str] = []
        while len(bodies) % _PAGE == 0:
            path = f"/pulls/{number}/reviews?per_page={_PAGE}&page={len(bodies) // _PAGE + 1}"
            found = self._call(repository, f"read the reviews of #{number}", "GET", path)
            bodies += [str(one.get("body") or "") for one in found]
            if not found:
                break
        return bodies

    def review(self, repository: Repository, number: int, commit: str, text: str, comments: Sequence[Mapping[str, Any]]) -> str:
        body = {"commit_id": commit, "event": "COMMENT", "body": text, "comments": [dict(one) for one in comments]}
        return str(self._call(repository, f"review pull request #{number}", "POST", f"/pulls/{number}/reviews", body).get("html_url") or "")

    def _call(self, repository: Repository, what: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        def action(github: Github) -> Any:
            sent = None if body is None else dict(body)
            return github.requester.requestJsonAndCheck(method, f"/repos/{repository.name}{path}", input=sent)[1]

        return self._client.call(repository, what, action)
