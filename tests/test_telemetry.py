"""The trace of a run, put together again from exported spans, and what is measured on the way, with fakes of our ports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from deploy_support import Merged
from fakes import World
from intake_support import Site
from telemetry_support import Observed, watched  # noqa: F401 - the fixture `seen`
from toy import TOY

from shared import telemetry
from shared.domain.errors import CriticalError, TransientError
from shared.domain.messages import decode
from shared.domain.run import PatchedFile, RunOptions
from shared.pipeline import deploy, names, submit, upkeep
from shared.pipeline.context import Context, Limits

APP = {"shop/a.yaml": "image: BAD\n", "shop/sub/big.yaml": "BAD\n" + "x" * 3500 + "\n", "shop/z.yaml": "fine\n"}
STAGES = ["process intake", "process inspections", "process violations", "process patches", "process reports"]


def ran(world: World) -> str:
    world.put(APP)
    world.drain()
    (run,) = world.runs()
    return run


def test_a_run_is_one_trace_from_the_upload_to_the_report(seen: Observed) -> None:
    run = ran(World())

    trace = seen.trace(run)
    (root,) = [s for s in trace if s.parent is None]
    assert root.name == "upload"
    batches = sorted(s.attributes["batch"] for s in seen.of("process patches", runId=run))
    assert len(batches) > 1
    for batch in batches:
        last = seen.the("process reports", runId=run, batch=batch)
        assert seen.path(last) == ["upload", *STAGES]
        assert [seen.parent(last).attributes["batch"], last.attributes["outcome"], last.attributes["attempt"]] == [batch, "done", 1]
    assert {s.attributes["app"] for s in trace if "runId" in s.attributes} == {"shop"}
    assert {s.attributes["runId"] for s in trace if "runId" in s.attributes} == {run}


def test_the_join_is_below_the_batch_that_was_last_and_names_all_that_it_joins(seen: Observed) -> None:
    run = ran(World())

    finish = seen.the("finish", runId=run)
    assert seen.path(finish) == ["upload", *STAGES, "finish"]
    patched = {s.context.span_id for s in seen.of("process patches", runId=run)}
    assert len(patched) == finish.attributes["batches"] > 1
    assert {link.context.span_id for link in finish.links} == patched
    assert {link.context.trace_id for link in finish.links} == {finish.context.trace_id}


def test_a_join_of_many_batches_names_the_first_of_them(seen: Observed) -> None:
    world = World()
    world.put({f"shop/{n:03d}.yaml": "BAD\n" + "x" * 2900 for n in range(40)} | {"shop/.ready": b""})
    world.drain()
    finish = seen.the("finish")
    assert (finish.attributes["batches"], len(finish.links)) == (40, telemetry.MAX_LINKS)


@pytest.mark.parametrize("seed", range(3))
def test_messages_that_come_twice_and_out_of_order_leave_a_tree(seen: Observed, seed: int) -> None:
    run = ran(World(copies=2, seed=seed))

    trace = seen.trace(run)
    assert len([s for s in trace if s.parent is None]) == 1
    assert all(seen.path(s)[0] == "upload" for s in trace)
    for stage, above in zip(STAGES[1:], STAGES, strict=False):
        pairs = [(seen.parent(s), s) for s in seen.of(stage, runId=run)]
        assert {parent.name for parent, _ in pairs} == {above}
        assert all(parent.attributes.get("batch", s.attributes["batch"]) == s.attributes["batch"] for parent, s in pairs)


def test_tries_of_a_message_are_siblings_with_their_outcomes(seen: Observed) -> None:
    waits = iter([None, 60.0])

    def faulty(*given: Any) -> PatchedFile:
        for wait in waits:
            raise TransientError("storage: no answer", wait)
        return TOY.patch(*given)

    world = World(engine=replace(TOY, patch=faulty))
    world.put({"shop/a.yaml": "BAD\n"})
    world.drain()

    tries = seen.of("process patches")
    outcomes = [(s.attributes["attempt"], s.attributes["outcome"], s.status.is_ok) for s in tries]
    assert outcomes == [(1, "retried", False), (2, "put-off", True), (2, "done", True)]
    assert len({s.parent.span_id for s in tries}) == 1
    assert tries[0].status.description == "storage: no answer"
    assert not any(s.events for s in tries)  # the exception itself, whose text might quote a manifest, is not recorded
    assert seen.path(seen.the("process reports"))[-2:] == ["process patches", "process reports"]


def test_payloads_in_blobs_are_on_the_same_trace(seen: Observed) -> None:
    world = World(limits=Limits(batch_bytes=200_000, sweep_after=0))
    world.put({f"shop/{n}.yaml": "BAD\n" * 60 for n in range(40)} | {"shop/.ready": b""})
    world.drain()

    assert any("/claims/" in name for name in world.blobs.texts(names.RUNS))
    assert seen.path(seen.the("process reports")) == ["upload", *STAGES]


def test_a_posted_run_goes_on_in_the_trace_of_its_caller(seen: Observed) -> None:
    world, caller = World(), f"00-{'a' * 32}-{'b' * 16}-00"
    run = submit.submit_files(world.context, {"a.yaml": "BAD\n"}, RunOptions("shop"), caller)
    world.drain()

    trace = seen.trace(run)
    assert {f"{s.context.trace_id:032x}" for s in trace} == {"a" * 32}
    (top,) = [s for s in trace if s.parent.span_id == int("b" * 16, 16)]
    assert (top.name, top.attributes["runId"]) == ("submit", run)
    assert len(trace) == 7  # all of them, though the caller did not sample


def test_a_second_upload_of_the_same_files_joins_the_trace_by_a_link(seen: Observed) -> None:
    world = World()
    for _ in range(2):
        submit.submit_files(world.context, {"a.yaml": "BAD\n"}, RunOptions("shop"))
    first, second = world.queue.waiting
    record = json.loads(next(data for name, data in world.blobs.texts(names.RUNS).items() if name.endswith("started.json")))
    world.queue.waiting.reverse()
    world.drain()

    (run,) = world.runs()
    assert telemetry.trace_id(record["traceparent"]) == telemetry.trace_id(decode(first.text).traceparent)
    joined = seen.the("joined", runId=run)
    assert f"{joined.context.trace_id:032x}" == telemetry.trace_id(record["traceparent"])
    assert f"{joined.links[0].context.trace_id:032x}" == telemetry.trace_id(decode(second.text).traceparent)
    assert seen.path(seen.the("finish")) == ["submit", "joined", *STAGES[1:], "finish"]


def test_a_replay_is_on_the_trace_of_its_run(seen: Observed) -> None:
    world = World()
    run = ran(world)
    upkeep.replay(world.context, run)
    world.drain()

    replay = seen.the("replay", runId=run)
    again = [s for s in seen.of("process inspections", runId=run) if seen.parent(s) is replay]
    assert replay.context.trace_id == seen.the("finish").context.trace_id
    assert len(again) == seen.the("finish").attributes["batches"]


def test_the_sweep_finishes_a_run_on_its_trace(seen: Observed) -> None:
    world = World()
    world.put({"shop/a.yaml": "BAD\n"})
    while all(m.queue != names.OUTCOMES for m in world.queue.waiting):
        world.queue.now = max(world.queue.now, world.queue.waiting[0].due)
        world._deliver(world.queue.waiting.pop(0))
    world.queue.waiting.clear()  # the last message is lost
    world.services.sweep()

    (run,) = world.runs()
    finish = seen.the("finish", runId=run)
    assert seen.parent(finish).name == "sweep"
    assert finish in seen.trace(run)


def test_a_push_and_what_outsiders_are_told_of_it_are_one_trace(seen: Observed) -> None:
    def told(ctx: Context, run: str) -> Mapping[str, Any]:
        return {"url": "https://github.com/acme/shop/pull/7"}

    def down(ctx: Context, run: str) -> Mapping[str, Any]:
        raise CriticalError("403: the token may not write")

    site = Site(publishers={"pull-request": told, "check": down, "slack": told})
    site.change({"deploy/app.yaml": "kind: BAD\n# now\n"})
    site.push()

    (run,) = site.world.runs()
    (root,) = [s for s in seen.trace(run) if s.parent is None]
    assert (root.name, root.attributes["event"]) == ("webhook", "push")
    assert {s.context.trace_id for s in seen.spans if (s.attributes or {}).get("runId") == run} == {root.context.trace_id}
    published = seen.the("process reports", publisher="pull-request")
    assert seen.path(published) == ["webhook", "process intake", *STAGES, "process reports"]
    assert all(seen.path(s)[0] == "webhook" for s in seen.of("process reports", publisher="slack"))
    assert seen.total(telemetry.UNPUBLISHED, publisher="check") >= 1


@pytest.mark.parametrize("merged", [True, False])
def test_a_deployment_is_on_the_trace_of_its_run(seen: Observed, merged: bool) -> None:
    site = Merged()
    if merged:
        site.merged()
    else:
        deploy.request(site.world.context, site.run, site.merge)
        site.world.drain()

    assert len(site.host.started) == 1
    begun = seen.the("joined" if merged else "deploy", runId=site.run)
    assert begun.context.trace_id == seen.the("finish").context.trace_id
    assert [link.context.trace_id for link in begun.links] == [s.context.trace_id for s in seen.of("webhook", event="pull_request")]
    below = seen.of("process reports", publisher="slack") + seen.of("process intake", runId=site.run)
    assert begun in [seen.parent(span) for span in below]


def test_what_is_given_up_is_on_the_trace_of_its_run_and_counted(seen: Observed) -> None:
    world = World(engine=replace(TOY, finish=lambda *_: 1 / 0))
    world.put({"shop/a.yaml": "BAD\n"})
    world.drain()

    tries = seen.of("process reports")
    assert [(s.attributes["attempt"], s.attributes["outcome"]) for s in tries] == [(n, "crashed") for n in range(1, 6)]
    poison = seen.the("process reports-poison")
    assert seen.parent(poison) is seen.parent(tries[0])
    assert tries[0].status.description.startswith("internal error: ZeroDivisionError at test_telemetry.py:")
    assert seen.total(telemetry.POISON, queue="reports") == 1
    assert seen.total(telemetry.RUNS, outcome="failed") == 1


class Broken:
    """A backend that always fails."""

    def __init__(self) -> None:
        self.asked = 0

    def start(self, *_: object) -> telemetry.Handle:
        self.asked += 1
        raise RuntimeError("no exporter")

    def measure(self, *_: object) -> None:
        self.asked += 1
        raise RuntimeError("no exporter")


def test_a_broken_backend_fails_no_stage_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    backend, world = Broken(), World()
    telemetry.install(backend)
    try:
        run = ran(world)
    finally:
        telemetry.install(None)
    assert world.report(run)["a.yaml"]["status"] == "patched"
    assert world.errors == []
    assert backend.asked > 20
    assert len([record for record in caplog.records if "telemetry is lost" in record.getMessage()]) == 1


def test_without_a_backend_every_line_and_message_of_a_run_has_one_trace(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    sent: list[str] = []
    keep = world.queue.send

    def send(queue: str, text: str, *, visibility_delay: float = 0) -> None:
        sent.append(text)
        keep(queue, text, visibility_delay=visibility_delay)

    world.queue.send = send
    caplog.set_level("INFO", "aks_copilot")
    run = ran(world)

    lines = [json.loads(record.getMessage()) for record in caplog.records]
    (trace,) = {telemetry.trace_id(decode(text).traceparent) for text in sent if decode(text).run_id}
    of_run = [line for line in lines if line.get("runId") == run]
    assert {line["traceId"] for line in of_run if line["stage"] != "intake"} == {trace}
    assert {line["traceId"] for line in of_run if line["message"] in ("run frozen", "run dispatched")} == {trace}
