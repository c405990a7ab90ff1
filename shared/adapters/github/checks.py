"""Check runs and commit statuses: https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/rest/commits/statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from github import Github

from shared.adapters.github.client import Client
from shared.domain.code_host import CheckRun, Repository


class GitHubChecks:
    """CheckHost over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, repository: Repository, sha: str, name: str, external_id: str) -> CheckRun | None:
        path = f"/commits/{sha}/check-runs?check_name={quote(name, safe='')}&filter=all&per_page=100"
        found = self._call(repository, "read the check runs", "GET", path)
        mine = (run for run in found["check_runs"] if run.get("external_id") == external_id and run.get("name") == name)
        return next(map(_check, mine), None)

    def create(self, repository: Repository, fields: Mapping[str, Any]) -> CheckRun:
        return _check(self._call(repository, "create a check run", "POST", "/check-runs", fields))

    def update(self, repository: Repository, check: CheckRun, fields: Mapping[str, Any]) -> CheckRun:
        return _check(self._call(repository, "update a check run", "PATCH", f"/check-runs/{check.id}", fields))

    def set_status(self, repository: Repository, sha: str, fields: Mapping[str, Any]) -> str:
        self._call(repository, "set a commit status", "POST", f"/statuses/{sha}", fields)
        return str(self._call(repository, "read a commit", "GET", f"/commits/{sha}").get("html_url", ""))

    def _call(self, repository: Repository, what: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        def action(github: Github) -> Any:
            sent = None if body is None else dict(body)
            return github.requester.requestJsonAndCheck(method, f"/repos/{repository.name}{path}", input=sent)[1]

        return self._client.call(repository, what, action)


def _check(found: Any) -> CheckRun:
    output = found.get("output") or {}
    return CheckRun(int(found["id"]), str(found.get("html_url") or ""), int(output.get("annotations_count") or 0))
