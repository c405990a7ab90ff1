"""Fixes of whole objects: take one away, or give it another apiVersion and kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import Conversion, Loss, Op
from shared.domain.convert.edits import retype
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.pointer import child
from shared.domain.rulebook import Closed


class RetypeParams(Closed):
    """The new `api_version` and `kind`, and the top-level fields the new kind has (the others go, each one a loss)."""

    api_version: str
    kind: str
    keep: tuple[str, ...]


@fix("drop-object", Nothing)
def drop_object(_: Mapping[str, Any], __: Found, ___: Nothing, ____: Facts) -> Conversion:
    """Remove the whole object."""
    return Conversion((Op("remove", ""),))


@fix("retype", RetypeParams)
def retype_object(obj: Mapping[str, Any], _: Found, params: RetypeParams, __: Facts) -> Conversion:
    """Another apiVersion and kind; top-level fields that the new kind does not know are removed and reported."""
    gone = [f for f in obj if f not in ("apiVersion", "kind", *params.keep)]
    operations = (*retype(obj, params.api_version, params.kind), *(Op("remove", child("", f)) for f in gone))
    left = [f for f in gone if f != "status" and obj[f]]
    losses = tuple(Loss(child("", f), f"The field {f} of the {obj['kind']} has no place in a {params.kind}; it is left out.") for f in left)
    return Conversion(operations, losses=losses)
