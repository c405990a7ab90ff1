"""From `git push` to what people see, with nothing faked but what the emulator lacks: webhook, run, branch, pull request, check run, Slack.

Whatever is repeated, late, forged or failing: nothing is lost, nothing is there twice, and no secret is anywhere.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulate_support import APP_ID, APP_OWNER, SECRET, TOKEN, Emulate, Repository, deliver, pull_payload, push_payload
from funchost_harness import Served
from gateway import Reply
from test_check_run import Adding
from test_github_host import NONE, SHOP, origin, repository_of, settled, wait_for, webhook
from test_pipeline_host import azurite, context, done, result_of, serve, wait_until  # noqa: F401 - fixtures
from test_slack_adapter import channel
from test_suggestions_github import Reviewer

from funchost.azurite import Azurite
from shared.pipeline import names
from shared.pipeline.context import Context

APP = "shop"
BRANCH = f"aks-copilot/{APP}"
SETTINGS = "repository:\n  source: k3s\n  applications: [{path: deploy/shop}]\n"
REPORTS = "https://copilot.example/{runId}"
PASSWORD = "correct-horse-battery-staple"
"""Of the Secret in samples/k3s-shop."""
CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c%d}
spec:
  storageClassName: local-path
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""


def shop(**more: str | bytes) -> dict[str, bytes | str]:
    return {f"deploy/shop/{path}": data for path, data in (SHOP | more).items()}


class Site:
    """The function app with everything that it tells people of, a repository, and what they see."""

    def __init__(self, emulate: Emulate, context: Context, host: Served, owner: str) -> None:  # noqa: F811
        self.emulate, self.context, self.host = emulate, context, host
        self.repository: Repository = repository_of(emulate, host, {".aks-copilot.yaml": SETTINGS}, owner=owner)
        self.added = Adding(emulate)
        self.reviewer = Reviewer(emulate, self.repository)
        self.runs: list[str] = []

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
        """The one pull request of the program."""
        (mine,) = [pull for pull in self.repository.pulls() if pull["head"]["ref"] == BRANCH]
        return mine

    def check(self, commit: str) -> dict[str, Any]:
        (found,) = self.repository.checks(commit)
        return found

    def messages(self) -> list[dict[str, Any]]:
        """What is in the channel of Slack about runs of this site, in order."""
        ask = {"channel": channel(self.emulate), "limit": 200}
        found = self.emulate.call("POST", "/api/conversations.history", ask, service="slack")["messages"]
        return [m for m in reversed(found) if m.get("metadata", {}).get("event_payload", {}).get("key") in self.runs]

    def is_the_result_of(self, run: str) -> None:
        """The program's branch holds what the run made, and everything else as `main` has it."""
        made, _ = result_of(self.context, run)
        assert self.files(BRANCH) == self.files("main") | {f"deploy/shop/{p}": d for p, d in made.items()}

    def files(self, branch: str) -> dict[str, bytes]:
        return self.repository.files(self.repository.head(branch))

    def everywhere(self) -> dict[str, str]:
        """Every text that the program left anywhere, but what it said to prove who it is."""
        texts = {"log": self.host.text()}
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
def site(emulate: Emulate, azurite: Azurite, context: Context, folder: Path, *, app: bool, **settings: str) -> Iterator[Site]:  # noqa: F811
    """As a GitHub App, or with a token."""
    github = {"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": emulate.app_key} if app else {"GITHUB_TOKEN": TOKEN}
    slack = {"SLACK": "bot", "SLACK_CHANNEL": channel(emulate), "SLACK_API_URL": f"{emulate.slack.url}/api/", "SLACK_BOT_TOKEN": TOKEN}
    common = {"GITHUB_API_URL": emulate.github.url, "GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_PAUSE_SECONDS": "0", "REPORT_URL": REPORTS}
    with serve(azurite, folder, **github, **slack, **common, **settings) as host:
        yield Site(emulate, context, host, APP_OWNER if app else "admin")
        print(host.text()[-20_000:])  # shown where the test fails


