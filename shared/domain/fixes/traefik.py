"""The verdict on an object that only Traefik reads: never a change, always the reason and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import CannotConvert, Conversion
from shared.domain.convert.traefik_verdicts import MIDDLEWARES, OBJECTS, middleware_type
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix


@fix("traefik-verdict", Nothing)
def traefik_verdict(obj: Mapping[str, Any], _: Found, __: Nothing, ___: Facts) -> Conversion:
    """Raises CannotConvert with the verdict of the table on this kind, or on this type of Middleware."""
    if obj["kind"] in OBJECTS:
        raise CannotConvert(f"{obj['kind']} on AKS: {OBJECTS[obj['kind']].sentence}.")
    kind = middleware_type(obj.get("spec"))
    if kind is None or kind not in MIDDLEWARES:
        raise CannotConvert("Its type is not known; look at each route that uses it.")
    raise CannotConvert(f"Type {kind} on AKS: {MIDDLEWARES[kind].sentence}.")
