"""The repair loop: ask, hold the answer against the boundary, prove it, feed the precise reason back; at most three tries.

A pure function over the `Model` port and a proof. What comes out is accepted operations with their proven bytes, a drafted Decision that
nobody has taken, or a refusal with every reason of every try. Nothing in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.domain.advice import Draft, Snippet
from shared.domain.convert.base import Op
from shared.domain.errors import EditRefused, ProofFailed, ValidationError
from shared.domain.language_model import Answer, Message, Model, Usage
from shared.domain.llm.answer import ANSWER_SCHEMA, MAX_TEXT, Candidate, parse, unprintable
from shared.domain.llm.case import Case
from shared.domain.llm.grounding import grounds, invented, unasked
from shared.domain.llm.limits import moved, offences
from shared.domain.llm.prompt import MAX_SNIPPETS, feedback, question, redactor_of
from shared.domain.llm.redaction import Redactor
from shared.domain.llm.trial import Prove
from shared.domain.model import PatchOperation
from shared.domain.report.credentials import redact

MAX_TRIES = 3
GAVE_UP = "The model proposes no change."


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of asking. `data` are the file's proven bytes with the operations; `reasons` those of every refused try, in order."""

    status: Literal["accepted", "drafted", "refused"]
    operations: tuple[PatchOperation, ...] = ()
    data: bytes | None = None
    draft: Draft | None = None
    explanation: str = ""
    sources: tuple[Snippet, ...] = ()
    """What the answer names as its sources, and what new words in it come from."""
    grounds: tuple[Snippet, ...] = ()
    """The second of these."""
    reasons: tuple[str, ...] = ()
    tries: int = 0
    usage: Usage = field(default_factory=Usage)
    model: str = ""


class _Refused(Exception):  # noqa: N818 (never leaves this module)
    """One answer does not get through; `final` where another try could not either."""

    def __init__(self, reasons: Sequence[str], *, final: bool = False) -> None:
        super().__init__("; ".join(reasons))
        self.reasons, self.final = tuple(reasons), final


def repair(case: Case, model: Model, prove: Prove) -> Repair:
    """Ask about a case until an answer holds. Raises TransientError or CriticalError of the model; all else is a refusal."""
    redactor, result = redactor_of(case), Repair("refused")
    try:
        messages = question(case, redactor)
    except ValidationError as error:
        return replace(result, reasons=(str(error),))
    while result.tries < MAX_TRIES:
        try:
            answer = model.complete(messages, ANSWER_SCHEMA)
        except ValidationError as error:
            return replace(result, reasons=(*result.reasons, str(error)))
        result = replace(result, tries=result.tries + 1, usage=result.usage + answer.usage, model=answer.model)
        try:
            return _judged(case, answer, redactor, prove, result)
        except _Refused as refused:
            result = replace(result, reasons=(*result.reasons, *map(redact, refused.reasons)))
            if refused.final:
                break
            messages = _next(messages, refused, answer, redactor)
    return result


def _next(messages: list[Message], refused: _Refused, answer: Answer, redactor: Redactor) -> list[Message]:
    return [*messages, *feedback(refused.reasons, answer.value, redactor)]


def _judged(case: Case, answer: Answer, redactor: Redactor, prove: Prove, so_far: Repair) -> Repair:
    """An answer that holds. Raises _Refused."""
    if answer.problem is not None:
        raise _Refused([f"{answer.problem[:1].upper()}{answer.problem[1:]}."])
    try:
        candidate = parse(answer.value)
    except ValidationError as error:
        raise _Refused([str(error)]) from error
    so_far = replace(so_far, explanation=redactor.without(candidate.explanation), sources=_sources(case, candidate))
    if case.questions:
        return replace(so_far, status="drafted", draft=_drafted(case, candidate, redactor))
    operations = _bounded(case, candidate, redactor)
    try:
        data = prove(operations)
    except (EditRefused, ProofFailed) as error:
        raise _Refused([f"Not proven: {error}"]) from error
    found = grounds(case, [Op(o.op, o.path.removeprefix(case.prefix), o.value) for o in operations])
    sources = tuple(dict.fromkeys((*so_far.sources, *found)))
    return replace(so_far, status="accepted", operations=operations, data=data, sources=sources, grounds=found)


def _sources(case: Case, candidate: Candidate) -> tuple[Snippet, ...]:
    given = {f"S{n}": s for n, s in enumerate(case.snippets[:MAX_SNIPPETS], start=1)}
    if not given.keys() >= set(candidate.sources):
        raise _Refused(["The answer names a source that was not given."])
    return tuple(given[s] for s in candidate.sources)


def _bounded(case: Case, candidate: Candidate, redactor: Redactor) -> tuple[PatchOperation, ...]:
    """The operations over the file's documents, placeholders restored; all of them `unsafe`: only a rule knows what is rollout-neutral."""
    if candidate.draft is not None:
        raise _Refused(["No question is open here, so there is no decision to draft."])
    if not candidate.operations:
        raise _Refused([GAVE_UP], final=True)
    carried = moved(redactor, case.obj, candidate.operations)
    if carried:
        raise _Refused(carried)
    try:
        restored = [Op(o.op, redactor.restore_text(o.path), redactor.restore(o.value)) for o in candidate.operations]
    except ValidationError as error:
        raise _Refused([f"{str(error)[:1].upper()}{str(error)[1:]}."]) from error
    found = offences(case.obj, restored, case.allowed) or [*invented(case, restored), *unasked(case, restored)]
    if found:
        raise _Refused(found)
    return tuple(PatchOperation(o.op, case.prefix + o.path, case.rule.id, o.value, "llm", "unsafe") for o in restored)


def _drafted(case: Case, candidate: Candidate, redactor: Redactor) -> Draft:
    """The proposed answer to one of the questions: text for a comment in the decisions file, never more."""
    if candidate.operations:
        raise _Refused(["A human decides this: no operations are taken, only a drafted decision."])
    if candidate.draft is None:
        raise _Refused([GAVE_UP], final=True)
    try:
        key, value = redactor.restore_text(candidate.draft.key), redactor.restore_text(candidate.draft.value)
    except ValidationError as error:
        raise _Refused(["The drafted decision names a placeholder that was never given out."]) from error
    if key not in {q.key for q in case.questions}:
        raise _Refused(["The drafted decision is for a key that nobody asked for."])
    if redactor.secrets_in(candidate.draft.value):
        raise _Refused(["The drafted decision holds a secret."])
    if not value.strip() or len(value) > MAX_TEXT or "\n" in value or unprintable(value):
        raise _Refused([f"The drafted decision is not one line of at most {MAX_TEXT} characters."])
    return Draft(key, value)