def assert_nothing_secret(at: Site, *more: str) -> None:
    """Credentials are nowhere. A Secret's value is where the manifests themselves are, and never where somebody reads about them."""
    texts = at.everywhere()
    credentials = (TOKEN, SECRET, *more)
    tokens = re.compile(r"gh[sp]_[A-Za-z0-9_-]{20}|eyJ[\w-]{20,}\.[\w-]{20,}\.")
    assert [place for place, text in texts.items() if any(c in text for c in credentials) or tokens.search(text)] == []
    manifests = re.compile(r"(cache/git|patched|runs/[^/]+/(batches|outcomes|claims))/|(POST|GET) \S*/git/(trees|blobs)")
    assert [place for place, text in texts.items() if PASSWORD in text and not manifests.match(place)] == []


def test_a_team_moves_its_application(emulate: Emulate, azurite: Azurite, context: Context, tmp_path: Path) -> None:  # noqa: F811
    with site(emulate, azurite, context, tmp_path, app=True, MAX_FILE_BYTES="100000") as at:
        first = the_first_push(at)
        the_second_push(at)
        what_is_delivered_again(at, first)
        a_closed_pull_request(at)
        a_deleted_branch_a_force_push_and_a_file_over_the_limit(at)
        a_pull_request_of_the_team(at)
        assert_nothing_secret(at, emulate.app_key[40:80])


def the_first_push(at: Site) -> str:
    run = at.push(shop())

    commit = at.repository.head()
    assert set(at.published(run)) == {"pull-request", "check", "sarif", "suggestions", "slack"}
    assert [name for name, told in at.published(run).items() if "error" in told] == []
    pull, check = at.pull(), at.check(commit)
    assert (pull["state"], pull["base"]["ref"], pull["title"]) == ("open", "main", f"Move {APP} to AKS")
    assert "- [ ] " in pull["body"]
    assert REPORTS.replace("{runId}", run) in pull["body"]
    at.is_the_result_of(run)
    assert (check["status"], check["external_id"], check["details_url"]) == ("completed", run, REPORTS.replace("{runId}", run))
    assert at.added.sent
    (message,) = at.messages()
    said = json.dumps(message["blocks"])
    assert [link in said for link in (pull["html_url"], REPORTS.replace("{runId}", run))] == [True, True]
    return run


def the_second_push(at: Site) -> None:
    number, before = at.pull()["number"], at.repository.head(BRANCH)
    run = at.push({"deploy/shop/claim.yaml": CLAIM % 1})

    assert at.pull()["number"] == number
    assert at.repository.head(BRANCH) != before
    at.is_the_result_of(run)
    assert at.check(at.repository.head())["external_id"] == run
    assert [m["metadata"]["event_payload"]["key"] for m in at.messages()] == at.runs


def what_is_delivered_again(at: Site, first: str) -> None:
    """The same delivery, an old one under a new id, a forged one, deletions, and pushes of the program itself."""
    url, branch, said = webhook(at.host), at.repository.head(BRANCH), [m["ts"] for m in at.messages()]
    commit = origin(at.context, first)["commit"]
    old = push_payload(at.repository.name, origin(at.context, first)["before"], commit, installation={"id": 77})

    assert deliver(url, "push", old, delivery="d-1")[0] == 202
    assert json.loads(deliver(url, "push", old, delivery="d-1")[1]) == {"status": "duplicate"}
    assert deliver(url, "push", old, delivery="d-2")[0] == 202
    assert deliver(url, "push", old, secret="guessed")[0] == 401
    assert deliver(url, "push", old, X_Hub_Signature_256="sha1=0")[0] == 401
    assert deliver(url, "push", push_payload(at.repository.name, commit, NONE, installation={"id": 77}))[0] == 202
    own = push_payload(at.repository.name, NONE, branch, BRANCH, installation={"id": 77})
    assert json.loads(deliver(url, "push", own)[1])["reason"] == "a branch of aks-copilot's own"
    mine = pull_payload(at.repository.name, at.pull(), "reopened", installation={"id": 77})
    assert json.loads(deliver(url, "pull_request", mine)[1])["reason"] == "a pull request of aks-copilot's own"
    at.quiet()

    assert sorted(done(at.context)) == sorted(at.runs)
    assert (at.repository.head(BRANCH), [m["ts"] for m in at.messages()]) == (branch, said)
    assert len(at.repository.checks(commit)) == 1


