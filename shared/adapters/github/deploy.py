"""Starting deployments, and what they need to know of pull requests.

https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event and
https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.adapters.github.client import Client
from shared.domain.code_host import Repository
from shared.domain.errors import ValidationError

_PAGE = 100
_PAGES = 3  # GitHub lists at most 250 commits of a pull request
_DETAILS = "return_run_details"
"""Since February 2026 GitHub says which run a dispatch started; an older Enterprise Server rejects the parameter."""


class GitHubDeployments:
    """DeployHost over a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def messages(self, repository: Repository, pull: int) -> Sequence[str]:
        found: list[Any] = []
        for page in range(1, _PAGES + 1):
            some = self._client.request(
                repository, "list the commits of a pull request", "GET", f"/pulls/{pull}/commits?per_page={_PAGE}&page={page}"
            )
            found += some
            if len(some) < _PAGE:
                break
        return [str(one["commit"]["message"]) for one in found]

    def merge_commit(self, repository: Repository, pull: int) -> tuple[str, str] | None:
        found = self._client.request(repository, "read a pull request", "GET", f"/pulls/{pull}")
        return (str(found["merge_commit_sha"]), str(found["base"]["ref"])) if found.get("merged") else None

    def start_workflow(self, repository: Repository, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        path, body = f"/actions/workflows/{quote(workflow, safe='')}/dispatches", {"ref": ref, "inputs": dict(inputs)}
        try:
            answer = self._client.request(repository, f"start the workflow {workflow}", "POST", path, body | {_DETAILS: True})
        except ValidationError as error:
            if _DETAILS not in str(error):
                raise
            answer = self._client.request(repository, f"start the workflow {workflow}", "POST", path, body)
        return str((answer or {}).get("html_url") or "")

    def send_event(self, repository: Repository, event: str, payload: Mapping[str, str]) -> None:
        self._client.request(
            repository, "send a repository event", "POST", "/dispatches", {"event_type": event, "client_payload": dict(payload)}
        )
