"""Deploying what a merged pull request brought: who starts it, with what, and what is told of it. Pure; no call, no storage.

The program never talks to the cluster. It starts the team's own workflow once, or leaves it to the GitOps tool that watches the branch,
and is told by the workflow how it went. What the workflow reports is untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shared.domain.code_host import Repository
from shared.domain.report.credentials import redact
from shared.domain.repository import ROOT, Application
from shared.domain.webhook import RUN_TRAILER

EVENT = "aks-copilot-deploy"
"""The type of the repository_dispatch event."""
EVIDENCE = 16 * 1024
"""Characters of evidence that are kept."""
State = Literal["refused", "waiting", "started", "dispatched", "unknown", "gitops", "running", "succeeded", "failed"]
AGAIN: tuple[State, ...] = ("refused", "waiting")
"""States in which nothing was started, so that it may be tried again."""
ENDED: tuple[State, ...] = ("succeeded", "failed", "unknown", "refused", "gitops")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f]")
_FIRST_LINE = 200


class DeployHost(Protocol):
    """What a deployment needs of the host of repositories; raises as shared.domain.code_host says."""

    def messages(self, repository: Repository, pull: int) -> Sequence[str]:
        """The messages of a pull request's commits, the oldest first."""

    def merge_commit(self, repository: Repository, pull: int) -> tuple[str, str] | None:
        """The commit that merged a pull request and the branch that it is on; None where it is not merged."""

    def start_workflow(self, repository: Repository, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        """Start a workflow on a branch; the address of its run, "" where the host does not say."""

    def send_event(self, repository: Repository, event: str, payload: Mapping[str, str]) -> None:
        """Send a repository_dispatch event."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to deploy and how. `path` is the folder in the repository, `ref` the branch that has the commit."""

    by: Literal["workflow", "dispatch", "gitops"]
    run: str
    app: str
    commit: str
    ref: str
    path: str
    namespace: str = ""
    workflow: str = ""

    @property
    def inputs(self) -> dict[str, str]:
        """What the workflow is given: six texts."""
        return {
            "run": self.run, "app": self.app, "commit": self.commit, "namespace": self.namespace, "path": self.path, "ref": self.ref,
        }  # fmt: skip

    def record(self, state: State, at: str) -> dict[str, Any]:
        """The first form of the deployment's record."""
        about = {"by": self.by, "app": self.app, "commit": self.commit, "namespace": self.namespace, "path": self.path}
        return {"state": state, **about, "at": at, "url": "", "evidence": ""}


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is started, and why. `asked` is False where nobody asked for a deployment at all: then it is nothing to tell."""

    reason: str
    asked: bool = True


def decide(one: Application | None, run: str, commit: str, ref: str, folder: str) -> Order | Refused:
    """What the repository says of deploying this application. `folder` is where the results went ("" for the root)."""
    if one is None:
        return Refused("the repository does not name this application any more")
    settings = one.deploy
    if settings is None or settings.by == "none":
        return Refused("`deploy` is not set for this application in .aks-copilot.yaml", asked=False)
    path = settings.path or folder or ROOT
    return Order(settings.by, run, one.app or "", commit, ref, path, settings.namespace or "", settings.workflow)


def run_named(messages: Sequence[str]) -> str | None:
    """The run that the newest of the program's own commits names; `messages` begin with the oldest."""
    found = [name for message in messages for name in re.findall(rf"^{RUN_TRAILER}: (\S+)\s*$", message, re.MULTILINE)]
    return found[-1] if found else None


def evidence(text: str) -> str:
    """What a workflow says of its deployment, fit to be kept and shown: no credentials, no control characters, not long."""
    clean = redact(_CONTROL.sub("", text.replace("\r\n", "\n")))
    return clean if len(clean) <= EVIDENCE else clean[:EVIDENCE] + "\n… cut here"


def told(record: Mapping[str, Any]) -> str:
    """One sentence about a deployment, for people."""
    place = f" to namespace {record['namespace']}" if record.get("namespace") else ""
    what = f"{str(record.get('commit') or '')[:7] or 'the result'}{place}"
    first = next((line.strip() for line in str(record.get("evidence") or "").splitlines() if line.strip()), "")[:_FIRST_LINE]
    reason = str(record.get("error") or "")
    sentences: dict[str, str] = {
        "refused": f":warning: Not deployed: {reason}",
        "waiting": f"The deployment of {what} waits: {reason}",
        "started": f"The deployment of {what} is being started",
        "dispatched": f":rocket: The deployment of {what} was started",
        "unknown": f":warning: Whether the deployment of {what} was started is not known, and it is not tried again: {reason}",
        "gitops": f"{what} is merged: the GitOps tool that watches the branch deploys it",
        "running": f":rocket: {what} is being deployed",
        "succeeded": f":white_check_mark: {what} is deployed",
        "failed": f":x: The deployment of {what} failed{f': {first}' if first else ''}",
    }
    return sentences[str(record["state"])]
