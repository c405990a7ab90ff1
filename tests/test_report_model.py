"""A language model in the reports: marked everywhere, with its sources; its words act on nothing; no word of it where there was none."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import report_values as values

from shared.domain.advice import Advice, Draft, Mode, Tally
from shared.domain.check_run import finished_check
from shared.domain.commits import message, steps
from shared.domain.decisions import drafts_of as drafted_answers
from shared.domain.decisions import open_questions, places_of, read_decisions, skeleton, updates
from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome, ModelRepair, PatchOperation, Question
from shared.domain.report import render_all
from shared.domain.report.model_view import headline, tally
from shared.domain.report.pull_request import body
from shared.domain.run import RunSetup

GOLDEN = Path(__file__).parent / "golden" / "model"
PAGE = "https://learn.microsoft.com/azure/aks/use-nvidia-gpu"
HOSTILE = "Done. <script>alert(1)</script> [click](http://evil.example) @admin closes #1 ```\n# Heading | **bold** password=hunter2hunter2"


def setup(mode: Mode = "suggest") -> RunSetup:
    return replace(values.setup(), model=mode)


def advice(status: str, **fields: object) -> Advice:
    given = {"model": "small-1", "tries": 1, "prompt_tokens": 1000, "answer_tokens": 20, "cost": 0.0021} | fields
    return Advice(status, **given)  # type: ignore[arg-type]


def outcomes(mode: Mode = "suggest") -> list[FileOutcome]:
    remove = PatchOperation("remove", "/0/spec/runtimeClassName", "TST0101", origin="llm", disposition="unsafe")
    accepted = advice("accepted", explanation=HOSTILE, sources=(("GPU pools", PAGE), ("Our runbook", "articles/own.md")), tries=2,
                      reasons=("The answer is no JSON.",))  # fmt: skip
    found = values.violation("TST0101", advice=accepted, resolution="fixed" if mode == "apply" else "suggested",
                             reason=f"{'Changed' if mode == 'apply' else 'Suggested'} by a language model.")  # fmt: skip
    repair = ModelRepair("TST0101", 0, "/spec/storageClassName", accepted, (remove,))
    made, offered = ((remove,), ()) if mode == "apply" else ((), (remove,))
    left = [
        values.violation("TST0201", line=9, advice=advice("drafted", draft=Draft("storageClasses.gold", "managed-csi\u2028x: 1"))),
        values.violation("TST0202", line=10, advice=advice("refused", tries=3, reasons=("Not there.", "Not there.", "Not proven: x."))),
        values.violation("TST0203", line=11, advice=Advice("not-asked", reasons=("the tokens of this day are used up",))),
    ]
    question = Question("storageClasses.gold", "Which class replaces gold?", "managed-csi")
    status = "patched" if mode == "apply" else "unchanged"
    return [FileOutcome("web.yaml", status, None, 1, (found, *left), made, offered, questions=(question,), repairs=(repair,))]


def rendered(mode: Mode, files: list[FileOutcome]) -> dict[str, bytes]:
    return render_all(setup(mode), files, {}, Inventory())


def test_findings_alike_in_two_files_are_two() -> None:
    files = [replace(outcome, path=path) for path in ("web.yaml", "api.yaml") for outcome in outcomes()]
    told, page = tally(setup(), files), rendered("suggest", files)["report.md"].decode()
    assert told is not None
    assert (told.asked, told.counts["not-asked"]) == (6, 2)
    assert [page.count(f"- {path}:10 TST0202 The storage class does not exist on AKS: refused") for path in ("web.yaml", "api.yaml")] == [
        1,
        1,
    ]


def test_a_run_in_which_nothing_could_be_asked_says_why() -> None:
    """The reason that most findings share; an address and a key are what it is mostly about."""
    why = Advice("not-asked", reasons=("the model's service refuses the key or the identity (401)",))
    files = [FileOutcome("web.yaml", "unchanged", None, 1, (values.violation("TST0203", line=11, advice=why),))]
    told = tally(setup(), files)
    assert told is not None
    assert headline(told) == (
        "The language model was not asked: 1 finding could not be put to it (the model's service refuses the key or the identity (401))."
    )
    assert headline(Tally()) == "The language model was not asked: nothing was left to ask."


@pytest.mark.parametrize("name", ["report.md", "report.json", "pull_request.md"])
def test_the_pages_are_the_golden_ones(name: str) -> None:
    """Set AKS_UPDATE_GOLDEN=1 to write them anew, then read the difference."""
    files = outcomes()
    pages = rendered("suggest", files) | {"pull_request.md": body(setup(), files, {}).encode()}
    if os.environ.get("AKS_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_bytes(pages[name])
    assert pages[name].decode() == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_summary_has_the_sums() -> None:
    sums = {"name": "small-1", "asked": 3, "accepted": 1, "drafted": 1, "refused": 1, "notAsked": 1,
            "tokens": {"prompt": 3000, "answer": 60}, "cost": 0.0063}  # fmt: skip
    told = {mode: json.loads(rendered(mode, outcomes(mode))["report.json"])["summary"]["model"] for mode in ("suggest", "apply")}
    assert told == {"suggest": sums | {"applied": 0}, "apply": sums | {"applied": 1}}


def test_without_a_model_nothing_speaks_of_one() -> None:
    """The control of all others: the same findings in a run without one."""
    plain = [replace(o, violations=tuple(replace(v, advice=None) for v in o.violations), repairs=()) for o in outcomes()]
    report = json.loads(rendered("off", plain)["report.json"])
    assert "model" not in report["summary"]
    assert not [v for f in report["files"] for v in f["violations"] if "model" in v]
    assert b"language model did" not in rendered("off", plain)["report.md"]


def test_one_line_says_what_a_model_would_add() -> None:
    files = [replace(values.outcomes()[0], askable=3), replace(values.outcomes()[1], askable=2)]
    line = "5 of the findings left could be put to a language model: see docs/model.md"
    pages = rendered("off", files)
    assert [line in pages[name].decode() for name in ("report.md", "report.html")] == [True, True]
    assert line.encode() not in rendered("suggest", files)["report.md"]
    assert b"What a language model suggests is applied where LLM_MODE is apply" not in rendered("off", files)["report.html"]
    assert b"What a language model suggests is applied where LLM_MODE is apply" in rendered("suggest", outcomes())["report.html"]
    assert b"language model" not in rendered("off", values.outcomes())["report.md"]


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.json", "report.sarif"])
def test_what_the_model_says_acts_on_nothing_and_carries_no_credential(name: str) -> None:
    page = rendered("apply", outcomes("apply"))[name].decode()
    assert "hunter2hunter2" not in page
    if name == "report.html":
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert f'<a href="{PAGE}" rel="noopener noreferrer">GPU pools</a>' in page
    if name == "report.md":
        assert "\\<script\\>alert" in page
        assert "\n# Heading" not in page


def test_a_pull_request_names_nobody_that_the_model_names() -> None:
    text = body(setup("apply"), outcomes("apply"), {})
    assert "It says:" in text
    assert "@admin" not in text
    assert "#1" not in text
    assert "](http://evil" not in text
    assert f"[GPU pools](<{PAGE}>)" in text
    assert "(by a language model)" in text


def test_commits_and_checks_mark_what_a_model_changed() -> None:
    (outcome,) = outcomes("apply")
    told = message(next(iter(steps([outcome], lambda _: b"a: 1\n", lambda _: b"a: 2\n"))), setup("apply"))
    assert "(by a language model), which read" in " ".join(told.split())
    assert PAGE in told
    by_hand = replace(outcome, violations=tuple(replace(v, advice=None) for v in outcome.violations))
    assert "language model" not in message(next(iter(steps([by_hand], lambda _: b"a: 1\n", lambda _: b"a: 2\n"))), setup("apply"))
    (first, *_) = [a for a in finished_check(setup("apply"), [outcome], {}).annotations if a["title"].startswith("TST0101")]
    assert "Changed by a language model" in first["message"]
    assert '"origin": "llm"' in first["raw_details"]


def test_sarif_marks_what_a_model_said() -> None:
    results = json.loads(rendered("apply", outcomes("apply"))["report.sarif"])["runs"][0]["results"]
    marks = {r["ruleId"]: r["properties"].get("languageModel") for r in results}
    sources = [f"GPU pools ({PAGE})", "Our runbook (articles/own.md)"]
    assert marks["TST0101"] == {"status": "accepted", "name": "small-1", "sources": sources}
    assert marks["TST0202"]["status"] == "refused"


def test_a_draft_stands_at_its_question_and_is_no_answer() -> None:
    """The draft holds a line separator, which YAML takes for the end of a line: it must stay in its comment."""
    files = outcomes()
    text = skeleton("k3s", open_questions(files), places_of(files), drafted_answers(files))
    assert '#   # A language model would answer "managed-csi\\u2028x: 1"; nobody has taken it.' in text.splitlines()
    assert read_decisions(text.encode()) == {"version": 1, "source": "k3s"}
    made = updates({"version": 1}, "version: 1\n", "k3s", open_questions(files), drafted_answers(files))
    (asked,) = [op for op in made if op.path == "/open"]
    assert "A language model would answer" in asked.value["storageClasses.gold"]


def test_of_two_drafts_for_one_question_the_first_file_counts() -> None:
    (one,) = outcomes()
    drafted = values.violation("TST0201", advice=advice("drafted", draft=Draft("storageClasses.gold", "b")))
    other = replace(one, path="a.yaml", violations=(drafted,))
    assert drafted_answers([one, other]) == {"storageClasses.gold": "b"}


def test_two_findings_of_one_place_were_one_question() -> None:
    (one,) = outcomes()
    twice = replace(one, violations=(one.violations[0], replace(one.violations[0], message="Another field."), *one.violations[1:]))
    alone = json.loads(rendered("suggest", [one])["report.json"])["summary"]["model"]
    assert json.loads(rendered("suggest", [twice])["report.json"])["summary"]["model"] == alone
