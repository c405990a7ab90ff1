"""The general fixes: remove, set, map, rename a key, convert the whole object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.convert.base import CannotConvert, Conversion, Op
from shared.domain.convert.registry import CONVERSIONS
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.pointer import MISSING, JsonValue, child, get, parent, split
from shared.domain.rulebook import Closed


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
