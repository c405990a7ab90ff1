"""What a fix does, step by step with the values before and after; and what a finding waits for: the questions that a person answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import jsonpatch
import yaml

from shared.domain.checks import Found
from shared.domain.convert.base import CannotConvert, split_decision_key
from shared.domain.explain.excerpt import cut
from shared.domain.facts import Facts
from shared.domain.inspector import describe, every_object, facts_of, firing, inspect, is_fragment, manifest_of
from shared.domain.left_open import left_open
from shared.domain.model import FileOutcome, PatchOperation, Question, Violation
from shared.domain.needs import AzureResource
from shared.domain.plan import FilePlan
from shared.domain.pointer import MISSING, JsonValue, get
from shared.domain.proposals import conversion_of, resources_for
from shared.domain.report.document import operations_json
from shared.domain.rulebook import Rule
from shared.domain.run import RunSetup, SourceFile
from shared.domain.thinker import propose

LINES = 12
"""Lines of one value."""
STEPS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One operation in words: `path` inside its document ("" for the whole of it), values as YAML, "" where there is none; masked."""

    op: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What answers or makes a finding's way free: questions of `.aks-copilot.yaml`, and Azure resources with their commands."""

    questions: tuple[Question, ...] = ()
    resources: tuple[AzureResource, ...] = ()


def steps_of(file: SourceFile, outcome: FileOutcome, violation: Violation, setup: RunSetup) -> list[Step]:
    """What the fix of a violation did, or would do where it is only suggested; [] where none was made."""
    if violation.resolution not in ("fixed", "suggested"):
        return []
    plan = propose(file, inspect(file, setup), replace(setup, apply_unsafe=True) if violation.resolution == "suggested" else setup)
    numbers = _numbers(plan, violation)
    if violation.resolution == "fixed" and any(plan.operations[n] not in outcome.operations for n in numbers):
        return []  # other fixes failed a proof, so that this one was planned anew among different neighbours
    return list(_steps(file, outcome, plan, numbers))[:STEPS]


def _numbers(plan: FilePlan, violation: Violation) -> list[int]:
    ends = accumulate(unit.count for unit in plan.units)
    return [n for unit, end in zip(plan.units, ends, strict=True) if unit.key == violation.key for n in range(end - unit.count, end)]


def _steps(file: SourceFile, outcome: FileOutcome, plan: FilePlan, numbers: Sequence[int]) -> Iterator[Step]:
    documents: Any = [copy.deepcopy(document.value) for document in manifest_of(file).documents]
    for number, operation in enumerate(plan.operations[: max(numbers, default=-1) + 1]):
        if number in numbers:
            yield _step(documents, operation, outcome)
        documents = jsonpatch.JsonPatch([operation.rfc6902()]).apply(documents)


def _step(documents: Any, operation: PatchOperation, outcome: FileOutcome) -> Step:
    before = MISSING if operation.op == "add" else get(documents, operation.path)
    shown = [_masked(outcome, operation, value) for value in (before, operation.value)]
    _, slash, path = operation.path[1:].partition("/")
    return Step(operation.op, slash + path, *shown)


def _masked(outcome: FileOutcome, operation: PatchOperation, value: JsonValue) -> str:
    if value is MISSING:
        return ""
    made = operations_json(outcome, [replace(operation, value=value)])[0]
    return as_yaml(made["value"]) if isinstance(made, dict) else ""


def as_yaml(value: JsonValue) -> str:
    """A value as a person reads it: YAML, a text as it is; cut after LINES lines."""
    if isinstance(value, str):
        text = value
    else:
        text = yaml.safe_dump(value, sort_keys=False, default_flow_style=False, allow_unicode=True, width=10_000)
    lines = [cut(line) for line in text.removesuffix("\n...\n").rstrip("\n").split("\n")]
    return "\n".join(lines if len(lines) <= LINES else [*lines[: LINES - 1], f"... and {len(lines) - LINES + 1} more lines"])


def waiting_for(file: SourceFile, outcome: FileOutcome, violation: Violation, setup: RunSetup) -> Waiting:
    """What a violation waits for; nothing for what was ignored, a loss, or a finding that only the whole run shows."""
    if violation.resolution == "ignored":
        return Waiting()
    found = _at_its_place(file, violation, setup)
    return found if found.questions else replace(found, questions=tuple(_named_in_reason(outcome, violation)))


def _named_in_reason(outcome: FileOutcome, violation: Violation) -> Iterator[Question]:
    """The questions of the file that a reason points to: of a finding in what a Template makes only the reason knows."""
    for question in outcome.questions:
        group, *rest = split_decision_key(question.key)
        if f"under {group} in " in (violation.reason or "") and all(part in violation.message for part in rest[-1:]):
            yield question


def _at_its_place(file: SourceFile, violation: Violation, setup: RunSetup) -> Waiting:
    manifest, facts = manifest_of(file), facts_of(setup).seen_from(file.path)
    if manifest.status != "manifest" or violation.document >= len(manifest.documents):
        return Waiting()
    document = manifest.documents[violation.document]
    hits = [
        (rule, found, obj)
        for base, obj in every_object(document, facts, file.path)
        for rule, found in firing(obj, facts, fragment=is_fragment(manifest, document, facts))
        if rule.id == violation.rule_id and _same(describe(rule, found, obj, document, base), violation)
    ]
    questions = dict.fromkeys(q for hit in hits for q in _questions(*hit, facts))
    resources = dict.fromkeys(r for hit in hits for r in resources_for(*hit))
    return Waiting(tuple(questions), tuple(resources))


def _same(seen: Violation, wanted: Violation) -> bool:
    return (seen.path, seen.message) == (wanted.path, wanted.message)


def _questions(rule: Rule, found: Found, obj: Mapping[str, Any], facts: Facts) -> tuple[Question, ...]:
    try:
        conversion = conversion_of(rule, found, obj, facts)
    except CannotConvert as reason:
        return left_open(rule, found, obj, reason, facts).questions
    return conversion.questions if conversion else left_open(rule, found, obj, None, facts).questions
