"""One trace for each run: which trace a run has, and the spans of what no message of the run causes (a replay, the sweep, a deployment).

The trace is that of the delivery that made the run known first; `started.json` keeps it. Whatever else concerns the run joins it there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from shared import telemetry
from shared.domain.errors import TransientError
from shared.domain.messages import Envelope
from shared.pipeline import names, state
from shared.pipeline.context import Context


@contextlib.contextmanager
def of_run(ctx: Context, run: str, name: str, *, kind: telemetry.Kind = "internal") -> Iterator[telemetry.Span]:
    """A span of the run's own trace."""
    record = state.find(ctx, names.started(run)) or {}
    with telemetry.span(name, kind=kind, parent=record.get("traceparent"), runId=run, app=names.app_of(run)) as span:
        yield span


@contextlib.contextmanager
def joined(record: Mapping[str, Any]) -> Iterator[None]:
    """Go on in the run's own trace, where the message at hand (a second upload of the same files) brought another one."""
    own, here = record.get("traceparent"), telemetry.traceparent()
    if own is None or telemetry.trace_id(own) == telemetry.trace_id(here):
        yield
        return
    with telemetry.span("joined", parent=own, links=[here], runId=record["runId"], app=record["app"]):
        yield


@contextlib.contextmanager
def received(stage: str, queue: str, envelope: Envelope, attempt: int) -> Iterator[telemetry.Span]:
    """The span of one message at one stage; every try of a message is below whoever sent it."""
    run, batch = envelope.run_id, (envelope.payload or {}).get("batch")
    with telemetry.span(f"process {queue}", kind="consumer", parent=envelope.traceparent, stage=stage, attempt=attempt) as span:
        span.set(queue=queue, type=envelope.type, runId=run or None, app=names.app_of(run) or None)
        span.set(batch=batch if isinstance(batch, int) else None, publisher=(envelope.payload or {}).get("publisher"))
        with telemetry.timed(telemetry.STAGE_SECONDS, span, "stage", "outcome"):
            try:
                yield span
            except BaseException as error:
                span.set(outcome="retried" if isinstance(error, TransientError) else "crashed")
                raise


def mark() -> dict[str, str]:
    """What the progress of a batch remembers, so that the join can name those that it joins."""
    return {"traceparent": telemetry.traceparent()} if telemetry.is_on() else {}


def of_batches(ctx: Context, run: str, count: int) -> list[str]:
    """The spans that finished the (first) batches of a run, for the links of their join."""
    if not telemetry.is_on():
        return []
    found = [state.find(ctx, names.progress(run, "patcher", number)) or {} for number in range(min(count, telemetry.MAX_LINKS))]
    return [each["traceparent"] for each in found if "traceparent" in each]
