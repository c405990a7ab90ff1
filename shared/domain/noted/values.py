"""Reading values of untrusted shape: what is not of the expected type counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.paths import expand
from shared.domain.pointer import JsonValue, get

Noted = dict[str, JsonValue]


def filled(facts: Noted) -> Noted:
    """The facts that say something."""
    return {key: value for key, value in facts.items() if value not in (None, [], {}, "")}


def items(obj: Mapping[str, Any], pattern: str) -> list[dict[str, Any]]:
    """Every mapping that a pattern of `paths.expand` names."""
    return [value for path in expand(obj, pattern) if isinstance(value := get(obj, path), dict)]


def texts(obj: Mapping[str, Any], pattern: str) -> list[str]:
    """Every text that a pattern names; empty ones say nothing."""
    return [value for path in expand(obj, pattern) if isinstance(value := get(obj, path), str) and value]


def strings(value: Any) -> list[str]:
    """The texts of a list, each once, sorted."""
    return sorted({v for v in value if isinstance(v, str) and v}) if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A text or a number as text."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def number(value: Any) -> int | None:
    """A whole number; `true` is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def annotation(obj: Mapping[str, Any], key: str) -> Any:
    """The value of an annotation, of whatever type; None where it is absent."""
    notes = get(obj, "/metadata/annotations")
    return notes.get(key) if isinstance(notes, dict) else None
