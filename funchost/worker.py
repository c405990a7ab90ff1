"""The port between the host and whatever runs the functions.

Two implementations: ``library_worker`` (azure-functions alone, Python 3.11 and later) and ``runtime_worker`` (Microsoft's
own worker package, Python 3.13). Values cross the port as ``TypedData``, the shape of the real host's wire format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from funchost.errors import ConfigurationError


@dataclass(frozen=True)
class TypedData:
    """One value: ``kind`` is string, bytes, json, http, int, double, dict, list or None (as in the worker's Datum)."""

    kind: str | None
    value: Any

    @classmethod
    def text(cls, value: str) -> TypedData:
        """A string."""
        return cls("string", value)

    @classmethod
    def json(cls, value: object) -> TypedData:
        """A JSON document, given as Python values."""
        return cls("json", json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True)
class Indexed:
    """A function as the worker reports it: its name and its raw bindings (dicts of the JSON that the real host gets)."""

    name: str
    bindings: tuple[dict[str, Any], ...]
    has_retry: bool = False

    @property
    def trigger(self) -> dict[str, Any]:
        """The one trigger binding."""
        return next(binding for binding in self.bindings if str(binding["type"]).lower().endswith("trigger"))


@dataclass(frozen=True)
class Invocation:
    """What the host sends for one call: the trigger's value, its metadata and the W3C trace parent."""

    id: str
    function: str
    data: TypedData
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    trace_parent: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came back: the ``$return`` value, or the error as text with its traceback."""

    ok: bool
    value: TypedData | None = None
    error: str = ""
    traceback: str = ""


class Worker(Protocol):
    """Runs the functions of one app."""

    def index(self) -> tuple[Indexed, ...]:
        """Import the app and list its functions; raises ConfigurationError. Called once."""

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one function to its end, whatever it raises; never raises itself."""

    def stop(self) -> None:
        """Let go of threads; running synchronous functions are not waited for."""


def parse_bindings(function: str, raw: list[str]) -> tuple[dict[str, Any], ...]:
    """Raw bindings (JSON texts) as dicts; raises ConfigurationError when a function has no trigger."""
    bindings = tuple(json.loads(text) for text in raw)
    if not any(str(binding["type"]).lower().endswith("trigger") for binding in bindings):
        raise ConfigurationError(f"function {function} has no trigger")
    return bindings
