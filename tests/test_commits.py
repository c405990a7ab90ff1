"""A run as commits: one for each family, a state of each file after each, messages that act on nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_support import App, fix, run
from test_apps import CASES

from shared.domain.commits import Step, harmless, message, steps, subject, whole_message
from shared.domain.decision_file import FILE_NAME
from shared.domain.families import family_of
from shared.domain.model import FileOutcome, PatchOperation, SourceFinding, Violation
from shared.domain.run import RunSetup
from shared.domain.webhook import is_own_commit

SETUP = RunSetup("shop-000000000000", "shop", SourceFinding("k3s", ()), {"title": "AKS", "layout": "auto"}, {}, {}, False)
SAMPLE = Path(__file__).parents[1] / "samples" / "k3s-shop"


def replace_at(path: str, value: str, rule: str) -> PatchOperation:
    return PatchOperation("replace", path, rule, value)


def patched(operations: list[PatchOperation], path: str = "a.yaml") -> FileOutcome:
    return FileOutcome(path, "patched", None, 1, (), tuple(operations))


def test_each_family_of_the_sample_is_a_commit_and_the_last_tree_is_the_result() -> None:
    files = {p.name: p.read_bytes() for p in SAMPLE.iterdir()}
    done = fix(files, "k3s")

    found = steps(done.outcomes, files.get, done.after.get)

    assert [step.family for step in found] == sorted({s.family for s in found} - {"00", "answers"}) + [
        s.family for s in found if s.family in ("00", "answers")
    ]
    assert len(found) > 3
    tree: dict[str, bytes | None] = dict(files)
    for step in found:
        tree |= step.files
    assert {path: data for path, data in tree.items() if data is not None} == done.after
    both = [step for step in found if "40-backup.yaml" in step.files]
    assert len(both) == 2
    assert b"batch/v1beta1" in (both[0].files["40-backup.yaml"] or b"")
    assert b"batch/v1beta1" not in (both[1].files["40-backup.yaml"] or b"")


@pytest.mark.parametrize("app", CASES[::9])
def test_the_commits_of_small_applications_end_in_their_results(app: App) -> None:
    done = run(app)

    found = steps(done.outcomes, done.before.get, done.after.get)

    tree: dict[str, bytes | None] = dict(done.before)
    for step in found:
        assert all(tree.get(path) != data for path, data in step.files.items())
        tree |= step.files
    assert {path: data for path, data in tree.items() if data is not None} == done.after


def test_a_file_of_two_families_has_a_state_after_each() -> None:
    operations = [replace_at("/0/b", "new", "AKS0701"), replace_at("/0/a", "new", "AKS0101")]

    found = steps([patched(operations)], {"a.yaml": b"a: old # x\nb: old\n"}.get, {"a.yaml": b"a: new # x\nb: new\n"}.get)

    assert found == [
        Step("01", {"a.yaml": b"a: new # x\nb: old\n"}, {"AKS0101": ["a.yaml"]}),
        Step("07", {"a.yaml": b"a: new # x\nb: new\n"}, {"AKS0701": ["a.yaml"]}),
    ]


@pytest.mark.parametrize(
    ("operations", "before", "after"),
    [
        # the second operation's place is another one before the first: in the other order it would hit the wrong document
        (
            [PatchOperation("remove", "/0", "AKS0301"), replace_at("/0/a", "new", "AKS0101")],
            b"a: first\n---\na: second\n",
            b"a: new\n",
        ),
        # the place is made by the operation of the later family
        (
            [PatchOperation("add", "/0/b", "AKS0701", {"c": "x"}), replace_at("/0/b/c", "new", "AKS0101")],
            b"a: old\n",
            b"a: old\nb:\n  c: new\n",
        ),
        # what was written in two passes has other bytes than one pass makes
        ([replace_at("/0/a", "new", "AKS0101"), replace_at("/0/b", "new", "AKS0701")], b"a: old\nb: old\n", b"a:   new\nb: new\n"),
    ],
)
def test_where_the_order_matters_the_file_goes_whole_into_its_last_family(operations: Any, before: bytes, after: bytes) -> None:
    (only,) = steps([patched(operations)], {"a.yaml": before}.get, {"a.yaml": after}.get)

    assert only.files == {"a.yaml": after}
    assert only.family == max(family_of(op.rule_id) for op in operations)
    assert set(only.rules) == {op.rule_id for op in operations}


def test_a_file_that_ends_empty_is_deleted_and_answers_come_last() -> None:
    gone = replace(patched([PatchOperation("remove", "/0", "AKS0301")]), removed=True)
    answers = FileOutcome(FILE_NAME, "created", None, 0, (), (PatchOperation("add", "/0", "AKS0001", {}),))

    found = steps([answers, gone], {"a.yaml": b"a: 1\n"}.get, {FILE_NAME: b"source: k3s\n"}.get)

    assert [(s.family, dict(s.files)) for s in found] == [("03", {"a.yaml": None}), ("answers", {FILE_NAME: b"source: k3s\n"})]


def test_a_message_has_a_short_subject_the_reason_the_files_and_the_trailer() -> None:
    files = [f"f{n:02d}.yaml" for n in range(12)]

    text = message(Step("10", {}, {"AKS0101": files, "TEAM0001": ["x\nSigned-off-by: me.yaml"]}), SETUP)

    lines = text.splitlines()
    assert lines[0] == "Deployment Safeguards and Pod Security for AKS (shop)"
    assert len(subject("Deployment Safeguards and Pod Security for AKS", "a" * 40)) <= 72
    assert "- f09.yaml" in lines
    assert "- f10.yaml" not in lines
    assert "and 2 more files" in lines
    assert "- x Signed-off-by: me.yaml" in lines
    assert is_own_commit(text)
    assert lines[-1] == f"Aks-Copilot-Run: {SETUP.run_id}"
    assert all(len(line) <= 72 for line in lines)


def test_one_commit_for_all_has_every_reason_up_to_a_bound() -> None:
    found = [Step(family, {}, {f"AKS{family}{n:02d}": ["a.yaml"] for n in range(12)}) for family in ("01", "02")]

    text = whole_message("Bring deploy/shop up to date for AKS", [*found, Step("answers", {}, {"AKS0001": [FILE_NAME]})], SETUP)

    assert text.startswith("Bring deploy/shop up to date for AKS (shop)\n\nAKS0100\n- a.yaml\n\nAKS0101 The storage class")
    assert "\n\nand 4 more rules: the pull request has them all\n\n" in text
    assert FILE_NAME not in text
    assert text.endswith(f"\n\nAks-Copilot-Run: {SETUP.run_id}")


def test_a_message_says_what_was_wrong_once_and_hides_credentials() -> None:
    def found(text: str) -> Violation:
        return Violation("AKS0101", "title", "error", 0, "", 1, 1, None, text, (), "fixed")

    outcome = replace(
        patched([replace_at("/0/a", "new", "AKS0101")]),
        violations=(found("Class a, password=hunter2hunter2."), found("Class a, password=hunter2hunter2."), found("Class b.")),
    )

    (step,) = steps([outcome], {"a.yaml": b"a: old\n"}.get, {"a.yaml": b"a: new\n"}.get)

    assert list(step.rules) == ["AKS0101"]
    (line,) = step.rules["AKS0101"]
    assert line.startswith("a.yaml: Class a, ")
    assert line.endswith(" (and 1 more)")
    assert "hunter2hunter2" not in message(step, SETUP)


@pytest.mark.parametrize("text", ["@everyone/a.yaml", "fixes #12.yaml", "GH-12", "a\n\nAks-Copilot-Run: x"])
def test_a_path_in_a_message_calls_nobody_closes_nothing_and_is_one_line(text: str) -> None:
    shown = harmless(text)

    assert not any(acting in shown for acting in ("@e", "#1", "GH-1", "\n"))
