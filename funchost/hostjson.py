"""host.json, read as strictly as the real host reads it, with its bounds and environment overrides.

Defaults and bounds: QueuesOptions.cs, BlobsOptions.cs, ScriptJobHostOptionsSetup.cs (extension 5.3.7, host 4.1037).
Every value can be overridden by ``AzureFunctionsJobHost__extensions__queues__batchSize`` and the like.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funchost.errors import ConfigurationError

_OVERRIDE = "AzureFunctionsJobHost__"
_TIME_SPAN = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?$")
_DEFAULT_MAX_POLLING = 60.0
_DEVELOPMENT_MAX_POLLING = 2.0


@dataclass(frozen=True)
class QueueOptions:
    """extensions.queues; intervals in seconds."""

    batch_size: int
    new_batch_threshold: int
    max_polling_interval: float
    visibility_timeout: float
    max_dequeue_count: int
    base64: bool


@dataclass(frozen=True)
class BlobOptions:
    """extensions.blobs."""

    max_degree_of_parallelism: int
    poison_blob_threshold: int


@dataclass(frozen=True)
class HostOptions:
    """All of host.json that this host obeys; ``function_timeout`` in seconds or None for unbounded."""

    queues: QueueOptions
    blobs: BlobOptions
    route_prefix: str
    function_timeout: float | None
    functions: tuple[str, ...] | None


def read_host_options(app_root: Path, environ: Mapping[str, str] | None = None) -> HostOptions:
    """Read ``host.json`` under ``app_root``; raises ConfigurationError with the file and the key at fault."""
    env = os.environ if environ is None else environ
    document = _overridden(_load(app_root / "host.json"), env)
    reader = _Reader(document)
    development = env.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    return HostOptions(
        queues=_queues(reader, development=development),
        blobs=BlobOptions(
            max_degree_of_parallelism=reader.integer("extensions.blobs.maxDegreeOfParallelism", 8 * _cores(), 1, None),
            poison_blob_threshold=reader.integer("extensions.blobs.poisonBlobThreshold", 5, 1, None),
        ),
        route_prefix=reader.text("extensions.http.routePrefix", "api").strip("/"),
        function_timeout=_function_timeout(reader),
        functions=_only(reader.get("functions")),
    )


def time_span(text: str, key: str) -> float:
    """Seconds of a .NET TimeSpan (``[d.]hh:mm[:ss[.fffffff]]``); raises ConfigurationError naming ``key``."""
    match = _TIME_SPAN.match(text.strip())
    if match is None:
        raise ConfigurationError(f"host.json: {key} is not a time span hh:mm:ss: {text!r}")
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)


def _cores() -> int:
    return os.cpu_count() or 1


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationError(f"host.json is missing in {path.parent}") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"host.json cannot be read: {error}") from None
    if not isinstance(document, dict) or document.get("version") != "2.0":
        raise ConfigurationError('host.json must be an object with "version": "2.0"')
    return document


def _overridden(document: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    for name, value in env.items():
        if name.startswith(_OVERRIDE):
            _set(document, name[len(_OVERRIDE) :].split("__"), value)
    return document


def _set(document: dict[str, Any], path: list[str], value: str) -> None:
    for wanted in path[:-1]:
        step = document.setdefault(_spelling(document, wanted), {})
        if not isinstance(step, dict):
            return
        document = step
    document[_spelling(document, path[-1])] = value


def _spelling(document: dict[str, Any], wanted: str) -> str:
    """Configuration keys are case-insensitive; keep the spelling that is there."""
    return next((key for key in document if key.lower() == wanted.lower()), wanted)


class _Reader:
    """Typed look-ups by dotted path, keys case-insensitive."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def get(self, path: str) -> Any:
        value: Any = self._document
        for key in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(_spelling(value, key))
        return value

    def text(self, path: str, default: str) -> str:
        value = self.get(path)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ConfigurationError(f"host.json: {path} must be a string, not {value!r}")
        return value

    def integer(self, path: str, default: int, low: int, high: int | None) -> int:
        value = self.get(path)
        if value is None:
            return default
        try:
            number = int(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or number < low or (high is not None and number > high):
            bounds = f"{low}..{high}" if high is not None else f"{low} or more"
            raise ConfigurationError(f"host.json: {path} must be an integer {bounds}, not {value!r}")
        return number


def _queues(reader: _Reader, *, development: bool) -> QueueOptions:
    where = "extensions.queues."
    batch = reader.integer(where + "batchSize", 16, 1, 32)
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=reader.integer(where + "newBatchThreshold", (batch // 2) * _cores(), 0, None),
        max_polling_interval=_max_polling(reader, where + "maxPollingInterval", development=development),
        visibility_timeout=_span(reader, where + "visibilityTimeout", "00:00:00"),
        max_dequeue_count=reader.integer(where + "maxDequeueCount", 5, 1, None),
        base64=_encoding(reader.text(where + "messageEncoding", "base64")),
    )


def _max_polling(reader: _Reader, key: str, *, development: bool) -> float:
    seconds = _span(reader, key, "00:01:00")
    if seconds < 0.1:
        raise ConfigurationError(f"host.json: {key} must be 00:00:00.1 or more")
    return _DEVELOPMENT_MAX_POLLING if development and seconds == _DEFAULT_MAX_POLLING else seconds


def _span(reader: _Reader, key: str, default: str) -> float:
    return time_span(reader.text(key, default), key)


def _encoding(text: str) -> bool:
    if text.lower() not in {"base64", "none"}:
        raise ConfigurationError(f"host.json: extensions.queues.messageEncoding must be base64 or none, not {text!r}")
    return text.lower() == "base64"


def _function_timeout(reader: _Reader) -> float | None:
    text = reader.text("functionTimeout", "00:30:00")
    if text == "-1":
        return None
    seconds = time_span(text, "functionTimeout")
    if seconds < 1:
        raise ConfigurationError(f"host.json: functionTimeout must be 00:00:01 or more, or -1, not {text!r}")
    return seconds


def _only(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ConfigurationError("host.json: functions must be a list of function names")
    return tuple(value)
