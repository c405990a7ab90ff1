"""Patterns inside free text (environment values, arguments, ConfigMap data): addresses and host names of the old cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, field_validator

from shared.domain.checks.base import Found, check
from shared.domain.checks.basic import When, keys_on_the_way
from shared.domain.facts import Facts
from shared.domain.paths import expand
from shared.domain.pointer import child, get


class TextParams(When):
    """`pattern` is a regular expression; what it matches (its last group that took part, where it has any) is the finding's `value`.

    What is itself an answer of the Decisions under `chosen_by` was put there by a human, and no finding.
    """

    paths: tuple[str, ...] = Field(min_length=1)
    pattern: str
    chosen_by: str | None = None

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        re.compile(pattern)
        return pattern


@check("text", TextParams, keys=keys_on_the_way)
def text(obj: Mapping[str, Any], params: TextParams, facts: Facts) -> Iterator[Found]:
    """Fires once per object and matched value, at its first place; never inside a Secret."""
    if obj.get("kind") == "Secret" or not params.holds(obj):
        return
    answers = facts.decision(params.chosen_by) if params.chosen_by else None
    seen = {a for a in answers.values() if isinstance(a, str)} if isinstance(answers, dict) else set()
    for path, value in (s for pattern in params.paths for p in expand(obj, pattern) for s in strings(get(obj, p), p)):
        for match in re.finditer(params.pattern, value):
            shown = match[match.lastindex or 0]
            if shown not in seen:
                seen.add(shown)
                yield Found(path, {"value": shown})


def strings(value: object, at: str) -> Iterator[tuple[str, str]]:
    """(pointer, string) of every string at or below a value."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, child(at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from strings(inner, child(at, i))
