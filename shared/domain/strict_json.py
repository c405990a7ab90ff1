"""JSON of strangers, with one meaning for every parser: no key twice, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from shared.domain.pointer import JsonValue


def parse_strictly(text: str) -> JsonValue:
    """The value of a JSON text. Raises ValueError, also where it nests too deep to be read."""
    try:
        value: JsonValue = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are distinct: parsers differ in which of two they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
