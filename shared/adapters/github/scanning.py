"""Code scanning uploads: https://docs.github.com/en/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data."""

from __future__ import annotations

from typing import Any

from github import Github

from shared.adapters.github.client import Client
from shared.domain.code_host import Repository


class GitHubScanning:
    """CodeScanning over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def upload_sarif(self, repository: Repository, sha: str, ref: str, sarif: str) -> str:
        body = {"commit_sha": sha, "ref": ref, "sarif": sarif, "tool_name": "aks-copilot"}

        def action(github: Github) -> Any:
            path = f"/repos/{repository.name}/code-scanning/sarifs"
            return github.requester.requestJsonAndCheck("POST", path, input=body)[1]

        return str(self._client.call(repository, "upload SARIF", action).get("url") or "")
