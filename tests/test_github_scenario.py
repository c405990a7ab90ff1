"""From `git push` to what people see, with nothing faked but what the emulator lacks: webhook, run, branch, pull request, check run, Slack.

Whatever is repeated, late, forged or failing: nothing is lost, nothing is there twice, and no secret is anywhere.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from emulate_support import Emulate, deliver, pull_payload, push_payload
from gateway import Reply
from scenario_support import APP, BRANCH, REPORTS, Site, assert_nothing_secret, site
from test_github_host import NONE, SHOP, origin, webhook
from test_pipeline_host import azurite, context, done, result_of, serve, wait_until  # noqa: F401 - fixtures

from funchost.azurite import Azurite
from shared.pipeline.context import Context

CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c%d}
spec:
  storageClassName: local-path
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""


FILES = {f"deploy/shop/{path}": data for path, data in SHOP.items()}


def test_a_team_moves_its_application(emulate: Emulate, azurite: Azurite, context: Context, tmp_path: Path) -> None:  # noqa: F811
    told = {"pull-request", "check", "sarif", "suggestions", "slack"}
    with site(emulate, azurite, context, tmp_path, app=True, MAX_FILE_BYTES="100000") as at:
        first = the_first_push(at)
        the_second_push(at)
        what_is_delivered_again(at, first)
        a_closed_pull_request(at)
        a_deleted_branch_a_force_push_and_a_file_over_the_limit(at)
        a_pull_request_of_the_team(at)
        a_merge(at)
        everything_that_can_be_asked(at)
        assert [set(at.published(run)) for run in at.runs] == [told] * 6
        assert [(pull["head"]["ref"], pull["state"]) for pull in at.repository.pulls()] == [("feature", "open"), (BRANCH, "closed")]
        assert_nothing_secret(at, emulate.app_key[40:80])


def the_first_push(at: Site) -> str:
    run = at.push(FILES)

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

    assert at.pull()["base"]["ref"] == "main"
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
    assert at.pull()["base"]["ref"] == "main"


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

    pull = at.repository.call("GET", f"/pulls/{origin(at.context, run)['pullRequest']}")
    assert deliver(webhook(at.host), "pull_request", pull_payload(at.repository.name, pull, "reopened", installation={"id": 77}))[0] == 202
    at.quiet()
    assert (len(done(at.context)), len(at.reviewer.comments), at.check(head)["external_id"]) == (len(at.runs), 1, run)


def a_merge(at: Site) -> None:
    """What was merged is a push like any other, whose run finds nothing that is left to change."""
    before = at.repository.head()
    at.repository.call("PUT", f"/pulls/{at.pull()['number']}/merge", {})
    merged = at.repository.head()
    deliver(webhook(at.host), "push", push_payload(at.repository.name, before, merged, installation={"id": 77}))
    run = at.next()

    assert result_of(at.context, run)[1]["summary"]["fixed"] == 0
    assert [pull["head"]["ref"] for pull in at.repository.pulls("open")] == ["feature"]
    assert at.repository.head() == merged


def everything_that_can_be_asked(at: Site) -> None:
    """The pages and answers of the HTTP API become part of what is searched for secrets."""
    for run in at.runs:
        for path in ("", "/report", "/report?format=html", "/report?format=diff", "/report?format=patch", "/report?format=cutover"):
            with urllib.request.urlopen(f"http://127.0.0.1:{at.host.port}/api/runs/{run}{path}", timeout=30) as answer:
                at.asked[f"api {run}{path}"] = answer.read().decode()


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

        run = at.push(FILES | {f"deploy/shop/{n:03d}.yaml": f"a: {n}\n" for n in range(301)})

        at.is_the_result_of(run)
        assert len(result_of(context, run)[0]) > 301
        assert [name for name, told in at.published(run).items() if "error" in told] == []
        assert [pull["state"] for pull in at.repository.pulls()] == ["open"]
        check = at.check(at.repository.head())
        assert (check["status"], len(at.added.sent)) == ("completed", len(set(map(str, at.added.sent))))
        (message,) = at.messages()
        assert at.pull()["html_url"] in json.dumps(message["blocks"])
        assert_nothing_secret(at)
