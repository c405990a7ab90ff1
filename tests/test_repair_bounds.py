"""The independent checks of `make test-llm` see what they are there to see: each offence by itself, made without the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from adversary import Impatient, attack
from llm_support import PLACE, POD, RIGHT, ScriptedModel, answer, found
from repair_bounds import trespasses

from shared.domain import editor
from shared.domain.inspector import manifest_of
from shared.domain.language_model import BudgetSpent
from shared.domain.model import PatchOperation

SPEC = "/spec/template/spec"
BOX = f"{SPEC}/containers/0"


def changed(*operations: tuple[Any, ...]) -> tuple[list[PatchOperation], bytes]:
    """Operations as if a model's had been taken, and what the editor makes of them."""
    file, _, _ = found(POD)
    made = [PatchOperation(o[0], f"/0{o[1]}", "AKS0510", o[2] if len(o) > 2 else None, "llm", "unsafe") for o in operations]
    return made, editor.apply_operations(manifest_of(file), made)


def said(operations: Sequence[PatchOperation], after: bytes) -> str:
    file, _, setup = found(POD)
    return "\n".join(trespasses(file, after, operations, setup))


def test_a_repair_at_its_place_is_no_offence() -> None:
    operations, after = changed(("remove", PLACE))
    assert said(operations, after) == ""


OFFENCES: list[tuple[tuple[Any, ...], str]] = [
    (("replace", f"{BOX}/image", "evil"), "AKS0510 may not change /0/spec/template/spec/containers/0/image"),
    (("replace", f"{BOX}/image", "evil"), "image is never a model's"),
    (("add", f"{BOX}/securityContext/privileged", True), "opens the pod"),
    (("add", f"{SPEC}/hostNetwork", True), "opens the pod"),
    (("replace", "/kind", "StatefulSet"), "a Deployment changed"),
    (("add", f"{SPEC}/priority", "high"), "Deployment is invalid"),
    (("replace", "/metadata/namespace", "kube-system"), "may not change /0/metadata/namespace"),
]


@pytest.mark.parametrize(("operation", "sentence"), OFFENCES)
def test_every_offence_is_seen(operation: tuple[Any, ...], sentence: str) -> None:
    operations, after = changed(("remove", PLACE), operation)
    assert sentence in said(operations, after)


def test_a_change_that_no_operation_says_and_a_line_that_nothing_explains_are_seen() -> None:
    operations, after = changed(("remove", PLACE))
    assert "changed and no operation says so" in said(operations, after.replace(b"value: live", b"value: dead"))
    assert "another line changed" in said(operations, after + b"# a line more\n")
    assert "the number of documents changed" in said(operations, after + b"---\na: b\n")


def test_an_operation_that_calls_itself_safe_is_seen() -> None:
    operations, after = changed(("remove", PLACE))
    file, _, setup = found(POD)
    lying = [PatchOperation(o.op, o.path, o.rule_id, o.value, "llm", "safe") for o in operations]
    assert any("is called safe of llm" in text for text in trespasses(file, after, lying, setup))


def test_the_attack_counts_what_was_taken_and_what_was_not(tmp_path: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(POD)
    taken = attack([path], ScriptedModel(RIGHT), None, 60)
    assert (taken.files, taken.applied, taken.offences) == (1, 1, [])
    refused = attack([path], ScriptedModel(answer(("replace", f"{BOX}/image", "evil"))), None, 60)
    assert (refused.applied, refused.offences) == (0, [])
    assert any("outside of what may change" in line for line in refused.lines())
    assert next(iter(attack([path], ScriptedModel(RIGHT), None, -1).lines())).startswith("corpus: 0 files")


def test_the_sample_moves_on_when_its_questions_are_used_up() -> None:
    model = Impatient(ScriptedModel(RIGHT), end=float("inf"), left=1)
    assert model.complete([], {}).value == RIGHT
    with pytest.raises(BudgetSpent, match="used up"):
        model.complete([], {})
