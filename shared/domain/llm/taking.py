"""What the Patcher does with a model's repairs: each is held against the boundary and proven anew, whatever the message says of it.

In a run of mode `apply` what holds is applied after the rules' fixes; in mode `suggest` it becomes a suggestion. What does not hold is
refused with the reason, and the rest of the file stays as the rules left it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.domain.advice import Advice
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.llm.bench import Bench
from shared.domain.model import ModelRepair, Violation
from shared.domain.plan import UnitKey
from shared.domain.report.masking import masked_diff
from shared.domain.run import FileFindings, PatchedFile, RunSetup, SourceFile
from shared.domain.thinker import places_left

CURED = "Went away with a change of the language model."


def with_repairs(
    file: SourceFile, findings: FileFindings, done: PatchedFile, repairs: Sequence[ModelRepair], setup: RunSetup,
    blocked: Mapping[UnitKey, str],
) -> PatchedFile:  # fmt: skip
    """What the rules made of a file, with what holds of the repairs."""
    if setup.model == "off" or done.data is None:
        return done
    bench = Bench(SourceFile(file.path, done.data), places_left(file, findings, setup, blocked), setup)
    left = {v.key for v in done.outcome.violations if v.resolution == "needs-human"}
    held = [_held(bench, repair) for repair in repairs if repair.key in left]
    violations = tuple(_told(done.outcome.violations, held, bench))
    made = tuple(o for repair in held for o in repair.operations)
    outcome = replace(done.outcome, violations=violations, repairs=tuple(repairs))
    if setup.model == "suggest" or not made:
        return replace(done, outcome=replace(outcome, suggestions=(*outcome.suggestions, *made)))
    outcome = replace(outcome, status="patched", reason=None, operations=(*outcome.operations, *made))
    return PatchedFile(outcome, bench.file.data, masked_diff(file.path, file.data, bench.file.data))


def _held(bench: Bench, repair: ModelRepair) -> ModelRepair:
    """A repair as it may stand: without operations, and refused, where they do not hold here."""
    if repair.advice.status != "accepted":
        return replace(repair, operations=())
    try:
        data = bench.proven(repair)
    except (EditRefused, ProofFailed) as error:
        return replace(repair, operations=(), advice=repair.advice.refused(f"Not proven by the Patcher: {error}"))
    if bench.setup.model == "apply":
        bench.take(repair.operations, data)
    return repair


def _told(violations: Sequence[Violation], held: Sequence[ModelRepair], bench: Bench) -> Iterator[Violation]:
    """Each violation with what became of it, and what the model said."""
    by_key = {repair.key: repair for repair in held}
    applied = [o for repair in held for o in repair.operations] if bench.setup.model == "apply" else []
    for violation in violations:
        repair = by_key.get(violation.key)
        if repair is not None:
            yield _answered(violation, repair, bench)
        elif applied and _cured(violation, bench):
            yield violation.resolved("ignored", CURED)
        else:
            yield violation


def _answered(violation: Violation, repair: ModelRepair, bench: Bench) -> Violation:
    advised = replace(violation, advice=repair.advice)
    if repair.operations and bench.setup.model == "apply":
        return advised.resolved("fixed", f"Changed by a language model. {said(repair.advice)}")
    if repair.operations:
        return advised.resolved("suggested", f"Suggested by a language model, applied where LLM_MODE is apply. {said(repair.advice)}")
    return advised.resolved("ignored", CURED) if _cured(violation, bench) else advised


def _cured(violation: Violation, bench: Bench) -> bool:
    """Whether a violation that was left is gone since."""
    return violation.resolution == "needs-human" and violation.key in bench.places and bench.violation(violation.key) is None


def said(advice: Advice) -> str:
    """The model's explanation and its sources as plain text."""
    read = "; ".join(f"{title} ({source})" for title, source in advice.sources)
    told = f"{advice.model or 'It'} says: {advice.explanation}" if advice.explanation else ""
    return " ".join(filter(None, (told, f"It read: {read}." if read else "")))
