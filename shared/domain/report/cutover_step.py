"""A step of cutover.md. Steps name each other by key; the number is known when all of them are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.report.escape import code_block

_NAMED = re.compile(r"§(\w+)§")


@dataclass(frozen=True, slots=True)
class Step:
    """`lines` are Markdown; `§key§` in them stands for the number of another step."""

    key: str
    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps of one time."""

    title: str
    steps: Sequence[Step]


def numbered(phases: Sequence[Phase]) -> list[str]:
    """The phases that have steps, numbered through; `§key§` of a step that is not there reads `the step before`."""
    keys = [step.key for phase in phases for step in phase.steps]
    numbers = {key: f"step {n}" for n, key in enumerate(keys, 1)}
    lines: list[str] = []
    count = 0
    for phase in (p for p in phases if p.steps):
        lines += [f"## {phase.title}", ""]
        for step in phase.steps:
            count += 1
            lines += [f"### {count}. {step.title}", "", *step.lines, ""]
    text = _NAMED.sub(lambda m: numbers.get(m[1], m[0]), "\n".join(lines))
    return re.sub(r"\n{3,}", "\n\n", text).split("\n")


def fenced(*commands: str) -> list[str]:
    """Shell commands, one block, and an empty line."""
    return [*code_block("\n".join(commands), "sh"), ""]
