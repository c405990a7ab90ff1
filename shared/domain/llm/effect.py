"""What operations change: the object afterwards, and every leaf that differs. Plain comparison, with no opinion on what may."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonpatch
import jsonpointer

from shared.domain.convert.base import Op
from shared.domain.pointer import MISSING, JsonValue, child


def applied(obj: Mapping[str, Any], operations: Sequence[Op]) -> dict[str, Any] | None:
    """A changed copy of an object; None where an operation does not apply."""
    try:
        result = jsonpatch.JsonPatch([o.rfc6902() for o in operations]).apply(copy.deepcopy(dict(obj)))
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError, KeyError, IndexError):
        return None
    return result if isinstance(result, dict) else None


def changed(before: JsonValue, after: JsonValue) -> list[tuple[str, JsonValue]]:
    """(pointer, new value or MISSING) of every leaf that differs."""
    old, new = dict(leaves(before)), dict(leaves(after))
    paths = sorted(old.keys() | new.keys())
    return [(p, new.get(p, MISSING)) for p in paths if p not in old or not same(old[p], new.get(p, MISSING))]


def leaves(value: JsonValue, at: str = "") -> Iterator[tuple[str, JsonValue]]:
    """(pointer, value) of every scalar and every empty container."""
    if isinstance(value, (dict, list)) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, child(at, key))
    else:
        yield at, value


def lists(value: JsonValue, at: str = "") -> Iterator[tuple[str, list[JsonValue]]]:
    """(pointer, items) of every list."""
    if isinstance(value, list):
        yield at, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from lists(inner, child(at, key))


def same(one: JsonValue, other: JsonValue) -> bool:
    """Equality that tells 1 from true and from 1.0, as manifests do."""
    return type(one) is type(other) and one == other
