"""What a rule proposes at one place: the fix, the Azure resources its finding calls for, the new kind it would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks import Found
from shared.domain.convert.base import AsDecided, Conversion, Op
from shared.domain.facts import Facts
from shared.domain.fixes import FIXES
from shared.domain.inspector import Fields
from shared.domain.model import ResourceRef, Retyping
from shared.domain.needs import AzureResource
from shared.domain.pointer import get
from shared.domain.rulebook import Rule


def conversion_of(rule: Rule, found: Found, obj: Mapping[str, Any], facts: Facts) -> Conversion | None:
    """What the rule's fix does at a place; None where the rule has no fix. Raises CannotConvert.

    An answer that says what stands there already is a decision to leave it.
    """
    if rule.fix is None:
        return None
    mechanism = FIXES[rule.fix.how]
    conversion = mechanism.propose(obj, found, mechanism.params.model_validate(rule.fix.params), facts)
    if conversion.operations and not conversion.insert_after and all(_says_the_same(obj, o) for o in conversion.operations):
        raise AsDecided("The answer leaves it as it is.", path=found.path)
    return conversion


def _says_the_same(obj: Mapping[str, Any], operation: Op) -> bool:
    return operation.op == "replace" and get(obj, operation.path) == operation.value


def resources_for(rule: Rule, found: Found, obj: Mapping[str, Any]) -> list[AzureResource]:
    """The Azure resources that a finding calls for, whatever becomes of it."""
    fields = Fields(found, obj)
    return [AzureResource(*(text.format_map(fields) for text in (r.kind, r.name, r.why, r.command))) for r in rule.resources]


def retyping_of(obj: Mapping[str, Any], conversion: Conversion) -> Retyping | None:
    """The new apiVersion and kind that a conversion gives an object; None where it keeps both."""
    new = {o.path: o.value for o in conversion.operations if o.op == "replace" and o.path in ("/apiVersion", "/kind")}
    api_version, kind = new.get("/apiVersion", obj["apiVersion"]), new.get("/kind", obj["kind"])
    return Retyping(ResourceRef.of(obj), api_version, kind) if (api_version, kind) != (obj["apiVersion"], obj["kind"]) else None
