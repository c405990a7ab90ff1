"""Bad days: each error is recorded, none leaves a run stuck, and a poisoned run can be replayed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from fakes import World, report_of
from toy import TOY

from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.run import RunSetup, SourceFile
from shared.pipeline import names, status, upkeep


def raising(error: Exception, times: int, then: Callable[..., object], path: str = "a.yaml") -> Callable[..., object]:
    """A domain step that raises at a path `times` times, then works."""
    left = [times]

    def step(file: SourceFile, *rest: object) -> object:
        if file.path == path and left[0] > 0:
            left[0] -= 1
            raise error
        return then(file, *rest)

    return step


@pytest.mark.parametrize("step", ["inspect", "propose", "patch"])
def test_a_bug_on_one_file_fails_that_file_only(step: str) -> None:
    engine = dataclasses.replace(TOY, **{step: raising(KeyError("password: hunter2"), 99, getattr(TOY, step))})
    world = World(engine=engine)
    world.put({"shop/a.yaml": "BAD\n", "shop/b.yaml": "BAD\n"})
    world.drain()

    report = report_of(world)
    assert report["b.yaml"] == ("patched", None)
    assert report["a.yaml"][0] == "failed"
    assert "internal error: KeyError at " in str(report["a.yaml"][1])
    assert b"hunter2" not in b"".join(data for data, _, _ in world.blobs.content.values())
    assert world.blobs.texts(names.PATCHED)[f"{world.runs()[0]}/a.yaml"] == b"BAD\n"


def test_a_refusal_keeps_its_own_words() -> None:
    world = World(engine=dataclasses.replace(TOY, inspect=raising(ValidationError("line 3: a tab"), 9, TOY.inspect)))
    world.put({"shop/a.yaml": "x\n"})
    world.drain()

    assert report_of(world)["a.yaml"] == ("failed", "inspector: line 3: a tab")


def test_a_transient_error_is_recorded_and_retried_by_the_host() -> None:
    world = World(engine=dataclasses.replace(TOY, propose=raising(TransientError("busy"), 2, TOY.propose)))
    world.put({"shop/a.yaml": "BAD\n"})
    world.drain()

    (run,) = world.runs()
    assert world.errors == ["violations: busy", "violations: busy"]
    shown = status.run_status(world.context, run)
    assert [(e["stage"], e["attempt"], e["class"]) for e in shown["errors"]] == [
        ("thinker", 1, "TransientError"),
        ("thinker", 2, "TransientError"),
    ]
    assert shown["state"] == "done"


def test_a_known_wait_re_sends_the_message_and_poisons_nothing() -> None:
    world = World(engine=dataclasses.replace(TOY, propose=raising(TransientError("throttled", retry_after=300), 20, TOY.propose)))
    world.put({"shop/a.yaml": "BAD\n"})
    before = world.queue.now
    world.drain()

    assert world.errors == []
    assert report_of(world)["a.yaml"] == ("patched", None)
    assert world.queue.now - before >= 20 * 300


def test_an_outage_beyond_its_deadline_poisons_and_replay_finishes() -> None:
    engine = dataclasses.replace(TOY, propose=raising(TransientError("throttled", retry_after=7 * 3600), 5, TOY.propose))
    world = World(engine=engine)
    world.put({"shop/a.yaml": "BAD\n"})
    world.drain()
    (listed,) = status.list_runs(world.context)
    assert listed["state"] == "failed"
    assert world.runs() == []

    upkeep.replay(world.context, listed["runId"])
    world.drain()
    assert status.run_status(world.context, listed["runId"])["state"] == "done"
    assert report_of(world)["a.yaml"] == ("patched", None)


@pytest.mark.parametrize("kind", ["plan", "finish", "render"])
def test_a_bug_for_the_whole_run_poisons_it_and_says_where(kind: str) -> None:
    def broken(*_: object) -> RunSetup:
        raise ZeroDivisionError

    world = World(engine=dataclasses.replace(TOY, **{kind: broken}))
    world.put({"shop/a.yaml": "BAD\n"})
    world.drain()

    (listed,) = status.list_runs(world.context)
    shown = status.run_status(world.context, listed["runId"])
    assert shown["state"] == "failed"
    assert "internal error: ZeroDivisionError at test_pipeline_errors.py" in shown["errors"][0]["error"]
    assert len(world.errors) == 5


def test_a_critical_error_goes_to_the_poison_queue_at_once() -> None:
    world = World(engine=dataclasses.replace(TOY, finish=lambda *_: (_ for _ in ()).throw(CriticalError("rule book broken"))))
    world.put({"shop/a.yaml": "BAD\n"})
    sent = []
    world.services.context.queue.send = _recording(world, sent)
    world.drain()

    (poison,) = [json.loads(text) for queue, text in sent if queue == "reports-poison"]
    assert poison["error"] == "rule book broken"
    assert poison["envelope"]["type"] == "report"
    assert status.list_runs(world.context)[0]["state"] == "failed"
    assert world.errors == []


def _recording(world: World, sent: list[tuple[str, str]]) -> Callable[..., None]:
    def send(queue: str, text: str, *, visibility_delay: float = 0) -> None:
        sent.append((queue, text))
        world.queue.send(queue, text, visibility_delay=visibility_delay)

    return send


GARBAGE = ["", "{", "[]", "null", "\u20ac" * 60_000, '{"schemaVersion":2}', '{"id":"x"}', "[" * 50_000, json.dumps({"type": "inspect"})]


@pytest.mark.parametrize("queue", names.WORK_QUEUES)
@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_kept_and_never_raises(queue: str, text: str) -> None:
    world = World()
    world.services.deliver(queue, text)
    world.drain()

    (record,) = world.blobs.texts(names.RUNS, "lost/").values()
    assert json.loads(record)["error"].startswith("unusable message: ")
    assert world.errors == []


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_poison_handlers_never_raise(text: str) -> None:
    world = World()
    world.services.poisoned("intake", text)
    world.context.blobs.write = None  # storage is gone altogether
    world.services.poisoned("intake", text)

    assert len(world.blobs.texts(names.RUNS, "lost/")) == 1


def test_a_message_for_a_run_that_was_never_frozen_is_critical() -> None:
    world = World()
    trace = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    message = {
        "schemaVersion": 1,
        "type": "inspect",
        "runId": "shop-0123456789ab",
        "attempt": 1,
        "dedupKey": "x",
        "traceparent": trace,
        "payload": {"batch": 0},
    }
    world.services.deliver(names.INSPECTIONS, json.dumps(message))
    world.drain()

    assert status.run_status(world.context, "shop-0123456789ab")["state"] == "failed"
    with pytest.raises(ValidationError, match="never frozen"):
        upkeep.replay(world.context, "shop-0123456789ab")


def test_the_sweep_finishes_a_run_whose_last_message_was_lost() -> None:
    world = World()
    world.put({"shop/a.yaml": "BAD\n", "shop/b.yaml": "x" * 3000})
    while any(m.queue != names.OUTCOMES for m in world.queue.waiting):
        message = next(m for m in world.queue.waiting if m.queue != names.OUTCOMES)
        world.queue.waiting.remove(message)
        world._deliver(message)
    assert len(world.queue.waiting) == 2
    world.queue.waiting.clear()
    world.services.sweep()

    assert report_of(world)["a.yaml"] == ("patched", None)
    assert not world.blobs.texts(names.RUNS, "open/")


def test_the_sweep_gives_up_a_run_that_lost_a_message_in_the_middle() -> None:
    world = World(limits=dataclasses.replace(World().limits, abandon_after=-1))
    world.put({"shop/.ready": "", "shop/a.yaml": "BAD\n"})
    world._deliver(world.queue.waiting.pop(0))
    world.queue.waiting.clear()
    world.services.sweep()

    (listed,) = status.list_runs(world.context)
    assert listed["state"] == "failed"
    assert not world.blobs.texts(names.RUNS, "open/")


def test_the_sweep_costs_one_request_where_nothing_is_open() -> None:
    world = World()
    world.put({"shop/a.yaml": "x\n"})
    world.drain()
    calls = []
    listing = world.blobs.list
    world.context.blobs.list = lambda *a, **k: (calls.append(a), listing(*a, **k))[1]
    world.context.blobs.read = None
    world.services.sweep()

    assert calls == [(names.RUNS, "open/")]
