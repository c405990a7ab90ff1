"""How good a search is, over questions whose right article is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from shared.domain.errors import ValidationError

DEPTH = 10
"""How many documents of an answer count; a right one below them counts as not found."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and the slug of the article that answers it."""

    question: str
    article: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Of some questions: the share whose article came first, among the first three, and the mean of 1/rank (0 where not found)."""

    questions: int
    recall_1: float
    recall_3: float
    mrr: float
    missed: tuple[Labelled, ...] = ()
    """Those without their article among the first three."""


def read_questions(name: str, text: str) -> list[Labelled]:
    """A file of questions. Raises ValidationError where it has another form or holds none."""
    try:
        given: Any = yaml.safe_load(text)
        questions = [Labelled(str(item["question"]), str(item["article"])) for item in given]
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise ValidationError(f"{name}: not a list of questions with their article") from error
    if not questions:
        raise ValidationError(f"{name}: holds no question")
    return questions


def quality(questions: Sequence[Labelled], search: Callable[[str], Iterable[str]]) -> Quality:
    """Measure a search that gives slugs, best first. Raises ValidationError where there is no question."""
    if not questions:
        raise ValidationError("there is no question to measure with")
    ranks = [_rank(list(search(item.question))[:DEPTH], item.article) for item in questions]
    missed = tuple(item for item, rank in zip(questions, ranks, strict=True) if not 1 <= rank <= 3)
    count = len(questions)
    return Quality(count, ranks.count(1) / count, 1 - len(missed) / count, sum(1 / rank for rank in ranks if rank) / count, missed)


def _rank(found: list[str], article: str) -> int:
    """From 1; 0 where it is not there."""
    return found.index(article) + 1 if article in found else 0
