"""A repository with a merged pull request of ours, in memory: what starts its deployment, and who is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulate_support import pull_payload
from fake_code import FakeCode
from intake_support import Site
from test_slack import Channel

from shared.domain.code_host import Comparison, Repository
from shared.domain.webhook import RUN_TRAILER
from shared.pipeline import names, publish, state
from shared.pipeline.slack import SlackPublisher

NAMESPACE = "deploy: {namespace: shop}"
RUNS_URL = "https://github.com/acme/shop/actions/runs/1"


def settings(deploy: str = NAMESPACE) -> str:
    return f"repository:\n  {deploy}\n  applications:\n    - path: deploy\n      app: shop\n"


@dataclass
class Host:
    """A DeployHost in memory that fails as it is told to."""

    commits: dict[int, list[str]] = field(default_factory=dict)
    merged: dict[int, tuple[str, str]] = field(default_factory=dict)
    started: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    events: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)

    def messages(self, repository: Repository, pull: int) -> Sequence[str]:
        return self.commits.get(pull, [])

    def merge_commit(self, repository: Repository, pull: int) -> tuple[str, str] | None:
        return self.merged.get(pull)

    def start_workflow(self, repository: Repository, workflow: str, ref: str, inputs: Mapping[str, str]) -> str:
        self._fail(self.failures)
        self.started.append((workflow, ref, dict(inputs)))
        self._fail(self.lost)
        return RUNS_URL

    def send_event(self, repository: Repository, event: str, payload: Mapping[str, str]) -> None:
        self._fail(self.failures)
        self.events.append((event, dict(payload)))
        self._fail(self.lost)

    @staticmethod
    def _fail(failures: list[Exception]) -> None:
        if failures:
            raise failures.pop(0)


class Branched(FakeCode):
    """Knows one branch by its name."""

    head = ""

    def compare(self, repository: Repository, base: str, head: str) -> Comparison | None:
        return super().compare(repository, base, self.head if head == "main" else head)


class Merged(Site):
    """A run of `deploy/` whose pull request 5 was merged: `run`, `merge` (the commit on main), `chat` and `host`."""

    def __init__(self, deploy: str = NAMESPACE, bot: bool = True, **world: Any) -> None:
        super().__init__({".aks-copilot.yaml": settings(deploy), "deploy/app.yaml": "kind: GOOD\n"}, **world)
        self.code = Branched()
        self.first = self.head = self.code.add(self.files)
        self.host, self.chat = Host(), Channel(updates=bot)
        told = SlackPublisher(self.chat)
        self.world.context = replace(self.world.context, deploys=lambda: self.host, publishers={"slack": told})
        self.world.services = replace(self.world.services, context=self.world.context)
        self.change({"deploy/app.yaml": "kind: BAD\n"})
        self.push()
        (self.run,) = self.world.runs()
        self.merge = self.code.head = self.change({"deploy/app.yaml": "kind: GOOD\n"}, "Merge pull request #5")
        self.host.commits[5] = [f"Storage for AKS (shop)\n\nwhy\n\n{RUN_TRAILER}: {self.run}\n", "A person's change"]

    def merged(self, delivery: str | None = None, **changes: Any) -> None:
        """GitHub says that pull request 5 was merged."""
        about = {
            "number": 5,
            "merged": True,
            "merge_commit_sha": self.merge,
            "head": {"ref": "aks-copilot/shop", "sha": "c" * 40, "repo": {"full_name": "acme/shop"}},
            "base": {"ref": "main", "sha": self.first},
        }
        self.deliver(pull_payload("acme/shop", about | changes, "closed"), "pull_request", delivery)

    def pull_is_known(self, merged: bool) -> None:
        """As after the publisher of pull requests; `merged` on GitHub or not."""
        publish.keep(self.world.context, self.run, "pull-request", {"number": 5, "url": "https://github.com/acme/shop/pull/5"})
        if merged:
            self.host.merged[5] = (self.merge, "main")

    def record(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = state.find(self.world.context, names.deployment(self.run))
        return found

    def said(self) -> str:
        (message,) = self.chat.said()
        return message
