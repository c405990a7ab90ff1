"""Traces and metrics of the pipeline, as `shared.logs` is for lines: what is measured is named here, shared.services says who takes it.

Nobody does by default. The trace context goes from message to message all the same, so that a run has one trace id in every line
of the log. Who takes it may fail: that is told once, and no stage notices.

A span's `parent` and a message's `traceparent` are texts of https://www.w3.org/TR/trace-context/#traceparent-header. Values of
attributes are names and counts, never text of manifests.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared import logs
from shared.domain.messages import new_traceparent

Kind = Literal["internal", "producer", "consumer"]
Value = str | int | float | bool
Attributes = Mapping[str, Value]
MAX_LINKS = 32
"""Links of one span: the join of a run with more batches names the first of them."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One instrument. `attributes` are all that it may have; each has few values (a rule, a stage, a queue), never a run or a path."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()


RUNS = Metric("aks_copilot.runs", "counter", "{run}", "Runs that ended", ("outcome",))
RUN_SECONDS = Metric("aks_copilot.run.duration", "histogram", "s", "From the start of a run to its report")
OPEN_RUNS = Metric("aks_copilot.runs.open", "gauge", "{run}", "Runs that are frozen and have not ended")
STUCK = Metric("aks_copilot.runs.stuck", "counter", "{run}", "Runs that stopped moving")
FILES = Metric("aks_copilot.files", "counter", "{file}", "Files of finished runs", ("status",))
VIOLATIONS = Metric("aks_copilot.violations", "counter", "{violation}", "Violations of finished runs", ("rule", "resolution"))
STAGE_SECONDS = Metric("aks_copilot.stage.duration", "histogram", "s", "One message at one stage", ("stage", "outcome"))
QUEUE_AGE = Metric("aks_copilot.queue.age", "gauge", "s", "Age of the message at the head of a queue", ("queue",))
POISON = Metric("aks_copilot.poison", "counter", "{message}", "Messages that were given up", ("queue",))
UNPUBLISHED = Metric("aks_copilot.unpublished", "counter", "{run}", "What outsiders could not be told", ("publisher",))
QUESTIONS = Metric("aks_copilot.model.questions", "counter", "{question}", "Questions to the model", ("model", "outcome"))
TOKENS = Metric("aks_copilot.model.tokens", "counter", "{token}", "Tokens that were paid", ("model", "direction"))
COST = Metric("aks_copilot.model.cost", "counter", "1", "Price of those tokens, in the currency of the contract", ("model",))
BUDGET_SPENT = Metric("aks_copilot.model.budget_spent", "counter", "{question}", "Questions that a budget forbade", ("budget",))
METRICS = (
    RUNS, RUN_SECONDS, OPEN_RUNS, STUCK, FILES, VIOLATIONS, STAGE_SECONDS, QUEUE_AGE, POISON, UNPUBLISHED,
    QUESTIONS, TOKENS, COST, BUDGET_SPENT,
)  # fmt: skip


class Handle(Protocol):
    """A span that has begun, as a backend knows it."""

    @property
    def traceparent(self) -> str:
        """What a message that is caused by this span carries."""

    def end(self, attributes: Attributes, error: str | None) -> None:
        """It ended; `error` is one line, None where it went well."""


class Backend(Protocol):
    """Where spans and measurements go (shared.adapters.telemetry)."""

    def start(self, name: str, kind: Kind, parent: str | None, links: Sequence[str]) -> Handle:
        """Begin a span; without a (valid) parent it begins a trace."""

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Take one measurement."""


@dataclass
class Span:
    """The span of a `with` block; what it sets until the end is exported with it."""

    traceparent: str
    attributes: dict[str, Value] = field(default_factory=dict)
    error: str | None = None

    def set(self, **attributes: Value | None) -> None:
        """Attributes that are None are left out."""
        self.attributes |= {key: value for key, value in attributes.items() if value is not None}


_backend: Backend | None = None
_told = False
_current: ContextVar[str | None] = ContextVar("aks_copilot_traceparent", default=None)


def install(backend: Backend | None) -> None:
    """Send spans and measurements there from now on; None: nowhere."""
    global _backend, _told
    _backend, _told = backend, False


def is_on() -> bool:
    """Whether anybody takes what is measured: what costs requests is measured only then."""
    return _backend is not None


def traceparent(otherwise: str | None = None) -> str:
    """The context for a message that is sent here: of the block's span, else `otherwise`, else of a new trace."""
    return _current.get() or otherwise or new_traceparent()


def trace_id(parent: str) -> str:
    """The 32 hexadecimal digits that all spans of a trace share."""
    return parent.split("-")[1]


@contextlib.contextmanager
def span(
    name: str, *, kind: Kind = "internal", parent: str | None = None, links: Sequence[str] = (), **attributes: Value | None
) -> Iterator[Span]:
    """A span around a block, below `parent` or else the block's own span. The text of an error that passes is as in the log."""
    above = parent or _current.get()
    handle = _start(name, kind, above, links[:MAX_LINKS])
    active = Span(handle.traceparent if handle else above or new_traceparent())
    active.set(**attributes)
    token = _current.set(active.traceparent)
    try:
        with logs.bound(traceId=trace_id(active.traceparent), spanId=active.traceparent.split("-")[2]):
            yield active
    except BaseException as error:
        active.error = logs.describe(error)
        raise
    finally:
        _current.reset(token)
        _end(handle, active)


def measure(metric: Metric, value: float = 1, **attributes: Value) -> None:
    """One measurement."""
    if _backend is not None:
        try:
            _backend.measure(metric, value, attributes)
        except Exception as error:  # noqa: BLE001 - see the module's docstring
            _lost(error)


@contextlib.contextmanager
def timed(metric: Metric, active: Span, *shared: str) -> Iterator[None]:
    """Measure a block in seconds, with the named attributes of its span as they are when it ends."""
    start = time.perf_counter()
    try:
        yield
    finally:
        measure(metric, time.perf_counter() - start, **{key: active.attributes[key] for key in shared if key in active.attributes})


def _start(name: str, kind: Kind, parent: str | None, links: Sequence[str]) -> Handle | None:
    try:
        return _backend.start(name, kind, parent, links) if _backend is not None else None
    except Exception as error:  # noqa: BLE001
        _lost(error)
        return None


def _end(handle: Handle | None, active: Span) -> None:
    try:
        if handle is not None:
            handle.end(active.attributes, active.error)
    except Exception as error:  # noqa: BLE001
        _lost(error)


def _lost(error: Exception) -> None:
    global _told  # noqa: PLW0603
    if not _told:
        _told = True
        logs.failure("telemetry is lost", error, level=logging.WARNING)
