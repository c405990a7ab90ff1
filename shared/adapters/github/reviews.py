"""Reviews of pull requests: https://docs.github.com/en/rest/pulls/reviews (read 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import Client
from shared.domain.code_host import Repository
from shared.domain.code_review import Pull, Review

_PAGE = 100


class GitHubReviews:
    """ReviewHost over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def pull(self, repository: Repository, number: int) -> Pull:
        found = self._client.request(repository, f"read pull request #{number}", "GET", f"/pulls/{number}")
        return Pull(found["state"] == "open", str(found["head"]["sha"]), str(found["base"]["sha"]))

    def patches(self, repository: Repository, base: str, head: str) -> Mapping[str, str]:
        # One commit a page: only the first page has the files.
        found = self._client.request(repository, "compare two commits", "GET", f"/compare/{base}...{head}?per_page=1&page=1")
        return {str(file["filename"]): str(file["patch"]) for file in found["files"] if file.get("patch")}

    def reviews(self, repository: Repository, number: int) -> Sequence[Review]:
        reviews: list[Review] = []
        while len(reviews) % _PAGE == 0:
            path = f"/pulls/{number}/reviews?per_page={_PAGE}&page={len(reviews) // _PAGE + 1}"
            found = self._client.request(repository, f"read the reviews of #{number}", "GET", path)
            reviews += map(_review, found)
            if not found:
                break
        return reviews

    def review(self, repository: Repository, number: int, commit: str, text: str, comments: Sequence[Mapping[str, Any]]) -> Review:
        body = {"commit_id": commit, "event": "COMMENT", "body": text, "comments": [dict(one) for one in comments]}
        return _review(self._client.request(repository, f"review pull request #{number}", "POST", f"/pulls/{number}/reviews", body))


def _review(found: Any) -> Review:
    return Review(str(found.get("body") or ""), str(found.get("html_url") or ""))
