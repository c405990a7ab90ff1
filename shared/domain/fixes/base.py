"""What a fix is: a function from a found place to a Conversion, or CannotConvert with the question to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.convert.base import Conversion, Op
from shared.domain.facts import Facts
from shared.domain.pointer import MISSING, JsonValue, get, join, split
from shared.domain.rulebook import Closed


@dataclass(frozen=True, slots=True)
class FixMechanism:
    """A named way to mend. `propose` gets the object, the found place, the validated parameters and the facts."""

    params: type[Closed]
    propose: Callable[[Mapping[str, Any], Found, Any, Facts], Conversion]


FIXES: dict[str, FixMechanism] = {}


def fix(name: str, params: type[Closed]) -> Callable[[Callable[..., Conversion]], Callable[..., Conversion]]:
    """Register a function as the fix of this name."""

    def register(function: Callable[..., Conversion]) -> Callable[..., Conversion]:
        FIXES[name] = FixMechanism(params, function)
        return function

    return register


def put(obj: Mapping[str, Any], path: str, value: JsonValue) -> Op:
    """The operation that writes a value at a path, whose parents may be missing or null."""
    tokens = split(path)
    for depth in range(1, len(tokens)):
        if not isinstance(get(obj, join(tokens[:depth])), (dict, list)):
            for token in reversed(tokens[depth:]):
                value = {token: value}
            path = join(tokens[:depth])
            break
    return Op("add" if get(obj, path) is MISSING else "replace", path, value)
