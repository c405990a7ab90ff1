"""Whether a rule names checks, fixes and sources that exist, with parameters that they take: what its schema cannot know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError as SchemaError

from shared.domain.checks import CHECKS
from shared.domain.checks.base import Check
from shared.domain.errors import ValidationError, first_problem
from shared.domain.fixes import FIXES, FixMechanism
from shared.domain.knowledge import Knowledge
from shared.domain.rulebook import Rule
from shared.domain.yaml_lines import line_of


def usable(knowledge: Knowledge, texts: Mapping[str, str]) -> Knowledge:
    """The same, held against the program. Raises ValidationError with file, line and reason where a rule could not run."""
    for path, rule in knowledge.own:
        unknown = sorted(set(rule.sources) - {"any", *knowledge.profiles})
        problems = [f"sources: no profile {unknown[0]!r}"] if unknown else problems_of(rule)
        if problems:
            place = problems[0].split(":")[0].split()[0].split(".")
            raise ValidationError(f"knowledge: {path}:{line_of(texts[path], place)}: {problems[0]}")
    return knowledge


def problems_of(rule: Rule) -> list[str]:
    """Names of checks and fixes that do not exist, parameters that they do not take, texts with stray braces."""
    parts: list[tuple[str, str, Mapping[str, Check | FixMechanism], dict[str, Any]]] = [
        ("match.check", rule.match.check, CHECKS, rule.match.params)
    ]
    if rule.fix:
        parts.append(("fix.how", rule.fix.how, FIXES, rule.fix.params))
    problems = []
    for field, name, known, params in parts:
        if name not in known:
            problems.append(f"{field}: no {name!r}; known: {', '.join(sorted(known))}")
            continue
        try:
            known[name].params.model_validate(params)
        except SchemaError as error:
            problems.append(f"{field} {name}: {first_problem(error)}")
    try:
        rule.message.format_map(defaultdict(str))
    except ValueError as error:
        problems.append(f"message: {error}")
    return problems
