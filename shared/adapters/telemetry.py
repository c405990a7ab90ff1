"""OpenTelemetry, and Application Insights behind it. Imported only where it is switched on: importing and connecting take half a second.

The Functions host keeps its own way to Application Insights: it writes a request for every trigger and forwards what the worker
logs. So spans and metrics are sent from here, and no logs, which would arrive twice. Why it is divided so: docs/operations.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from opentelemetry import metrics, trace
from opentelemetry.metrics import Counter, Histogram, MeterProvider, _Gauge
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TracerProvider

from shared.telemetry import Attributes, Kind, Metric

SCOPE = "aks-copilot"
_KINDS = {"internal": SpanKind.INTERNAL, "producer": SpanKind.PRODUCER, "consumer": SpanKind.CONSUMER}
_ENVIRONMENT = {
    # The distribution reads these here and nowhere else; what its keyword arguments say of them does not count (1.8.11).
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_TRACES_SAMPLER": "always_on",  # its own choice drops all but five spans a second: a run would have holes
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "azure_app_service",  # another one asks an address that only virtual machines have
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",  # usage of the library itself, sent to Microsoft
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
}
_LIBRARIES = ("azure_sdk", "django", "fastapi", "flask", "httpx", "httpx2", "psycopg2", "requests", "urllib", "urllib3")
"""Whose calls are left alone: thousands of storage requests a run say nothing that the stages' spans do not."""


class OpenTelemetry:
    """A Backend (shared.telemetry) over the providers that are given."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self._tracer, meter = tracers.get_tracer(SCOPE), meters.get_meter(SCOPE)
        self._instrument = cache(lambda metric: _instrument(meter, metric))

    def start(self, name: str, kind: Kind, parent: str | None, links: Sequence[str]) -> _Handle:
        """shared.telemetry.Backend.start."""
        above = _context(parent) if parent else None
        linked = [Link(context) for context in map(_context, links) if context.is_valid]
        place = trace.set_span_in_context(NonRecordingSpan(above)) if above else None
        return _Handle(self._tracer.start_span(name, context=place, kind=_KINDS[kind], links=linked))

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """shared.telemetry.Backend.measure."""
        instrument = self._instrument(metric)
        if isinstance(instrument, Counter):
            instrument.add(value, attributes)
        elif isinstance(instrument, Histogram):
            instrument.record(value, attributes)
        else:
            instrument.set(value, attributes)


class _Handle:
    def __init__(self, span: trace.Span) -> None:
        self._span, context = span, span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def end(self, attributes: Attributes, error: str | None) -> None:
        """The exception itself is not recorded: its text may quote a manifest."""
        self._span.set_attributes(attributes)
        if error is not None:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


def _context(traceparent: str) -> SpanContext:
    """Always sampled: a caller may say what belongs together, not whether we look."""
    _, trace_id, span_id, _ = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _instrument(meter: metrics.Meter, metric: Metric) -> Counter | Histogram | _Gauge:
    if metric.kind == "counter":
        return meter.create_counter(metric.name, metric.unit, metric.description)
    if metric.kind == "histogram":
        return meter.create_histogram(metric.name, metric.unit, metric.description)
    return meter.create_gauge(metric.name, metric.unit, metric.description)


def connect(connection: str) -> OpenTelemetry:
    """Application Insights, by its connection string; the identity is that of APPLICATIONINSIGHTS_AUTHENTICATION_STRING.

    Raises ValueError where the connection string cannot be used.
    """
    os.environ.update(_ENVIRONMENT)
    from azure.monitor.opentelemetry import configure_azure_monitor  # noqa: PLC0415 - it reads the environment when it is imported

    configure_azure_monitor(
        connection_string=connection,
        enable_live_metrics=False,
        enable_performance_counters=False,
        disable_offline_storage=True,
        instrumentation_options={name: {"enabled": False} for name in _LIBRARIES},
    )
    return OpenTelemetry(trace.get_tracer_provider(), metrics.get_meter_provider())
