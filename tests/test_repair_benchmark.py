"""The repair benchmark measures: the cases' own answers score 100 %, clumsy and hostile ones exactly what they deserve."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eval_llm
import pytest
from corpus_counts import CORPUS
from eval_llm import GAVE_UP, Result, result_of, results, summary
from llm_support import ScriptedModel, answer
from model_server import ModelServer, says
from repair_cases import Opened, Task, Witness, opened, read_tasks
from repair_judge import judge_draft, judge_repair

from shared.domain import editor
from shared.domain.inspector import manifest_of
from shared.domain.language_model import Model
from shared.domain.llm.prompt import question, redactor_of
from shared.domain.model import PatchOperation

TASKS = read_tasks()
OWN = [t for t in TASKS if t.manifest is not None]
OF_THE_CORPUS = [t for t in TASKS if t.manifest is None]


def test_there_are_as_many_cases_as_the_benchmark_promises() -> None:
    sorts = Counter(t.sort for t in OF_THE_CORPUS)
    assert sorts["repair"] >= 50
    assert sorts["repair"] + sorts["draft"] >= 120
    assert sorts["decline"] >= 30
    assert len(OWN) >= 40
    assert {t.file.split("/")[0] for t in OF_THE_CORPUS if t.file} == {"k3s", "okd", "other"}
    assert len({t.rule for t in TASKS}) >= 30
    assert all(t.sha256 and len(t.sha256) == 64 for t in OF_THE_CORPUS)


@pytest.mark.parametrize("task", OWN, ids=lambda t: t.name)
def test_every_case_of_our_own_can_be_solved_through_the_boundary(task: Task) -> None:
    case = opened(task)
    result = result_of(case, Witness(case))
    assert (result.outcome, result.verdict.unrelated, result.verdict.wrong) == ("right", (), ())
    assert result.repair.tries == 1


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not on this machine")
@pytest.mark.parametrize("source", ["k3s", "okd", "other"])
def test_every_case_of_the_corpus_can_be_solved_through_the_boundary(source: str) -> None:
    tasks = [t for t in OF_THE_CORPUS if str(t.file).startswith(source)]
    found = list(results(tasks, Witness))
    assert [(r.task.name, r.verdict, r.repair.reasons) for r in found if r.outcome != "right"] == []
    assert len(found) == len(tasks)


def test_a_case_of_another_file_than_the_benchmarks_is_an_error_and_an_absent_one_is_left_out(tmp_path: Path) -> None:
    task = OF_THE_CORPUS[0]
    with pytest.raises(FileNotFoundError):
        task.data(tmp_path)
    path = tmp_path / str(task.file)
    path.parent.mkdir(parents=True)
    path.write_text("kind: Other\n")
    with pytest.raises(ValueError, match="is not the file of this case"):
        task.data(tmp_path)


def gives_up(_: Opened) -> Model:
    return ScriptedModel(answer())


def copies_the_example(case: Opened) -> Model:
    """Answers every question with its example, and takes out whatever the rule points at."""
    if case.case.questions:
        first = case.case.questions[0]
        return ScriptedModel(answer(decision={"key": first.key, "value": first.example}))
    return ScriptedModel(answer(("remove", case.case.place)))


def with_more(case: Opened) -> list[tuple[Any, ...]]:
    """The right operations, and one that nobody asked for."""
    given = [(o[0], o[1].removeprefix(case.case.base), *o[2:]) for o in case.task.answer.operations]
    return [*given, ("add", "/metadata/labels", {"owned-by": "model"})]


def meddles(case: Opened) -> Model:
    return ScriptedModel(answer(*with_more(case)))


def speaks_in_prose(_: Opened) -> Model:
    return ScriptedModel("The answer is no JSON.")


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        (gives_up, {("repair", "refused"): 26, ("draft", "refused"): 8, ("decline", "right"): 6}),
        (
            copies_the_example,
            {
                ("repair", "right"): 19,
                ("repair", "refused"): 5,
                ("repair", "wrong"): 2,
                ("draft", "right"): 7,
                ("draft", "wrong"): 1,
                ("decline", "wrong"): 6,
            },
        ),
        (meddles, {("repair", "refused"): 26, ("draft", "refused"): 8, ("decline", "refused"): 6}),
        (speaks_in_prose, {("repair", "refused"): 26, ("draft", "refused"): 8, ("decline", "refused"): 6}),
    ],
)
def test_a_clumsy_model_scores_what_it_deserves(model: Callable[[Opened], Model], counts: dict[tuple[str, str], int]) -> None:
    found = list(results(OWN, model))
    assert Counter((r.task.sort, r.outcome) for r in found) == counts
    assert not any(r.verdict.unrelated for r in found), "what is unrelated does not get through"


REPAIRS = [t for t in OWN if t.sort == "repair"]


@pytest.mark.parametrize("task", REPAIRS, ids=lambda t: t.name)
def test_control_without_the_boundary_the_judge_sees_the_unrelated_field(task: Task) -> None:
    case = opened(task)
    operations = [PatchOperation(o[0], case.case.prefix + o[1], task.rule, o[2] if len(o) > 2 else None) for o in with_more(case)]
    manifest = manifest_of(case.file)
    right = editor.apply_operations(manifest, operations[:-1])
    more = editor.apply_operations(manifest, operations)
    assert judge_repair(task, case.file.data, right).right
    assert judge_repair(task, case.file.data, more).unrelated
    assert not judge_repair(task, case.file.data, case.file.data).right, "nothing done is not right"
    assert not judge_repair(task, case.file.data, right.replace(b"name", b"nam3", 1)).right, "one letter elsewhere is not right"


@pytest.mark.parametrize("task", [t for t in TASKS if t.sort == "draft"][::6], ids=lambda t: t.name)
def test_a_draft_is_right_for_its_key_and_its_values_alone(task: Task) -> None:
    assert task.answer.decision is not None
    key, value = task.answer.decision
    assert judge_draft(task.right.draft, key, value).right
    assert not judge_draft(task.right.draft, "registries.other", value).right
    assert not judge_draft(task.right.draft, key, "gp3-of-another-cloud").right
    assert not judge_draft(None, key, value).right, "where nobody can know, any draft is a guess"


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("requests.cpu=100m, requests.memory=128Mi, limits.memory=512Mi", True),
        ("requests.cpu=0.5,requests.memory=1Gi", True),
        ("requests.cpu=100m, requests.memory=512Mi, limits.memory=128Mi", False),
        ("requests.cpu=100m", False),
        ("requests.cpu=100, requests.memory=128Mi", False),
        ("requests.cpu=100m, requests.memory=128", False),
        ("cpu: 100m, memory: 128Mi", False),
        ("requests.cpu=100m, requests.memory=128Mi, limits.gpu=1", False),
    ],
)
def test_amounts_are_in_the_asked_form_and_within_reason(value: str, *, right: bool) -> None:
    task = next(t for t in OWN if t.name == "own-amounts")
    assert judge_draft(task.right.draft, "resources.default", value).right is right


@pytest.mark.parametrize("task", OWN, ids=lambda t: t.name)
def test_every_question_holds_what_its_answer_needs(task: Task) -> None:
    """The place, the key and the form of a draft, and each pointer of the witness's operations at or below an allowed one."""
    case = opened(task)
    said = question(case.case, redactor_of(case.case))[1].content
    assert f'"place": "{case.case.place}"' in said
    for asked in case.case.questions:
        assert json.dumps(asked.key) in said
        assert json.dumps(asked.example) in said
    for _, pointer, *_ in task.answer.operations:
        assert any(f'"{place}"' in said for place in above(pointer.removeprefix(case.case.base)))


