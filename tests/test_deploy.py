"""Deployments through fakes: a merge starts one, once, whatever repeats or crashes; what is told of it; what is refused."""

from __future__ import annotations

import pytest
from deploy_support import RUNS_URL, Merged, settings
from fakes import Fuse

from shared.domain import deployment
from shared.domain.errors import CriticalError, PausedError, TransientError, ValidationError
from shared.pipeline import deploy, names, state, status


def test_a_merge_starts_the_workflow_once_with_what_it_needs() -> None:
    site = Merged()

    site.merged("one")
    site.merged("one")
    site.merged("two")

    assert site.host.started == [
        (
            "aks-copilot-deploy.yml",
            "main",
            {"run": site.run, "app": "shop", "commit": site.merge, "namespace": "shop", "path": "deploy", "ref": "main"},
        )
    ]
    record = site.record()
    assert record is not None
    assert (record["state"], record["url"], record["commit"]) == ("dispatched", RUNS_URL, site.merge)
    assert f":rocket: The deployment of {site.merge[:7]} to namespace shop was started" in site.said()
    assert f"<{RUNS_URL}|Deployment>" in site.said()
    shown = status.run_status(site.world.context, site.run)
    assert shown is not None
    assert (shown["state"], shown["deployment"]["state"]) == ("done", "dispatched")


def test_an_event_is_sent_where_the_repository_wants_that() -> None:
    site = Merged("deploy: {by: dispatch, namespace: shop, path: deploy/aks}")

    site.merged()

    ((event, payload),) = site.host.events
    assert (event, payload["path"], payload["run"]) == ("aks-copilot-deploy", "deploy/aks", site.run)
    assert site.host.started == []


def test_a_gitops_tool_is_left_alone_and_that_is_told() -> None:
    site = Merged("deploy: {by: gitops}")

    site.merged()
    site.merged("again")

    assert (site.host.started, site.host.events) == ([], [])
    assert "the GitOps tool that watches the branch deploys it" in site.said()


@pytest.mark.parametrize("setting", ["results: pull-request", "deploy: {by: none}"])
def test_without_the_setting_a_merge_starts_and_says_nothing(setting: str) -> None:
    site = Merged(setting)
    before = site.chat.said()

    site.merged()

    assert (site.record(), site.host.started, site.chat.said()) == (None, [], before)


@pytest.mark.parametrize(
    "messages",
    [[], ["A person's change"], ["x\n\nAks-Copilot-Run: other-0123456789ab\n"], ["x\n\nAks-Copilot-Run: ../../done\n"]],
)
def test_a_merge_that_names_no_run_of_this_repository_starts_nothing(messages: list[str]) -> None:
    site = Merged()
    site.host.commits[5] = messages

    site.merged()

    assert site.host.started == []
    assert site.ignored() == ["merged, but none of its commits names a run of this repository"]


def test_a_run_of_another_repository_is_not_deployed() -> None:
    site = Merged()
    origin = state.load(site.world.context, names.origin(site.run))
    state.save(site.world.context, names.origin(site.run), origin | {"repository": "eve/shop"})

    site.merged()

    assert (site.host.started, site.record()) == ([], None)


def test_a_pull_request_that_was_turned_to_another_branch_deploys_nothing() -> None:
    site = Merged()

    site.merged(base={"ref": "playground", "sha": site.first})

    record = site.record()
    assert record is not None
    assert (record["state"], record["error"]) == (
        "refused",
        "the pull request was merged into playground; what is deployed comes from main",
    )
    assert site.host.started == []


def test_the_newest_of_our_commits_names_the_run() -> None:
    older = "x\n\nAks-Copilot-Run: shop-000000000000\n"
    assert deployment.run_named([older, "y\n\nAks-Copilot-Run: shop-111111111111\nSigned-off-by: x", "z"]) == "shop-111111111111"


@pytest.mark.parametrize("error", [TransientError("GitHub does not answer (ReadTimeout)"), TransientError("503", 7)])
def test_a_lost_answer_is_told_as_unknown_and_not_tried_again(error: TransientError) -> None:
    site = Merged()
    site.host.lost = [error]

    site.merged()
    site.merged("again")

    assert len(site.host.started) == 1
    record = site.record()
    assert record is not None
    assert record["state"] == "unknown"
    assert "is not known, and it is not tried again" in site.said()


def test_a_pause_that_github_asks_for_is_waited_for() -> None:
    site = Merged()
    site.host.failures = [PausedError("GitHub asks for a pause (403)", 60)] * 3

    site.merged()

    assert len(site.host.started) == 1
    record = site.record()
    assert record is not None
    assert record["state"] == "dispatched"


@pytest.mark.parametrize("error", [ValidationError("GitHub rejects the request (422, no such workflow)"), CriticalError("refused (403)")])
def test_what_github_rejects_is_told_and_may_be_asked_for_again(error: Exception) -> None:
    site = Merged()
    site.host.failures = [error]

    site.merged()

    record = site.record()
    assert record is not None
    assert (record["state"], record["error"]) == ("refused", str(error))
    assert ":warning: Not deployed: " in site.said()
    assert site.world.runs() == [site.run]
    shown = status.run_status(site.world.context, site.run)
    assert shown is not None
    assert (shown["state"], site.world.errors) == ("done", [])

    deploy.request(site.world.context, site.run, site.merge)
    site.world.drain()
    assert len(site.host.started) == 1


def test_settings_that_cannot_be_used_are_told_and_the_run_stays_done() -> None:
    site = Merged()
    site.merge = site.code.head = site.change({".aks-copilot.yaml": settings("deploy: {by: workflow}")})

    site.merged()

    record = site.record()
    assert record is not None
    assert record["state"] == "refused"
    assert record["error"].startswith(".aks-copilot.yaml:2: repository.deploy: ")
    assert "namespace is missing" in record["error"]
    assert site.failed() == []


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_starts_it_at_most_once_and_is_never_silent(after: bool) -> None:
    counted = Merged()
    before = counted.world.fuse.count
    counted.merged()
    for at in range(before + 1, counted.world.fuse.count + 1):
        site = Merged(fuse=Fuse(at, after))
        site.merged("one")
        site.merged("one")
        record = site.record()
        assert site.world.crashes == 1
        assert len(site.host.started) <= 1, f"crash at {at}"
        assert record is not None
        assert record["state"] == "dispatched" if site.host.started and record["state"] != "unknown" else record["state"] == "unknown"
        assert str(deployment.told(record))[:20] in site.said(), f"crash at {at}"


@pytest.mark.parametrize("seed", range(3))
def test_repeated_and_disordered_messages_start_it_once(seed: int) -> None:
    site = Merged(copies=2, seed=seed)

    site.merged("one")
    site.merged("two")

    assert len(site.host.started) == 1


def test_a_message_that_is_poisoned_in_the_end_leaves_the_run_done() -> None:
    site = Merged()
    site.host.failures = [KeyError("password=hunter2")] * 50

    site.merged()

    record = site.record()
    assert record is not None
    assert record["state"] in ("unknown", "refused")
    shown = status.run_status(site.world.context, site.run)
    assert shown is not None
    assert shown["state"] == "done"
    assert all(b"hunter2" not in data for data in site.world.blobs.texts(names.RUNS).values())
