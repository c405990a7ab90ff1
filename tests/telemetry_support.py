"""Spans and measurements kept in memory, and the trees that the spans make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import telemetry
from shared.adapters.telemetry import OpenTelemetry


@dataclass
class Observed:
    """What a block of a test measured."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def of(self, name: str, **attributes: Any) -> list[ReadableSpan]:
        return [s for s in self.spans if s.name == name and attributes.items() <= dict(s.attributes or {}).items()]

    def the(self, name: str, **attributes: Any) -> ReadableSpan:
        (found,) = self.of(name, **attributes)
        return found

    def trace(self, run: str) -> list[ReadableSpan]:
        """Every span of the trace that the run's first stage is in."""
        traces = {s.context.trace_id for s in self.of("process inspections", runId=run)}
        assert len(traces) == 1
        return [s for s in self.spans if s.context.trace_id in traces]

    def parent(self, span: ReadableSpan) -> ReadableSpan | None:
        """The span above, which must have been exported too; None for the root of a trace."""
        if span.parent is None:
            return None
        (above,) = [s for s in self.spans if s.context.span_id == span.parent.span_id]
        assert above.context.trace_id == span.context.trace_id
        return above

    def path(self, span: ReadableSpan) -> list[str]:
        """The names from the root down to the span."""
        above = self.parent(span)
        return [*(self.path(above) if above else []), span.name]

    def metrics(self) -> dict[str, dict[tuple[tuple[str, Any], ...], float]]:
        """By name: the sum (of a histogram: the count) for each set of attributes."""
        data, found = self.reader.get_metrics_data(), dict[str, dict[tuple[tuple[str, Any], ...], float]]()
        for metric in (m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics) if data else ():
            points = {tuple(sorted(p.attributes.items())): getattr(p, "value", getattr(p, "count", None)) for p in metric.data.data_points}
            found[metric.name] = points
        return found

    def total(self, metric: telemetry.Metric, **attributes: str) -> float:
        return sum(v for key, v in self.metrics().get(metric.name, {}).items() if attributes.items() <= dict(key).items())


@contextmanager
def observed() -> Iterator[Observed]:
    """Telemetry is on, and kept here."""
    kept, tracers = Observed(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(kept.exporter))
    telemetry.install(OpenTelemetry(tracers, MeterProvider([kept.reader], shutdown_on_exit=False)))
    try:
        yield kept
    finally:
        telemetry.install(None)


@pytest.fixture(name="seen")
def watched() -> Iterator[Observed]:
    """For tests that take `seen`: whatever they do is measured."""
    with observed() as kept:
        yield kept
