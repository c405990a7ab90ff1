"""What is said of a finding that no fix mends now, and the questions whose answers would: never a guess in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.domain.checks import Found
from shared.domain.convert.base import AsDecided, CannotConvert, decision_key, split_decision_key
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.facts import Facts
from shared.domain.inspector import Fields
from shared.domain.model import Question, Resolution
from shared.domain.rulebook import Rule
from shared.domain.wording import sentence


class Left(NamedTuple):
    """The verdict on a finding, and what to ask for it."""

    resolution: Resolution
    reason: str | None
    questions: tuple[Question, ...] = ()


def left_open(rule: Rule, found: Found, obj: Mapping[str, Any], reason: CannotConvert | None, facts: Facts) -> Left:
    """`reason` is why the fix cannot be made, None where the rule has none; it may bring questions of its own."""
    if reason is None and rule.harmless:
        return Left("ignored", rule.harmless)
    if isinstance(reason, AsDecided):
        return Left("ignored", sentence(str(reason)))
    own, brought = (reason.question, reason.questions) if reason else (None, ())
    question = own or _question(rule, found, obj)
    if question is not None and not own and facts.decision(question.key) is not None:
        if rule.fix is None:
            return Left("ignored", f"Answered in {DECISIONS}.", brought)
        question = None
    asked = (*brought, *((question,) if question else ()))
    said = sentence(str(reason or "")) or rule.advice or (question.question if question else None)
    return Left("needs-human", _with_place(said, asked), asked)


def _question(rule: Rule, found: Found, obj: Mapping[str, Any]) -> Question | None:
    if rule.ask is None:
        return None
    said = Fields(found, obj)
    key = rule.ask.key.format_map(Fields(found, obj, whole=True))
    return Question(decision_key(*split_decision_key(key)), rule.ask.question.format_map(said), rule.ask.example.format_map(said))


def _with_place(said: str | None, questions: tuple[Question, ...]) -> str | None:
    """What is said of a finding, with the group of Decisions that its question belongs to; one place for all findings alike."""
    groups = dict.fromkeys(split_decision_key(q.key)[0] for q in questions)
    if not groups or DECISIONS in (said or ""):
        return said
    stop = "" if (said or "").endswith((".", "?", "!", ")")) else "."
    return f"{said}{stop} Answer it under {' and '.join(groups)} in {DECISIONS}."
