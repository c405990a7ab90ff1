"""A team's site for the tests of GitHub end to end: the function app with all that it tells people of, a repository, what they see."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulate_support import APP_ID, APP_OWNER, SECRET, TOKEN, Emulate, Repository
from funchost_harness import Served
from review_support import Reviewer
from slack_support import history, slack_bot
from test_check_run import Adding
from test_github_host import github, repository_of, settled, wait_for
from test_pipeline_host import result_of, serve, wait_until

from funchost.azurite import Azurite
from shared.pipeline import names
from shared.pipeline.context import Context

APP = "shop"
BRANCH = f"aks-copilot/{APP}"
SETTINGS = "repository:\n  source: k3s\n  applications: [{path: deploy/shop}]\n"
REPORTS = "https://copilot.example/{runId}"
PASSWORD = "correct-horse-battery-staple"
"""Of the Secret in samples/k3s-shop."""


class Site:
    """The function app with everything that it tells people of, a repository, and what they see."""

    def __init__(self, emulate: Emulate, context: Context, host: Served, owner: str) -> None:
        self.emulate, self.context, self.host = emulate, context, host
        self.repository: Repository = repository_of(emulate, host, {".aks-copilot.yaml": SETTINGS}, owner=owner)
        self.added = Adding(emulate)
        self.reviewer = Reviewer(emulate, self.repository)
        self.runs: list[str] = []
        self.asked: dict[str, str] = {}

    def push(self, files: dict[str, Any], **how: Any) -> str:
        """A push that becomes a run, told to its end; the run."""
        self.repository.push(files, **how)
        return self.next()

    def next(self) -> str:
        """The run that is new."""
        (run,) = set(wait_for(self.context, len(self.runs) + 1)) - set(self.runs)
        self.runs.append(run)
        self.quiet()
        return run

    def quiet(self) -> None:
        wait_until(lambda: settled(self.context), "no message is left", 90)

    def published(self, run: str) -> dict[str, dict[str, Any]]:
        """What each publisher remembers of a run."""
        prefix = f"{run}/published/"
        blobs = [blob.name for blob in self.context.blobs.list(names.RUNS, prefix)]
        return {name.removeprefix(prefix).removesuffix(".json"): json.loads(self._text(names.RUNS, name)) for name in blobs}

    def pull(self) -> dict[str, Any]:
        """The one open pull request of the program."""
        (mine,) = [pull for pull in self.repository.pulls("open") if pull["head"]["ref"] == BRANCH]
        return mine

    def check(self, commit: str) -> dict[str, Any]:
        (found,) = self.repository.checks(commit)
        return found

    def messages(self) -> list[dict[str, Any]]:
        """What is in the channel of Slack about runs of this site, in order."""
        return history(self.emulate, *self.runs)

    def is_the_result_of(self, run: str) -> None:
        """The program's branch holds what the run made, and everything else as `main` has it."""
        made, _ = result_of(self.context, run)
        assert self.files(BRANCH) == self.files("main") | {f"deploy/shop/{p}": d for p, d in made.items()}

    def files(self, branch: str) -> dict[str, bytes]:
        return self.repository.files(self.repository.head(branch))

    def everywhere(self) -> dict[str, str]:
        """Every text that the program left anywhere, but what it said to prove who it is."""
        texts = {"log": self.host.text()} | self.asked
        for container in names.CONTAINERS:
            for blob in self.context.blobs.list(container, ""):
                texts[f"{container}/{blob.name}"] = self._text(container, blob.name)
        queues = self.context.queue._queues  # type: ignore[attr-defined]
        for queue in names.QUEUES:
            texts[f"queue {queue}"] = "\n".join(m.content for m in queues.get_queue_client(queue).peek_messages(max_messages=32))
        for service in (self.emulate.github, self.emulate.slack):
            for number, seen in enumerate(service.seen):
                headers = {name: value for name, value in seen.headers.items() if name != "authorization"}
                texts[f"{seen.method} {seen.path} {number}"] = f"{seen.path} {headers} {seen.body.decode('utf-8', 'replace')}"
        return texts

    def _text(self, container: str, name: str) -> str:
        found = self.context.blobs.read(container, name, max_bytes=10**8)
        return (found[0] if found else b"").decode("utf-8", "replace")


@contextlib.contextmanager
def site(emulate: Emulate, azurite: Azurite, context: Context, folder: Path, *, app: bool, **settings: str) -> Iterator[Site]:
    """As a GitHub App, or with a token."""
    login = {"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": emulate.app_key} if app else {"GITHUB_TOKEN": TOKEN}
    with serve(azurite, folder, **github(emulate), **login, **slack_bot(emulate), REPORT_URL=REPORTS, **settings) as host:
        yield Site(emulate, context, host, APP_OWNER if app else "admin")
        print(host.text()[-20_000:])  # shown where the test fails


def assert_nothing_secret(at: Site, *more: str) -> None:
    """Credentials are nowhere. A Secret's value is where the manifests themselves are, and never where somebody reads about them."""
    texts = at.everywhere()
    credentials = (TOKEN, SECRET, *more)
    tokens = re.compile(r"gh[sp]_[A-Za-z0-9_-]{20}|eyJ[\w-]{20,}\.[\w-]{20,}\.")
    assert [place for place, text in texts.items() if any(c in text for c in credentials) or tokens.search(text)] == []
    manifests = re.compile(r"(cache/git|patched|runs/[^/]+/(batches|outcomes|claims))/|(POST|GET) \S*/git/(trees|blobs)")
    holding = [place for place, text in texts.items() if PASSWORD in text]
    assert any(place.startswith(names.PATCHED) for place in holding), "the search finds what is there"
    assert [place for place in holding if not manifests.match(place)] == []
