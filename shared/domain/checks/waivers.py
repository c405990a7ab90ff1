"""A team's ignore annotations (see `shared.domain.acceptance`), held against the rules that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.acceptance import PREFIX, ignored_rules
from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.pointer import child


@check("ignore-annotations", Nothing)
def ignore_annotations(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Each ignore annotation without a reason or of a rule that there is not: it does nothing. Fields: `value`, `problem`."""
    for rule_id, reason in ignored_rules(obj):
        known = any(rule.id == rule_id for rule in facts.knowledge.rulebook.rules)
        problem = "gives no reason" if not reason.strip() else None if known else "names no rule"
        if problem:
            yield Found(child("/metadata/annotations", PREFIX + rule_id), {"value": PREFIX + rule_id, "problem": problem})