def above(pointer: str) -> list[str]:
    """A pointer and those of what it lies in."""
    tokens = pointer.split("/")
    return ["/".join(tokens[:n]) for n in range(2, len(tokens) + 1)]


def test_the_summary_names_every_share() -> None:
    found: list[Result] = [*results(OWN, Witness), *results(OWN, gives_up)]
    lines = list(summary(found))
    assert lines[0] == "repair    52 cases: repaired 50.0 %, wrong 0.0 %, refused 50.0 %"
    assert lines[1] == "draft     16 cases: drafted right 50.0 %, wrong 0.0 %, refused 50.0 %"
    assert lines[2] == "decline   12 cases: rightly declined 100.0 %, wrong 0.0 %, refused 0.0 %"
    assert lines[3] == "unrelated fields changed: 0"
    assert lines[4].startswith("tokens: 400 in questions, 200 in answers; seconds: 0")
    assert lines[5] == f"  46  {GAVE_UP}"


def test_the_command_asks_an_endpoint_and_prints_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(eval_llm.CASES) / "own.yaml").read_text()
    (tmp_path / "one.yaml").write_text("cases:\n- name: own-privileged" + text.split("- name: own-privileged")[1])
    place = "/spec/template/spec/containers/0/securityContext/privileged"
    with ModelServer(says(answer(("replace", place, False)))) as there:
        code = eval_llm.main(["--base-url", there.url, "--model", "m", "--cases", str(tmp_path), "--without-articles"])
    printed = capsys.readouterr().out
    assert code == 0
    assert "right   own-privileged-agent" in printed
    assert "repair     1 cases: repaired 100.0 %, wrong 0.0 %, refused 0.0 %" in printed
    assert "tokens: 100 in questions, 20 in answers" in printed
    assert there.asked[0].json["model"] == "m"


def test_an_endpoint_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_TRIES", "1")
    assert eval_llm.main(["--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--limit", "1", "--without-articles"]) == 1
    assert capsys.readouterr().err.startswith("error: the model does not answer")
