"""A repository on the emulator whose pushes go through the whole program in memory, up to its pull request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulate_support import SECRET, Emulate, push_payload, signature
from fakes import World

from shared.adapters.github.client import Client
from shared.adapters.github.read import GitHubReader
from shared.adapters.github.write import GitHubWriter
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.archive import ArchiveLimits
from shared.pipeline import github_webhook, names
from shared.pipeline.context import Limits
from shared.pipeline.pull_request import NAME, PullRequestPublisher
from shared.services import build_engine

FOLDER, BRANCH = "deploy/shop", "aks-copilot/shop"
SETTINGS = "repository:\n  source: k3s\n  applications:\n    - path: deploy/shop\n"
CLAIM = """\
# the shop's data
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {name}
spec:
  storageClassName: local-path   # of k3s
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 1Gi}}}}
"""


def claim(name: str = "data", like: str = "local-path") -> str:
    return CLAIM.format(name=name).replace("local-path", like)


class Site:
    """`layout` is what the repository says; files lie in `deploy/shop` where their path begins so."""

    def __init__(self, emulate: Emulate, files: Mapping[str, bytes | str], layout: str = "in-place", settings: str = SETTINGS, **more: Any):
        self.emulate, self.count = emulate, 0
        chosen = settings.replace("  applications:", f"  layout: {layout}\n  applications:")
        self.repository = emulate.repository({".aks-copilot.yaml": chosen, **files}, **more)
        self.restart()

    def restart(self, **world: Any) -> None:
        """The program anew, its storage empty."""
        client = Client(self.emulate.github.url, EnvironmentSecrets({"GITHUB_TOKEN": self.emulate.token()}), timeout=2, pause=0)
        told = PullRequestPublisher(GitHubWriter(client), "https://copilot.example/{runId}")
        limits = Limits(archive=ArchiveLimits())
        reader = GitHubReader(client)
        self.world = World(engine=build_engine(), limits=limits, code=lambda: reader, publishers={NAME: told}, **world)

    def deliver(self, before: str | None = None, after: str | None = None, branch: str = "main") -> None:
        """The delivery of a push, handled to its end."""
        self.count += 1
        self.world.queue.now += 1  # so that the newest run is known
        body = json.dumps(push_payload(self.repository.name, before or "0" * 40, after or self.repository.head(branch), branch)).encode()
        request = github_webhook.Delivery(body, "push", f"d-{self.count}", signature(body), "application/json")
        secrets = EnvironmentSecrets({"GITHUB_WEBHOOK_SECRET": SECRET})

        def receive() -> None:
            github_webhook.receive(self.world.context, secrets, request)

        self.world.process(receive)
        self.world.drain()

    def push(self, files: Mapping[str, bytes | str | None] | None = None, **more: Any) -> str:
        """A push to main, handled to its end; its commit."""
        head = self.repository.push(files, **more) if files is not None else self.repository.head()
        self.deliver(after=head)
        return head

    def tell(self, run: str) -> Mapping[str, Any] | None:
        """Ask the publisher once more, as a repeated message does."""
        return self.world.context.publishers[NAME](self.world.context, run)

    def forget(self, run: str) -> None:
        """As a crash between telling and remembering it does."""
        self.world.blobs.delete(names.RUNS, names.published(run, NAME))

    @property
    def told(self) -> dict[str, dict[str, Any]]:
        """What was published, by run."""
        found = self.world.blobs.texts(names.RUNS)
        return {n.split("/")[0]: json.loads(d) for n, d in found.items() if n.endswith(f"/published/{NAME}.json")}

    @property
    def newest(self) -> str:
        """The newest run."""
        index = [name for name in self.world.blobs.texts(names.RUNS) if name.startswith("index/")]
        return min(index).removeprefix("index/").partition("-")[2]

    def run_of(self, commit: str) -> str:
        """The run of a commit."""
        origins = {n: d for n, d in self.world.blobs.texts(names.RUNS).items() if n.endswith("/origin.json")}
        return next(name.split("/")[0] for name, data in origins.items() if json.loads(data)["commit"] == commit)

    @property
    def last(self) -> dict[str, Any]:
        """What the newest run published."""
        return self.told[self.newest]

    def commits(self, branch: str = BRANCH, until: str | None = None) -> list[dict[str, Any]]:
        """The commits of a branch from the oldest after `until` (default: the base) to its head."""
        until = until or self.repository.head()
        found: list[dict[str, Any]] = []
        sha = self.repository.head(branch)
        while sha != until and len(found) < 50:
            commit = self.repository.call("GET", f"/git/commits/{sha}")
            found.append(commit)
            sha = commit["parents"][0]["sha"]
        return found[::-1]

    def files(self, branch: str = BRANCH) -> dict[str, bytes]:
        """Path to content."""
        return self.repository.files(self.repository.head(branch))

    def branches(self) -> list[str]:
        return [ref["ref"].removeprefix("refs/heads/") for ref in self.repository.call("GET", "/git/matching-refs/heads/")]

    def results(self, run: str | None = None) -> dict[str, bytes]:
        """The run's files as `patched` has them."""
        prefix = f"{run or next(iter(self.told))}/"
        return {
            n.removeprefix(prefix): d for n, d in self.world.blobs.texts(names.PATCHED, prefix).items() if not n.endswith(names.REMOVED)
        }
