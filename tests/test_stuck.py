"""Runs that stand still: which they are, and that people are told once (log, metric, Slack)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fakes import World
from telemetry_support import observed
from test_slack import Channel

from shared import telemetry
from shared.pipeline import names, publish, upkeep
from shared.pipeline.context import Limits
from shared.pipeline.slack import SlackPublisher

APP = {"shop/a.yaml": "BAD\n", "shop/b.yaml": "x" * 3000 + "\n"}


def halted(chat: Channel | None = None) -> tuple[World, str]:
    """A run whose messages to the Patcher are gone."""
    told = SlackPublisher(chat or Channel())
    world = World(limits=Limits(batch_bytes=3000, sweep_after=60), publishers={publish.SLACK: told})
    world.context = replace(world.context, alarm=told.lost)
    world.services = replace(world.services, context=world.context)
    world.put(APP)
    while any(m.queue != names.PATCHES for m in world.queue.waiting):
        world.queue.now = max(world.queue.now, min(m.due for m in world.queue.waiting if m.queue != names.PATCHES))
        message = next(m for m in world.queue.waiting if m.queue != names.PATCHES and m.due <= world.queue.now)
        world.queue.waiting.remove(message)
        world._deliver(message)
    world.queue.waiting.clear()
    (run,) = (name.removeprefix("open/") for name in world.blobs.texts(names.RUNS, "open/"))
    return world, run


def sweep_after(world: World, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        world.queue.now += seconds
        world.services.sweep()
        world.drain()


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [line for line in (json.loads(r.getMessage()) for r in caplog.records) if line["message"] == "run is stuck"]


def test_a_run_that_stands_still_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    chat = Channel()
    world, run = halted(chat)
    with observed() as seen:
        sweep_after(world, 1200)
        assert (lines(caplog), chat.posts) == ([], 0)
        sweep_after(world, 700, times=3)

    (line,) = lines(caplog)
    assert (line["runId"], line["level"]) == (run, "error")
    assert 1900 <= line["seconds"] < 1920
    assert line["traceId"] == telemetry.trace_id(json.loads(world.blobs.texts(names.RUNS)[names.started(run)])["traceparent"])
    assert seen.total(telemetry.STUCK) == 1
    (said,) = chat.said()
    assert f"the run {run} stands still" in said
    assert chat.posts == 1


def test_a_run_whose_tries_are_recorded_is_not_stuck(caplog: pytest.LogCaptureFixture) -> None:
    world, run = halted()
    for attempt in range(8):
        world.queue.now += 900
        world.blobs.write(names.RUNS, names.error(run, "thinker", 0, attempt), b"{}")
        world.services.sweep()
    assert lines(caplog) == []


def test_a_replay_ends_it_and_would_be_told_again(caplog: pytest.LogCaptureFixture) -> None:
    chat = Channel()
    world, run = halted(chat)
    sweep_after(world, 2000)
    upkeep.replay(world.context, run)
    world.queue.waiting.clear()  # lost again
    sweep_after(world, 2000)
    assert (len(lines(caplog)), chat.posts) == (2, 2)
    upkeep.replay(world.context, run)
    world.drain()
    sweep_after(world, 2000)
    assert world.runs() == [run]
    assert len(lines(caplog)) == 2


def test_a_finished_run_is_never_stuck(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.put(APP)
    world.drain()
    sweep_after(world, 5000)
    assert len(world.runs()) == 1
    assert lines(caplog) == []
