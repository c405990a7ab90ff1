"""A language model in the whole pipeline: the same as in `fix`, asked once whatever is delivered twice, and never the loss of a run."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Fuse, MemoryBlobs, World
from llm_support import PLACE, RIGHT, answer
from llm_work_support import CLAIM, DRAFT, MENDED, QUIET, UNKNOWN
from model_server import ModelServer, dropped, fails, says
from model_support import model as real_model

from shared.cli.local import LocalRun, fix_tree
from shared.cli.tree import read_tree
from shared.domain.advice import Mode
from shared.domain.errors import CriticalError, TransientError
from shared.domain.language_model import Message, Reply, Usage
from shared.domain.report import render_all
from shared.domain.run import RunOptions
from shared.model_settings import ModelSettings, Prices, TokenLimits
from shared.pipeline import names
from shared.pipeline.context import Limits
from shared.pipeline.model_access import ModelAccess
from shared.pipeline.model_run import TRIES, ModelRun
from shared.services import build_engine

APP = {
    "shop/deploy.yaml": QUIET,
    "shop/data.yaml": UNKNOWN,
    "shop/more/claim.yaml": CLAIM,
    "shop/more/other.yaml": UNKNOWN.replace("name: data", "name: other"),
}
ONE = {"shop/deploy.yaml": QUIET}


class Replies:
    """A model of the tests' own behind the port of the adapters: it answers by the rule that it is asked about."""

    identity = "scripted"
    usage = Usage(100, 20)

    def __init__(self, *errors: Exception, always: Exception | None = None) -> None:
        self.errors, self.always, self.asked = list(errors), always, list[str]()

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
        rule = re.search(r'"rule": "(AKS\d+)"', messages[1].content)
        self.asked.append(rule[1] if rule else "")
        if self.errors or self.always:
            raise self.errors.pop(0) if self.errors else self.always or AssertionError
        said = {"AKS0510": RIGHT, "AKS0102": answer(decision=DRAFT)}.get(self.asked[-1], answer())
        return Reply(json.dumps(said), "stop", refused=False, usage=self.usage, model="scripted-1")


def world(
    replies: Any,
    mode: Mode = "apply",
    limits: TokenLimits | None = None,
    fuse: Fuse | None = None,
    copies: int = 1,
    app: Mapping[str, str] = APP,
) -> World:
    settings = ModelSettings(mode, "http://localhost/v1", "small", limits=limits or TokenLimits(), prices=Prices(1, 10))
    made = World(
        engine=build_engine(), limits=Limits(batch_bytes=700, sweep_after=0), mode=mode, fuse=fuse or Fuse(), copies=copies,
        model=lambda w: ModelAccess(replies, w.context.blobs, settings, lambda: w.queue.now),
    )  # fmt: skip
    made.put(app)
    return made


def drained(made: World) -> World:
    made.drain()
    return made


def results(made: World) -> dict[str, bytes]:
    """Patched files and reports, without the run's name."""
    (run,) = made.runs()
    found = made.blobs.texts(names.PATCHED) | {f"reports/{n}": data for n, data in made.blobs.texts(names.REPORTS).items()}
    return {name.replace(f"{run}/", ""): data.replace(run.encode(), b"RUN") for name, data in found.items()}


def report(made: World) -> Any:
    return json.loads(results(made)["reports/report.json"])


