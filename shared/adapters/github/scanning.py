"""Code scanning uploads: https://docs.github.com/en/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data."""

from __future__ import annotations

from shared.adapters.github.client import Client
from shared.domain.code_host import Repository


class GitHubScanning:
    """CodeScanning over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def upload_sarif(self, repository: Repository, sha: str, ref: str, sarif: str) -> str:
        body = {"commit_sha": sha, "ref": ref, "sarif": sarif, "tool_name": "aks-copilot"}
        found = self._client.request(repository, "upload SARIF", "POST", "/code-scanning/sarifs", body)
        return str(found.get("url") or "")
