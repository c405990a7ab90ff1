"""One delivery of one queue message: the error policy of DESIGN 9 that all stages share.

    unreadable message   written to <queue>-poison with the reason, normal return
    TransientError       recorded, raised: the host retries; with retry_after: re-sent with that delay, normal return
    BusyError            the same, but not recorded: another message is at the same thing, and nothing is wrong
    ValidationError      recorded, the run is marked failed, normal return (a stage whose input is at fault for one file
                         makes a `failed` entry of it and raises nothing)
    CriticalError        recorded, the run is marked failed, written to <queue>-poison, normal return
    anything else        a bug: recorded, raised; the host retries, then poisons

A message that got its run's name only here (`Following`) is re-sent under that name instead of raised, so that the copy which
the host may move to the poison queue in the end says which run it belongs to.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

from shared import logs, telemetry
from shared.domain.errors import AksCopilotError, BusyError, CriticalError, TransientError, ValidationError
from shared.domain.messages import SCHEMA_VERSION, Envelope, decode, digest, timestamp
from shared.pipeline import names, publish, state, tracing
from shared.pipeline.context import Context

Following = tuple[Envelope, "Step"]
Step = Callable[[Context, Envelope], Following | None]
"""One stage on one message. It may hand back a step that goes on under another envelope (the Intake, once the run has a name)."""
_QUOTED = 4096  # characters of an unreadable message that its poison record keeps


def deliver(ctx: Context, queue: str, step: Step, text: str, dequeue_count: int = 1) -> None:
    """Run one stage on one message. Raises only what the host shall retry."""
    stage = names.STAGES[queue]
    try:
        envelope = decode(text)
    except CriticalError as error:
        logs.failure("message refused", error, stage=stage)
        _park(ctx, queue, error, text=text[:_QUOTED])
        return
    attempt = envelope.attempt + max(dequeue_count, 1) - 1
    with tracing.received(stage, queue, envelope, attempt) as span:
        span.set(outcome=_run(ctx, queue, step, envelope, envelope, attempt, span))


def _run(ctx: Context, queue: str, step: Step, received: Envelope, envelope: Envelope, attempt: int, span: telemetry.Span) -> str:
    stage, following, outcome = names.STAGES[queue], None, "done"
    with logs.bound(runId=envelope.run_id or None, stage=stage, attempt=attempt):
        try:
            with logs.timed(f"{stage} finished"):
                following = step(ctx, envelope)
        except Exception as error:  # noqa: BLE001 - _settle raises what is not its own
            outcome = _settle(ctx, queue, envelope, error, attempt, renamed=envelope.run_id != received.run_id)
    if following is None:
        return outcome
    span.set(runId=following[0].run_id, app=names.app_of(following[0].run_id))
    return _run(ctx, queue, following[1], received, following[0], attempt, span)


def _settle(ctx: Context, queue: str, envelope: Envelope, error: Exception, attempt: int, *, renamed: bool) -> str:
    """Decide what becomes of a message whose stage raised `error`, which is the exception being handled; the decision in one word."""
    if isinstance(error, BusyError):
        logs.event("waits its turn", reason=str(error))
    else:
        logs.failure("stage failed", error, level=logging.WARNING if isinstance(error, TransientError) else logging.ERROR)
        with contextlib.suppress(AksCopilotError):  # the record is for people; a storage outage must not hide the error itself
            record(ctx, names.STAGES[queue], envelope, error, attempt)
    if isinstance(error, TransientError) and error.retry_after is not None:
        _put_off(ctx, queue, envelope, error, error.retry_after)
        return "put-off"
    if isinstance(error, CriticalError):
        mark_failed(ctx, envelope.run_id, names.STAGES[queue], error)
        _park(ctx, queue, error, envelope=json.loads(envelope.encode()))
        return "parked"
    if isinstance(error, ValidationError):
        mark_failed(ctx, envelope.run_id, names.STAGES[queue], error)
        return "refused"
    if not renamed:
        raise error
    again = envelope.model_copy(update={"attempt": envelope.attempt + 1})
    ctx.queue.send(queue, again.encode(), visibility_delay=ctx.limits.retry_seconds)
    return "put-off"


def _put_off(ctx: Context, queue: str, envelope: Envelope, error: TransientError, delay: float) -> None:
    now = ctx.clock()
    deadline = envelope.deadline or timestamp(now + ctx.limits.give_up_after)
    if timestamp(now + delay) > deadline:
        raise error  # the host's own few retries, then the poison queue
    later = envelope.model_copy(update={"attempt": envelope.attempt + 1, "deadline": deadline})
    ctx.queue.send(queue, later.encode(), visibility_delay=max(1.0, delay))


def _park(ctx: Context, queue: str, error: Exception, **what: Any) -> None:
    poison = {"schemaVersion": SCHEMA_VERSION, "queue": queue, "error": logs.describe(error)[:1000]} | what
    ctx.queue.send(f"{queue}-poison", json.dumps(poison))


def record(ctx: Context, stage: str, envelope: Envelope, error: BaseException, attempt: int) -> None:
    """Note an error on its run (or, before the run has a name, beside the runs)."""
    stage = str((envelope.payload or {}).get("publisher", stage))
    place = {"stage": stage, "attempt": attempt, "at": timestamp(ctx.clock())}
    entry = place | {"class": type(error).__name__, "error": logs.describe(error), "dedupKey": envelope.dedup_key}
    if envelope.run_id:
        number = (envelope.payload or {}).get("batch")
        batch = number if isinstance(number, int) else _claimed_batch(envelope)
        state.save(ctx, names.error(envelope.run_id, stage, batch, attempt), entry)
    else:
        state.save(ctx, f"lost/{stage}-{digest(envelope.dedup_key.encode())}-{attempt}.json", entry)


def _claimed_batch(envelope: Envelope) -> int:
    return int(envelope.claim.rsplit("/", 1)[1].split("-")[1]) if envelope.claim else 0


def mark_failed(ctx: Context, run: str, stage: str, error: BaseException) -> None:
    """A run that cannot go on by itself: no sweep touches it until it is replayed. Nothing happens without a run."""
    if run:
        state.register(ctx, run, names.app_of(run), stage)
        entry = {"runId": run, "stage": stage, "class": type(error).__name__, "error": logs.describe(error), "at": timestamp(ctx.clock())}
        if state.save(ctx, names.failed(run), entry, if_absent=True):
            telemetry.measure(telemetry.RUNS, outcome="failed")
        publish.announce(ctx, run)
        close(ctx, run)


def close(ctx: Context, run: str) -> None:
    """Take a run off the list that the sweep looks at."""
    ctx.blobs.delete(names.RUNS, names.opened(run))
