"""The general fixes: remove, set, map, rename a key, convert the whole object."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.convert.base import AsDecided, CannotConvert, Conversion, Op, Unanswered, decision_key
from shared.domain.convert.registry import CONVERSIONS
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.pointer import MISSING, JsonValue, child, get, parent, split
from shared.domain.rulebook import Closed

KEEP = "keep"
"""The answer that a name or an address stays as it is: AKS reaches it."""
ADDRESSES_ONLY = ("Endpoints", "EndpointSlice")
"""Kinds whose entries take no host name in the place of an address."""


class SetParams(Closed):
    """`value` written at the found place."""

    value: JsonValue


class MapParams(Closed):
    """Old value -> new value; a value that is not in the map is not changed."""

    values: dict[str, JsonValue]


class RenameParams(Closed):
    """Old key -> new key."""

    keys: dict[str, str]


class ConvertParams(Closed):
    """`name` of a conversion in shared/domain/convert."""

    name: str


class AnswerParams(Closed):
    """`family` of the Decision on a name; `write`: whether the answer takes the name's place, or a person has more to do."""

    family: str
    write: bool = True


class RemoveParams(Closed):
    """`also`: further fields that mean nothing without the found one."""

    also: tuple[str, ...] = ()


@fix("remove", RemoveParams)
def remove(obj: Mapping[str, Any], found: Found, params: RemoveParams, _: Facts) -> Conversion:
    """Take the found field away, and a mapping or list that it leaves empty (up to the object's top-level fields)."""
    also = [Op("remove", p) for p in params.also if get(obj, p) is not MISSING]
    return Conversion((Op("remove", emptied(obj, found.path)), *also))


def emptied(obj: Mapping[str, Any], path: str) -> str:
    """What goes with the value at a path: itself, or the outermost mapping or list that would be left empty."""
    while len(split(path)) > 2 and len(get(obj, parent(path))) == 1 and split(parent(path))[-1] not in KEPT_EMPTY:
        path = parent(path)
    return path


KEPT_EMPTY = frozenset({"metadata", "spec", "data", "template", "emptyDir"})
"""Mappings that mean something empty, or that an object must have."""


@fix("set", SetParams)
def set_value(obj: Mapping[str, Any], found: Found, params: SetParams, _: Facts) -> Conversion:
    """Write a value at the found place."""
    op = "add" if get(obj, found.path) is MISSING else "replace"
    return Conversion((Op(op, found.path, params.value),))  # type: ignore[arg-type]


@fix("map", MapParams)
def map_value(obj: Mapping[str, Any], found: Found, params: MapParams, _: Facts) -> Conversion:
    """Replace a value by what the rule's table says."""
    value = get(obj, found.path)
    if not isinstance(value, str) or value not in params.values:
        raise CannotConvert("The value is not in the rule's table.")
    return Conversion((Op("replace", found.path, params.values[value]),))


@fix("rename-key", RenameParams)
def rename_key(obj: Mapping[str, Any], found: Found, params: RenameParams, _: Facts) -> Conversion:
    """Give a key its new name; where the new one is there with the same value, the old one just goes."""
    old = split(found.path)[-1]
    if old not in params.keys:
        raise CannotConvert("The key is not in the rule's table.")
    target = child(parent(found.path), params.keys[old])
    value, there = get(obj, found.path), get(obj, target)
    if there is MISSING:
        return Conversion((Op("add", target, value), Op("remove", found.path)))
    if there == value:
        return Conversion((Op("remove", found.path),))
    raise CannotConvert(f"Both {old} and {params.keys[old]} are set, to different values.", path=found.path)


@fix("convert", ConvertParams)
def convert(obj: Mapping[str, Any], _: Found, params: ConvertParams, facts: Facts) -> Conversion:
    """Translate the whole object."""
    return CONVERSIONS[params.name](dict(obj), facts)


@fix("answered-text", AnswerParams)
def answered_text(obj: Mapping[str, Any], found: Found, params: AnswerParams, facts: Facts) -> Conversion:
    """Put the answer in the place of the found name, wherever the text at the found place holds it; `keep` leaves it."""
    name, text = found.fields["value"], get(obj, found.path)
    answer = facts.decision(decision_key(params.family, name))
    if not isinstance(answer, str):
        raise Unanswered(found.path)
    if answer == KEEP:
        raise AsDecided("Kept, as decided.", path=found.path)
    if not params.write or not isinstance(text, str) or (obj["kind"] in ADDRESSES_ONLY and not _is_address(answer)):
        raise CannotConvert(f"Decided as {answer}, which must be written here by hand.", path=found.path)
    new = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", lambda _: answer, text)
    return Conversion((Op("replace", found.path, new),))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
