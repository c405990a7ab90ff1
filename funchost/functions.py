"""The functions of an app as the host checks them before anything starts: one clear line for what it cannot serve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from funchost.connections import DEFAULT_CONNECTION
from funchost.errors import ConfigurationError
from funchost.settings import resolve_percent
from funchost.worker import Indexed

SERVED = ("queueTrigger", "blobTrigger", "httpTrigger", "timerTrigger")
_FUNCTION_NAME = re.compile(r"^(?!host$)[a-z][a-z0-9_\-]{0,127}$", re.IGNORECASE)
_QUEUE_NAME = re.compile(r"^(?!-)(?!.*--)[a-z0-9-]{3,63}(?<!-)$")
POISON_SUFFIX = "-poison"


@dataclass(frozen=True)
class FunctionSpec:
    """One function with its trigger's properties, every ``%SETTING%`` resolved."""

    name: str
    kind: str
    trigger: Mapping[str, Any]

    @property
    def connection(self) -> str:
        """The connection setting of a storage trigger."""
        return str(self.trigger.get("connection") or DEFAULT_CONNECTION)

    @property
    def data_type(self) -> str:
        """``STRING``, ``BINARY``, ``STREAM`` or empty."""
        return str(self.trigger.get("dataType") or "").upper()


def check_functions(
    indexed: Sequence[Indexed], environ: Mapping[str, str], only: tuple[str, ...] | None = None
) -> tuple[FunctionSpec, ...]:
    """The functions to serve: disabled ones and those outside ``only`` left out; raises ConfigurationError."""
    specs = tuple(
        _spec(function, environ)
        for function in indexed
        if not _disabled(function.name, environ) and (only is None or function.name in only)
    )
    unknown = set(only or ()) - {function.name for function in indexed}
    if unknown:
        raise ConfigurationError(f"host.json: functions names what is not in the app: {', '.join(sorted(unknown))}")
    if not specs:
        raise ConfigurationError("no functions found in the app")
    return specs


def poison_name(queue: str) -> str | None:
    """The poison queue of ``queue``; None for a poison queue itself and where the name would be too long."""
    if queue.endswith(POISON_SUFFIX) or not _QUEUE_NAME.match(queue + POISON_SUFFIX):
        return None
    return queue + POISON_SUFFIX


def _disabled(name: str, environ: Mapping[str, str]) -> bool:
    return environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in {"true", "1"}


def _spec(function: Indexed, environ: Mapping[str, str]) -> FunctionSpec:
    if not _FUNCTION_NAME.match(function.name):
        raise ConfigurationError(f"function {function.name!r}: the host accepts a letter, then letters, digits, '_' and '-'")
    if function.has_retry:
        raise ConfigurationError(f"function {function.name}: retry policies are not served; queues and blobs retry by host.json")
    _check_bindings(function)
    where = f"function {function.name}"
    trigger = {key: resolve_percent(value, environ, where) if isinstance(value, str) else value for key, value in function.trigger.items()}
    if trigger["type"] == "queueTrigger":
        trigger["queueName"] = _queue_name(function.name, str(trigger.get("queueName") or ""))
    return FunctionSpec(function.name, trigger["type"], trigger)


def _check_bindings(function: Indexed) -> None:
    trigger = function.trigger
    if trigger["type"] not in SERVED:
        raise ConfigurationError(f"function {function.name}: {trigger['type']} is not served by this host (served: {', '.join(SERVED)})")
    for binding in function.bindings:
        http_return = binding["type"] == "http" and binding["name"] == "$return" and trigger["type"] == "httpTrigger"
        if binding is not trigger and not http_return:
            raise ConfigurationError(f"function {function.name}: binding {binding['name']} ({binding['type']}) is not served by this host")


def _queue_name(function: str, name: str) -> str:
    lowered = name.lower()
    if not _QUEUE_NAME.match(lowered):
        raise ConfigurationError(f"function {function}: {name!r} is no valid queue name")
    return lowered