def a_closed_pull_request(at: Site) -> None:
    """Another result than the one that was turned down is offered again."""
    at.repository.call("PATCH", f"/pulls/{at.pull()['number']}", {"state": "closed"})
    run = at.push({"deploy/shop/claim.yaml": CLAIM % 2})

    assert [pull["head"]["ref"] for pull in at.repository.pulls("open")] == [BRANCH]
    at.is_the_result_of(run)


def a_deleted_branch_a_force_push_and_a_file_over_the_limit(at: Site) -> None:
    at.repository.call("DELETE", f"/git/refs/heads/{BRANCH}")
    base = at.repository.call("GET", f"/git/commits/{at.repository.head()}")["parents"][0]["sha"]
    run = at.push({"deploy/shop/big.yaml": "# " + "x" * 200_000 + "\n" + CLAIM % 4}, force_onto=base)

    big = next(f for f in result_of(at.context, run)[1]["files"] if f["path"] == "big.yaml")
    assert (big["status"], "100000" in str(big["reason"])) == ("refused", True)
    before, after = at.files("main"), at.files(BRANCH)
    assert after["deploy/shop/big.yaml"] == before["deploy/shop/big.yaml"]
    assert (b"local-path" in before["deploy/shop/claim.yaml"], b"local-path" in after["deploy/shop/claim.yaml"]) == (True, False)
    assert [pull["head"]["ref"] for pull in at.repository.pulls("open")] == [BRANCH]


def a_pull_request_of_the_team(at: Site) -> None:
    theirs = {"deploy/shop/theirs.yaml": CLAIM % 5}
    head = at.repository.push(theirs, branch="feature")
    at.repository.open_pull("feature")
    run = at.next()

    assert origin(at.context, run)["pullRequest"]
    assert at.published(run)["pull-request"] == {}
    assert at.check(head)["status"] == "completed"
    (one,) = at.reviewer.comments
    assert (one["path"], one["line"]) == ("deploy/shop/theirs.yaml", 5)
    assert "storageClassName: managed-csi\n```" in one["body"]


def test_what_fails_in_the_middle_is_made_up_for_and_nothing_is_there_twice(
    emulate: Emulate,
    azurite: Azurite,  # noqa: F811
    context: Context,  # noqa: F811
    tmp_path: Path,
) -> None:
    with site(emulate, azurite, context, tmp_path, app=False) as at:
        limited = Reply(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "1"})
        emulate.github.answer("GET", "/git/trees/", limited, times=1)
        emulate.github.answer("GET", "/git/blobs/", Reply(drop=True), times=1)
        emulate.github.answer("POST", "/pulls$", Reply(lost=True, drop=True), times=1)  # it is opened, and nobody hears of it
        emulate.github.fail("GET", "/check-runs", 429, Retry_After="1")
        emulate.slack.answer("POST", "/api/chat.postMessage", Reply(lost=True, drop=True), times=1)

        run = at.push(shop() | {f"deploy/shop/{n:03d}.yaml": f"a: {n}\n" for n in range(301)})

        at.is_the_result_of(run)
        assert len(result_of(context, run)[0]) > 301
        assert [name for name, told in at.published(run).items() if "error" in told] == []
        assert [pull["state"] for pull in at.repository.pulls()] == ["open"]
        check = at.check(at.repository.head())
        assert (check["status"], len(at.added.sent)) == ("completed", len(set(map(str, at.added.sent))))
        (message,) = at.messages()
        assert at.pull()["html_url"] in json.dumps(message["blocks"])
        assert_nothing_secret(at)
