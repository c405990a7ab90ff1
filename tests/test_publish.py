"""Publishers through fakes: asked once a run is finished or failed, retried alone, recorded, and Slack told last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from fakes import Fuse, World

from shared.domain.errors import AksCopilotError, CriticalError, TransientError, ValidationError
from shared.pipeline import names, publish, status
from shared.pipeline.context import Context

APP = {"shop/deploy.yaml": "image: BAD\n"}


@dataclass
class Outside:
    """A publisher that keeps one entry per run, as a pull request or a message is, and fails as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    seen: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, ctx: Context, run: str) -> Mapping[str, str] | None:
        if self.failures:
            raise self.failures.pop(0)
        shown = status.run_status(ctx, run)
        assert shown is not None
        self.seen.append(shown)
        self.entries[run] = str(shown["state"])
        return {"url": f"https://example.com/{run}"}


def ran(pull: Outside, slack: Outside, **world: object) -> tuple[World, str]:
    made = World(publishers={"pull-request": pull, "slack": slack}, **world)  # type: ignore[arg-type]
    made.put(APP)
    made.drain()
    (run,) = made.runs()
    return made, run


def test_every_publisher_tells_of_a_finished_run_and_slack_hears_what_the_others_did() -> None:
    pull, slack = Outside(), Outside()

    world, run = ran(pull, slack)

    assert pull.entries == {run: "done"}
    assert slack.seen[-1]["published"]["pull-request"] == {"url": f"https://example.com/{run}"}  # type: ignore[index]
    shown = status.run_status(world.context, run)
    assert shown is not None
    assert sorted(shown["published"]) == ["pull-request", "slack"]


@pytest.mark.parametrize("error", [ValidationError("no such repository"), CriticalError("the token is refused")])
def test_a_publisher_that_cannot_is_recorded_and_the_run_stays_done(error: AksCopilotError) -> None:
    pull, slack = Outside([error] * 10), Outside()

    world, run = ran(pull, slack)

    shown = status.run_status(world.context, run)
    assert shown is not None
    assert (shown["state"], shown["published"]["pull-request"]["error"]) == ("done", str(error))
    assert slack.seen[-1]["published"]["pull-request"]["error"] == str(error)  # type: ignore[index]
    assert not world.errors


def test_an_outage_of_an_hour_is_waited_for_and_nothing_is_doubled() -> None:
    pull, slack = Outside([TransientError("503")] * 8), Outside([TransientError("429", 5)])

    world, run = ran(pull, slack)

    assert pull.entries == {run: "done"}
    assert slack.seen[-1]["published"]["pull-request"] == {"url": f"https://example.com/{run}"}  # type: ignore[index]
    assert not world.errors


def test_a_bug_in_a_publisher_goes_to_poison_and_is_recorded() -> None:
    pull, slack = Outside([KeyError("password=hunter2")] * 20), Outside()

    world, run = ran(pull, slack)

    shown = status.run_status(world.context, run)
    assert shown is not None
    assert shown["state"] == "done"
    assert shown["published"]["pull-request"]["error"] == "the stage failed on every try"
    assert all(b"hunter2" not in data for data in world.blobs.texts(names.RUNS).values())


def test_a_failed_run_is_told_too() -> None:
    slack = Outside()
    world = World(publishers={"slack": slack})
    world.put(APP)
    world.queue.waiting[0].text = world.queue.waiting[0].text.replace("quiet-check", "upload").replace("shop/deploy.yaml", "shop/.ready")
    world.services.deliver("intake", world.queue.waiting.pop().text)
    batch = json.loads(world.queue.waiting.pop().text)
    world.services.poisoned("inspections", json.dumps(batch))
    world.drain()

    assert list(slack.entries.values()) == ["failed"]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_loses_no_announcement(after: bool) -> None:
    counted = World(publishers={"pull-request": Outside(), "slack": Outside()})
    counted.put(APP)
    counted.drain()
    for at in range(1, counted.fuse.count + 1):
        pull, slack = Outside(), Outside()
        world, run = ran(pull, slack, fuse=Fuse(at, after))
        assert world.crashes == 1
        assert (pull.entries, slack.entries) == ({run: "done"}, {run: "done"}), f"crash at {at}"
        assert publish.recall(world.context, run, "slack") == {"url": f"https://example.com/{run}"}


def test_a_publisher_that_is_not_set_up_any_more_is_left_out() -> None:
    world = World(publishers={"pull-request": Outside()})
    world.put(APP)
    world.drain()
    (run,) = world.runs()
    publish._post(world.context, run, "x", {"publisher": "slack"})

    world.drain()

    assert not world.errors
