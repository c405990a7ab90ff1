"""A repository whose webhook is the program, in memory: push, open a pull request, and see which runs come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulate_support import SECRET, pull_payload, push_payload, signature
from fake_code import FakeCode
from fakes import World

from shared.adapters.secrets import EnvironmentSecrets
from shared.pipeline import github_webhook, names

NONE = "0" * 40
SHOP = {"deploy/app.yaml": "kind: BAD\n", "deploy/notes.txt": "BAD\n", "src/main.py": "print()\n"}
SETTINGS = "repository:\n  applications:\n    - path: deploy/shop\n    - {path: deploy/blog, results: check, layout: overlay}\n"
MONO = {
    ".aks-copilot.yaml": SETTINGS,
    "deploy/shop/app.yaml": "kind: BAD\n",
    "deploy/blog/app.yaml": "kind: BAD\n",
    "README.md": "hello\n",
}


class Site:
    """A repository whose webhook is this program."""

    def __init__(self, files: Mapping[str, bytes | str] = SHOP, **world: Any) -> None:
        self.code = FakeCode()
        self.world = World(code=lambda: self.code, **world)
        self.first = self.code.add(files)
        self.files: dict[str, bytes | str] = dict(files)
        self.head, self.count = self.first, 0

    def change(self, files: Mapping[str, bytes | str | None], message: str = "A change", **more: Any) -> str:
        """Commit on the branch's head."""
        self.files = {path: data for path, data in (self.files | dict(files)).items() if data is not None}
        self.head = self.code.add(self.files, self.head, message, **more)
        return self.head

    def deliver(self, payload: Mapping[str, Any], event: str = "push", delivery: str | None = None) -> tuple[int, dict[str, str]]:
        """One delivery, handled to its end."""
        self.count += 1
        body = json.dumps(payload).encode()
        request = github_webhook.Delivery(body, event, delivery or f"d-{self.count}", signature(body), "application/json")
        secrets = EnvironmentSecrets({"GITHUB_WEBHOOK_SECRET": SECRET})
        answers: list[tuple[int, dict[str, str]]] = []
        self.world.process(lambda: answers.append(github_webhook.receive(self.world.context, secrets, request)))
        self.world.drain()
        return answers[-1]

    def push(self, before: str | None = None, branch: str = "main", **more: Any) -> tuple[int, dict[str, str]]:
        return self.deliver(push_payload("acme/shop", before or self.code.commits[self.head][2] or NONE, self.head, branch) | more)

    def pull(self, head: str, base: str, action: str = "opened", repo: str = "acme/shop", number: int = 7) -> tuple[int, dict[str, str]]:
        about = {
            "number": number,
            "head": {"ref": "feature", "sha": head, "repo": {"full_name": repo}},
            "base": {"ref": "main", "sha": base},
        }
        return self.deliver(pull_payload("acme/shop", about, action), "pull_request")

    def stored(self, name: str) -> Any:
        return json.loads(self.world.blobs.texts(names.RUNS)[name])

    def ignored(self) -> list[str]:
        return [json.loads(data)["reason"] for data in self.world.blobs.texts(names.RUNS, "ignored/").values()]

    def failed(self) -> list[str]:
        return [json.loads(d)["error"] for name, d in self.world.blobs.texts(names.RUNS).items() if name.endswith("/failed.json")]


def apps(site: Site) -> list[str]:
    return [names.app_of(run) for run in site.world.runs()]
