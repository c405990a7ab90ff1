"""What is measured on the way of a run: the same as its report says, each thing once, and by few words."""

from __future__ import annotations

from collections import Counter

import pytest
from fakes import MemoryBlobs, World
from fakes import Message as Waiting
from telemetry_support import Observed, watched  # noqa: F401 - the fixture `seen`
from test_model_pipeline import Replies
from test_telemetry import ran

from shared import telemetry
from shared.domain.language_model import BudgetSpent, Message
from shared.model_settings import ModelSettings, Prices, TokenLimits
from shared.pipeline import names
from shared.pipeline.context import Limits
from shared.pipeline.model_access import ModelAccess
from shared.services import build_engine


def test_an_unreadable_message_is_counted_without_a_run(seen: Observed) -> None:
    world = World()
    world.services.deliver(names.PATCHES, "{")
    world.drain()
    assert seen.total(telemetry.POISON, queue="patches") == 1
    assert seen.the("process patches-poison").parent is None


def test_measurements_of_a_run_say_what_its_report_says(seen: Observed) -> None:
    world = World(copies=2, seed=1)
    run = ran(world)

    report = world.report(run)
    statuses = Counter(entry["status"] for entry in report.values())
    assert {status: seen.total(telemetry.FILES, status=status) for status in statuses} == dict(statuses)
    assert seen.total(telemetry.VIOLATIONS, rule="TOY1", resolution="fixed") == 2
    assert seen.metrics()[telemetry.RUNS.name] == {(("outcome", "done"),): 1}
    assert seen.total(telemetry.STAGE_SECONDS, stage="patcher", outcome="done") == len(seen.of("process patches"))


def test_attributes_are_those_that_are_declared_and_name_no_run(seen: Observed) -> None:
    world = World()
    run = ran(world)
    world.services.sweep()
    declared = {metric.name: metric for metric in telemetry.METRICS}
    found = seen.metrics()

    assert len(found) > 5
    for name, points in found.items():
        assert {key for point in points for key, _ in point} == set(declared[name].attributes), name
        assert not any(run in str(value) or "/" in str(value) for point in points for _, value in point)


def test_the_timer_measures_how_long_the_head_of_each_queue_has_waited(seen: Observed) -> None:
    world = World()
    world.queue.waiting.append(Waiting(names.PATCHES, "{}", world.queue.now))
    world.queue.now += 90
    world.services.sweep()

    ages = {dict(key)["queue"]: value for key, value in seen.metrics()[telemetry.QUEUE_AGE.name].items()}
    assert ages == {queue: 90.0 if queue == names.PATCHES else 0.0 for queue in names.QUEUES}
    assert seen.total(telemetry.OPEN_RUNS) == 0


def test_only_what_was_paid_counts_as_tokens_and_cost(seen: Observed) -> None:
    settings = ModelSettings("apply", "http://localhost/v1", "small", limits=TokenLimits(run=2300), prices=Prices(1, 10))
    access = ModelAccess(Replies(), MemoryBlobs(), settings)
    question = [Message("system", "s"), Message("user", "u")]
    for _ in range(3):
        access.complete("shop-0", "v", question, {})
    with pytest.raises(BudgetSpent):
        access.complete("shop-0", "w", [*question, Message("user", "more " * 2000)], {})

    assert {dict(key)["outcome"]: value for key, value in seen.metrics()[telemetry.QUESTIONS.name].items()} == {"answered": 1, "cached": 2}
    assert (seen.total(telemetry.TOKENS, direction="prompt"), seen.total(telemetry.TOKENS, direction="answer")) == (100, 20)
    assert seen.total(telemetry.COST, model="scripted-1") == pytest.approx(0.0003)
    assert seen.metrics()[telemetry.BUDGET_SPENT.name] == {(("budget", "run"),): 1}


def test_nothing_of_a_manifest_is_measured(seen: Observed, caplog: pytest.LogCaptureFixture) -> None:
    word = "correct-horse-battery"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {word}-name}}\nstringData: {{password: {word}}}\n"
    world = World(engine=build_engine(), limits=Limits(sweep_after=0))
    caplog.set_level("INFO", "aks_copilot")
    world.put({"shop/secret.yaml": secret, f"shop/{word}/broken.yaml": f"kind: Secret\ndata: {{a: {word}\n", "shop/.ready": ""})
    world.drain()

    assert len(world.runs()) == 1
    kept = [span.to_json() for span in seen.spans] + [str(seen.metrics())]
    assert len(kept) > 5
    assert [text for text in kept if word in text] == []
    assert [r.getMessage() for r in caplog.records if f"password: {word}" in r.getMessage() or f"{word}-name" in r.getMessage()] == []
