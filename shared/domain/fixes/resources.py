"""Requests and limits: the amounts that a human decided, only where none are given; and, to choose, those that AKS would set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.pods import AMOUNTS_KEY
from shared.domain.convert.base import CannotConvert, Conversion, Op
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.mutation import mutated_amounts
from shared.domain.pointer import MISSING, child, get

EXAMPLE = "requests.cpu=100m, requests.memory=128Mi, limits.memory=512Mi"
QUESTION = Question(
    AMOUNTS_KEY, "Which requests and limits does a container get that sets none? (Measure first: too little memory kills it.)", EXAMPLE
)
AMOUNT = re.compile(r"(requests|limits)\.(cpu|memory)=(\d+(?:\.\d+)?(?:m|Ki|Mi|Gi|k|M|G)?)")


@fix("container-resources", Nothing)
def container_resources(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Add the missing amounts of the Decision; raises CannotConvert with its question where there is none, or it is unreadable."""
    wanted = _amounts(facts.decision(AMOUNTS_KEY))
    missing = [m.partition(".")[::2] for m in found.fields["value"].split(", ")]
    if not wanted or any((part, what) not in wanted for part, what in missing):
        raise CannotConvert("The amounts are yours to choose: nothing in a manifest says what a container needs.", QUESTION, found.path)
    resources: dict[str, Any] = {}
    for part, what in missing:
        resources.setdefault(part, {})[what] = wanted[part, what]
    present = get(obj, found.path)
    if not isinstance(present, dict):
        return Conversion((Op("add" if present is MISSING else "replace", found.path, resources),))
    return Conversion(tuple(op for part, amounts in resources.items() for op in _merged(present, child(found.path, part), part, amounts)))


def _merged(present: Mapping[str, Any], path: str, part: str, amounts: Mapping[str, str]) -> list[Op]:
    if isinstance(present.get(part), dict):
        return [Op("add", child(path, what), amount) for what, amount in amounts.items()]
    return [Op("replace" if part in present else "add", path, dict(amounts))]


def _amounts(answer: object) -> dict[tuple[str, str], str]:
    """The Decision's amounts by (requests or limits, cpu or memory); {} where it is no such list."""
    parts = [AMOUNT.fullmatch(p.strip()) for p in answer.split(",")] if isinstance(answer, str) else []
    return {(m[1], m[2]): m[3] for m in parts if m} if all(parts) else {}


@fix("mutated-amounts", Nothing)
def mutated_amounts_written(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """What AKS would make of the container's requests and limits, so that Git says what the cluster runs."""
    present = get(obj, found.path)
    resources = present if isinstance(present, dict) else {}
    operations: list[Op] = []
    added: dict[str, dict[str, Any]] = {}
    for part, name, value in mutated_amounts(resources):
        if isinstance(resources.get(part), dict):
            operations.append(Op("replace" if name in resources[part] else "add", child(found.path, part, name), value))
        else:
            added.setdefault(part, {})[name] = value
    if not isinstance(present, dict):
        return Conversion((Op("add" if present is MISSING else "replace", found.path, added),))
    adding = (Op("replace" if part in present else "add", child(found.path, part), amounts) for part, amounts in added.items())
    return Conversion((*operations, *adding))
