"""The Patcher: applies a plan to the text and proves the result; what does not prove out is refused, fix by fix.

A fix that the editor refuses or a proof rejects is blocked, with its reason, and the Thinker plans again without it:
one bad fix never costs the others, and the original stays where nothing holds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from shared.domain import editor
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.inspector import facts_of, inspect, manifest_of
from shared.domain.manifest import Manifest
from shared.domain.model import FileOutcome
from shared.domain.plan import FilePlan, Unit, UnitKey
from shared.domain.proofs import prove_quiet, prove_schema
from shared.domain.report.masking import masked_diff
from shared.domain.run import FileFindings, PatchedFile, RunSetup, SourceFile
from shared.domain.thinker import propose


class _Failure(Exception):  # noqa: N818 (never leaves this module)
    """One fix of a plan does not hold."""

    def __init__(self, unit: Unit, reason: str) -> None:
        super().__init__(reason)
        self.unit, self.reason = unit, reason


def patch(
    file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup, blocked: dict[UnitKey, str] | None = None
) -> PatchedFile:
    """Apply and prove a plan. Never raises for the file's sake: a fix that fails is refused and said so.

    `blocked` are the fixes that the plan leaves out, with the reason; those that fail join them.
    """
    blocked, repairs = {} if blocked is None else blocked, plan.repairs
    done = _by_rules(file, findings, plan, setup, blocked)
    if not repairs:
        return done
    from shared.domain.llm.taking import with_repairs  # noqa: PLC0415 (only where a language model was asked)

    return with_repairs(file, findings, done, repairs, setup, blocked)


def _by_rules(file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup, blocked: dict[UnitKey, str]) -> PatchedFile:
    while plan.operations:
        try:
            return _attempt(file, findings, plan, setup, blocked)
        except _Failure as failure:
            blocked[failure.unit.key] = f"Not changed: {failure.reason}"
            plan = propose(file, findings, setup, blocked)
    outcome = FileOutcome(
        file.path, findings.status, findings.reason, findings.documents, plan.violations or findings.violations, (), plan.suggestions,
        resources=plan.resources, questions=plan.questions, askable=plan.askable,
    )  # fmt: skip
    return PatchedFile(outcome, file.data)


def _attempt(file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup, blocked: dict[UnitKey, str]) -> PatchedFile:
    manifest = manifest_of(file)
    try:
        after = editor.apply_operations(manifest, plan.operations)
    except EditRefused as error:
        raise _Failure(_unit_at(plan, error.operation or 0), str(error)) from error
    try:
        _prove(file, manifest, plan, after, setup, blocked)
    except ProofFailed as error:
        raise _Failure(_culprit(file, manifest, findings, plan, setup, blocked), str(error)) from error
    gone = after == b""
    outcome = FileOutcome(
        file.path, "patched", None, findings.documents, plan.violations, plan.operations, plan.suggestions,
        plan.listeners, plan.resources, plan.questions, plan.retyped, removed=gone, askable=plan.askable,
    )  # fmt: skip
    return PatchedFile(outcome, None if gone else after, masked_diff(file.path, file.data, None if gone else after))


def _prove(file: SourceFile, manifest: Manifest, plan: FilePlan, after: bytes, setup: RunSetup, blocked: dict[UnitKey, str]) -> None:
    """All proofs of DESIGN 6.2. Raises ProofFailed."""
    facts = facts_of(setup)
    proven = editor.prove(manifest, plan.operations, after)
    prove_schema(manifest, proven, facts.typed_target.kubernetes_version)
    prove_quiet(plan.violations, plan.violations, proven, facts)
    again = SourceFile(file.path, after)
    known = {rule for rule, _, _ in blocked}
    more = [o for o in propose(again, inspect(again, setup), setup).operations if o.rule_id not in known]
    if more:
        raise ProofFailed(f"{more[0].rule_id} would change the result again.")


def _unit_at(plan: FilePlan, operation: int) -> Unit:
    """The fix that an operation belongs to."""
    ends = accumulate(u.count for u in plan.units)
    return next((u for u, end in zip(plan.units, ends, strict=True) if operation < end), plan.units[-1])


def _culprit(
    file: SourceFile, manifest: Manifest, findings: FileFindings, plan: FilePlan, setup: RunSetup, blocked: dict[UnitKey, str]
) -> Unit:
    """The first fix at which the text's or the schema's proof breaks; where the whole holds there, the one that `_not_quiet` finds."""
    version = facts_of(setup).typed_target.kubernetes_version

    def breaks(end: int) -> bool:
        part = plan.operations[:end]
        try:
            prove_schema(manifest, editor.prove(manifest, part, editor.apply_operations(manifest, part)), version)
        except (EditRefused, ProofFailed):
            return True
        return False

    ends = zip(plan.units, accumulate(u.count for u in plan.units), strict=True)
    first = next((unit for unit, end in ends if breaks(end)), None) if breaks(len(plan.operations)) else None
    return first or _not_quiet(file, findings, plan, setup, blocked)


def _not_quiet(file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup, blocked: dict[UnitKey, str]) -> Unit:
    """The one fix without which everything proves out; of several bad ones the first."""

    def holds(left_out: Iterable[UnitKey]) -> bool:
        without = {**blocked, **dict.fromkeys(left_out, "tried without")}
        less, manifest = propose(file, findings, setup, without), manifest_of(file)
        try:
            _prove(file, manifest, less, editor.apply_operations(manifest, less.operations), setup, without)
        except (EditRefused, ProofFailed):
            return False
        return True

    keys = [unit.key for unit in plan.units]
    alone = next((unit for unit in plan.units if holds([unit.key])), None)
    if alone or len(keys) < 3:
        return alone or plan.units[-1]
    bad = bisect_left(range(len(keys)), True, key=lambda last: not holds(set(keys[last + 1 :]) - set(keys[: last + 1])))
    return plan.units[min(bad, len(keys) - 1)]
