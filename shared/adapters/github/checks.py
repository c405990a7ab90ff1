"""Check runs and commit statuses: https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/rest/commits/statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.adapters.github.client import Client
from shared.domain.code_host import CheckRun, Repository


class GitHubChecks:
    """CheckHost over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def find(self, repository: Repository, sha: str, name: str, external_id: str) -> CheckRun | None:
        path = f"/commits/{sha}/check-runs?check_name={quote(name, safe='')}&filter=all&per_page=100"
        found = self._client.request(repository, "read the check runs", "GET", path)
        mine = (run for run in found["check_runs"] if run.get("external_id") == external_id and run.get("name") == name)
        return next(map(_check, mine), None)

    def create(self, repository: Repository, fields: Mapping[str, Any]) -> CheckRun:
        return _check(self._client.request(repository, "create a check run", "POST", "/check-runs", fields))

    def update(self, repository: Repository, check: CheckRun, fields: Mapping[str, Any]) -> CheckRun:
        return _check(self._client.request(repository, "update a check run", "PATCH", f"/check-runs/{check.id}", fields))

    def set_status(self, repository: Repository, sha: str, fields: Mapping[str, Any]) -> str:
        self._client.request(repository, "set a commit status", "POST", f"/statuses/{sha}", fields)
        return str(self._client.request(repository, "read a commit", "GET", f"/commits/{sha}").get("html_url", ""))


def _check(found: Any) -> CheckRun:
    output = found.get("output") or {}
    return CheckRun(int(found["id"]), str(found.get("html_url") or ""), int(output.get("annotations_count") or 0))
