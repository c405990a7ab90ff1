"""Structured logs: one JSON object per line, with the run, the stage and the attempt it belongs to.

The object is the message itself, so it arrives whole whoever handles it: the Functions worker (which forwards messages to
Application Insights), or our own handler on standard error where nobody has set up logging. Values of manifests never
get here: unknown exceptions are logged by type and place, not by text.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.domain.errors import AksCopilotError

LOGGER = logging.getLogger("aks_copilot")
_SHORTEST = 8  # characters; a shorter text would be found in many lines that do not mean it
_hidden: set[str] = set()
_fields: ContextVar[dict[str, Any] | None] = ContextVar("aks_copilot_log_fields", default=None)


def configure(level: int = logging.INFO) -> None:
    """Let our lines out; attach a handler on standard error only where the process has none."""
    LOGGER.setLevel(level)
    if not LOGGER.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        LOGGER.addHandler(handler)


@contextlib.contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Add fields (runId, stage, attempt...) to every line written inside."""
    token = _fields.set((_fields.get() or {}) | fields)
    try:
        yield
    finally:
        _fields.reset(token)


def event(message: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write one line. Fields that are None are left out."""
    if LOGGER.isEnabledFor(level):
        line = {"time": _now(), "level": logging.getLevelName(level).lower(), "message": message} | (_fields.get() or {}) | fields
        LOGGER.log(level, _masked(json.dumps({k: v for k, v in line.items() if v is not None}, default=str)))


def hide(secret: str) -> None:
    """Never let this text out in a line. The last defence: nobody is meant to log a secret in the first place."""
    if len(secret) >= _SHORTEST:
        _hidden.add(json.dumps(secret)[1:-1])


def _masked(line: str) -> str:
    for secret in tuple(_hidden):
        line = line.replace(secret, "***")
    return line


def failure(message: str, error: BaseException, *, level: int = logging.ERROR, **fields: Any) -> None:
    """Write one line about an error: its class, its own text where it is ours, and the places it passed through."""
    event(message, level=level, errorClass=type(error).__name__, error=describe(error), at=_places(error), **fields)


@contextlib.contextmanager
def timed(message: str) -> Iterator[None]:
    """Write one line with `durationMs` when the block ends without an error."""
    start = time.perf_counter()
    yield
    event(message, durationMs=round((time.perf_counter() - start) * 1000, 1))


def describe(error: BaseException) -> str:
    """One line for a person. The text of an exception that is not ours may quote a Secret: only its type and place are told."""
    if isinstance(error, AksCopilotError):
        return " ".join(str(error).split())
    places = _places(error)
    return f"internal error: {type(error).__name__}" + (f" at {places[-1]}" if places else "")


def _places(error: BaseException) -> list[str]:
    found = []
    trace = error.__traceback__
    while trace is not None:
        found.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found[-6:]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