def local(folder: Path, replies: Any, mode: Mode) -> LocalRun:
    for path, text in APP.items():
        place = folder / path.removeprefix("shop/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    access = ModelAccess(replies, MemoryBlobs(), ModelSettings(mode, "http://localhost/v1", "small", prices=Prices(1, 10)))
    return fix_tree(read_tree([folder]), RunOptions("shop", model=mode), lambda setup, jobs: ModelRun(access, None, setup).plans(jobs))


@pytest.mark.parametrize("mode", ["suggest", "apply"])
def test_the_pipeline_makes_what_fix_makes(tmp_path: Path, mode: Mode) -> None:
    asked, here = Replies(), Replies()
    there = results(drained(world(asked, mode)))
    run = local(tmp_path, here, mode)
    rendered = render_all(run.setup, run.outcomes, run.diffs, run.after)
    assert {path: there[path] for path in run.changed} == dict(run.changed)
    assert there["deploy.yaml"].decode() == (MENDED if mode == "apply" else QUIET)
    same = ("report.json", "report.sarif", "patch.json", "changes.diff", "resources.md", "cutover.md")
    assert {n: there[f"reports/{n}"] for n in same} == {n: rendered[n].replace(run.setup.run_id.encode(), b"RUN") for n in same}


def test_a_question_of_two_batches_is_drafted_in_each_and_stands_once_in_the_decisions() -> None:
    made = drained(world(Replies(), "suggest"))
    text = results(made)[".aks-copilot.yaml"].decode()
    assert text.count('A language model would answer "managed-csi-premium"') == 1
    assert report(made)["summary"]["model"] == {
        "name": "scripted-1", "asked": 3, "accepted": 1, "applied": 0, "drafted": 2, "refused": 0, "notAsked": 0,
        "tokens": {"prompt": 300, "answer": 60}, "cost": 0.0009,
    }  # fmt: skip


def test_off_is_a_run_that_knows_of_no_model() -> None:
    replies = Replies()
    made = drained(world(replies, "off"))
    assert replies.asked == []
    assert "model" not in report(made)["summary"]
    assert not made.blobs.texts(names.CACHE)
    assert b"3 of the findings left could be put to a language model" in results(made)["reports/report.md"]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_twice_asks_and_changes_nothing_more(seed: int) -> None:
    once, twice = Replies(), Replies()
    expected = results(drained(world(once)))
    made = world(twice, copies=2)
    made.seed = seed
    assert results(drained(made)) == expected
    assert sorted(twice.asked) == sorted(once.asked)


def test_a_crash_between_the_answer_and_the_queue_asks_at_most_one_question_anew() -> None:
    """Until an answer is kept a crash loses it; from then on, up to the queue send and beyond, it costs nothing."""
    fuse = Fuse()

    class Watched(Replies):
        def reply(self, *given: Any, **named: Any) -> Reply:
            self.at = fuse.count
            return super().reply(*given, **named)

    watched = Watched()
    expected = results(drained(world(watched, fuse=fuse, app=ONE)))
    again = {}
    for at in range(watched.at - 2, watched.at + 8):
        for after in (False, True):
            replies = Replies()
            made = drained(world(replies, fuse=Fuse(at, after=after), app=ONE))
            assert made.crashes == 1
            assert results(made) == expected, f"crash {'after' if after else 'before'} write {at}"
            again[at, after] = len(replies.asked) - 1
    assert [place for place, more in again.items() if more] == [(watched.at + 1, False)]
    assert set(again.values()) == {0, 1}


def test_an_outage_is_waited_for_and_ends_as_if_there_had_been_none() -> None:
    down = TransientError("the service does not answer")
    replies = Replies(down, down, down)
    made = drained(world(replies))
    assert len(replies.asked) == 3 + 3
    assert results(made) == results(drained(world(Replies())))
    assert not [name for name in made.blobs.texts(names.RUNS) if name.endswith("/failed.json")]


@pytest.mark.parametrize("error", [TransientError("no answer"), TransientError("come back", 3600.0), CriticalError("no such deployment")])
def test_a_model_that_stays_down_costs_no_run(error: Exception) -> None:
    replies = Replies(always=error)
    made = drained(world(replies))
    found = [v["model"] for f in report(made)["files"] for v in f["violations"] if "model" in v]
    assert [(m["status"], m["reasons"]) for m in found] == [("not-asked", [str(error)])] * len(found)
    assert len(found) == report(made)["summary"]["model"]["notAsked"] == 3
    assert results(made)["more/claim.yaml"].decode() == CLAIM.replace("local-path", "managed-csi")
    assert not made.errors
    waited = isinstance(error, TransientError) and error.retry_after is None
    assert len(replies.asked) == (TRIES if waited else 1) * made_batches(made)


def made_batches(made: World) -> int:
    """Batches in which something is asked."""
    plans = [json.loads(data) for name, data in made.blobs.texts(names.RUNS).items() if "/progress/thinker/" in name]
    return len(plans) - 1  # the claim that needs no model has one of its own


def test_what_the_budget_does_not_cover_is_said_at_its_finding() -> None:
    replies = Replies()
    replies.usage = Usage(4000, 20)
    made = drained(world(replies, limits=TokenLimits(run=6000)))
    told = [v["model"] for f in report(made)["files"] for v in f["violations"] if "model" in v]
    assert len(replies.asked) == 1
    assert [m["status"] for m in told].count("not-asked") == 2
    reasons = " ".join(r for m in told for r in m["reasons"])
    assert "the tokens of this run are used up" in reasons


HOSTILE = [
    says("I would remove it."),
    says({"operations": [{"op": "remove", "path": "/spec", "value": None}], "decision": None, "explanation": "<script>", "sources": []}),
    says('{"operations": ' + "[" * 5000),
    fails(429, "insufficient_quota"),
    dropped,
]


def test_a_hostile_server_changes_nothing_and_loses_no_run() -> None:
    with ModelServer(*HOSTILE) as there:
        made = drained(world(real_model(there, tries=1)))
    after = results(made)
    assert after["deploy.yaml"].decode() == QUIET
    assert after["data.yaml"].decode() == UNKNOWN
    assert report(made)["summary"]["model"]["accepted"] == 0
    assert not [o for f in report(made)["files"] for o in f["operations"] if o["origin"] == "llm"]


def test_a_real_answer_through_the_sdk_is_applied_and_proven() -> None:
    with ModelServer(says(RIGHT)) as there:
        made = drained(world(real_model(there)))
    (entry,) = [f for f in report(made)["files"] if f["path"] == "deploy.yaml"]
    assert [(o["path"], o["origin"]) for o in entry["operations"]] == [(f"/0{PLACE}", "llm")]
    assert results(made)["deploy.yaml"].decode() == MENDED


def test_a_model_that_cannot_even_be_made_costs_no_run() -> None:
    def broken(_: World) -> ModelAccess:
        raise CriticalError("no such credential")

    made = world(Replies())
    made.services = replace(made.services, context=replace(made.context, model=lambda: broken(made)))
    made.drain()
    assert results(made)["more/claim.yaml"].decode() == CLAIM.replace("local-path", "managed-csi")
    assert report(made)["summary"]["model"]["asked"] == 0


@pytest.mark.parametrize(("allowed", "met"), [(4, True), (1, False)])
def test_files_of_a_batch_wait_for_their_answers_together(tmp_path: Path, allowed: int, met: bool) -> None:
    """Two questions are out at once, or one after the other, as LLM_CONCURRENCY says."""
    both = threading.Barrier(2)

    class Meeting(Replies):
        def reply(self, *given: Any, **named: Any) -> Reply:
            try:
                both.wait(5 if allowed > 1 else 0.05)
            except threading.BrokenBarrierError:
                self.missed = True
            return super().reply(*given, **named)

    replies = Meeting()
    files = {"a.yaml": QUIET, "b.yaml": QUIET.replace("name: shop\n", "name: other\n", 1)}
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    access = ModelAccess(replies, MemoryBlobs(), ModelSettings("apply", "http://localhost/v1", "small", concurrency=allowed))
    tree = read_tree([tmp_path])
    run = fix_tree(tree, RunOptions("shop", model="apply"), lambda setup, jobs: ModelRun(access, None, setup).plans(jobs))
    assert hasattr(replies, "missed") is not met
    assert run.changed["a.yaml"].decode() == MENDED
    assert run.changed["b.yaml"].decode() == MENDED.replace("name: shop\n", "name: other\n", 1)
