"""What keeps runs from getting stuck: the sweep over open runs, the poison handlers, and the replay of a failed run."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from shared import logs, telemetry
from shared.domain.errors import AksCopilotError, CriticalError, TransientError, ValidationError
from shared.domain.messages import Envelope, decode, digest
from shared.pipeline import delivery, deploy, freeze, names, publish, reporter, state, stuck, tracing
from shared.pipeline.context import Context


def sweep(ctx: Context) -> None:
    """Repair every open run that lost its last message, and say of one that stands still. One storage request where no run is open,
    and one for each queue where telemetry is on."""
    found = list(ctx.blobs.list(names.RUNS, "open/"))
    stuck.measure(ctx, len(found))
    for blob in found:
        run = blob.name.removeprefix("open/")
        with logs.bound(runId=run, stage="sweep"):
            try:
                _sweep_run(ctx, run)
            except TransientError as error:
                logs.failure("sweep put off", error)
            except Exception as error:  # noqa: BLE001 - one broken run must not keep others from being swept
                logs.failure("sweep failed", error)
                with tracing.of_run(ctx, run, "sweep"):
                    delivery.mark_failed(ctx, run, "sweep", error)


def _sweep_run(ctx: Context, run: str) -> None:
    if state.exists(ctx, names.failed(run)) or state.exists(ctx, names.done(run)):
        with tracing.of_run(ctx, run, "sweep"):
            publish.announce(ctx, run)  # a crash between the last blob of a run and its announcement
        delivery.close(ctx, run)
        return
    age = ctx.clock() - state.load(ctx, names.started(run))["startedAt"]
    if age < ctx.limits.sweep_after:
        return
    count = state.load(ctx, names.manifest(run))["batches"]
    there = {int(blob.name.rpartition("/")[2]) for blob in ctx.blobs.list(names.RUNS, f"{run}/outcomes/")}
    if len(there) == count and reporter.mark(ctx, run, there, count):
        with tracing.of_run(ctx, run, "sweep"):
            logs.event("sweep finishes the run")
            reporter.finish_joined(ctx, run)
    elif age > ctx.limits.abandon_after:
        raise CriticalError("no message of this run is left; replay it")
    elif age > ctx.limits.stuck_after:
        stuck.look(ctx, run)


def poisoned(ctx: Context, queue: str, text: str) -> None:
    """A message of `<queue>-poison`: its run is marked failed, or the message is kept. Never raises: the real host skips
    messages of a poison queue after five tries, so a second chance does not exist."""
    with contextlib.suppress(Exception):
        envelope, error = _read_poison(text)
        telemetry.measure(telemetry.POISON, queue=queue)
        run, stage = envelope.run_id if envelope else None, names.STAGES[queue]
        parent = envelope.traceparent if envelope else None
        with telemetry.span(f"process {queue}-poison", kind="consumer", parent=parent, stage=stage, queue=f"{queue}-poison", runId=run):
            logs.event("poisoned", stage=stage, runId=run, error=str(error))
            _give_up(ctx, queue, text, envelope, error)


def _give_up(ctx: Context, queue: str, text: str, envelope: Envelope | None, error: Exception) -> None:
    if envelope is not None and envelope.type == "publish":
        publish.gave_up(ctx, envelope.run_id, str((envelope.payload or {}).get("publisher")), error)
    elif envelope is not None and envelope.type == "deploy" and envelope.run_id:
        deploy.gave_up(ctx, envelope.run_id, error)
    elif envelope is not None and envelope.run_id:
        delivery.mark_failed(ctx, envelope.run_id, names.STAGES[queue], error)
    else:
        name = f"lost/{queue}-{digest(text.encode())}.json"
        state.save(ctx, name, {"queue": queue, "error": str(error), "text": text[:4096]})
        publish.announce_lost(ctx, name)


def _read_poison(text: str) -> tuple[Envelope | None, Exception]:
    """The message as a stage parked it (with its error), or as the host moved it (bare), or unreadable."""
    try:
        value: Any = json.loads(text)
        if isinstance(value, dict) and "error" in value:
            envelope = decode(json.dumps(value["envelope"])) if "envelope" in value else None
            return envelope, CriticalError(str(value["error"]))
    except (ValueError, RecursionError, AksCopilotError) as error:
        return None, CriticalError(f"unusable message: {type(error).__name__}")
    try:
        return decode(text), CriticalError("the stage failed on every try")
    except CriticalError as error:
        return None, error


def replay(ctx: Context, run: str) -> None:
    """Run a failed run again from its frozen bytes; finished batches keep their results.

    Raises ValidationError where there is no such run, or it was never frozen (upload it again, or redeliver it on GitHub).
    """
    manifest = state.find(ctx, names.manifest(run)) if names.is_run_id(run) else None
    if manifest is None:
        raise ValidationError(f"{run} was never frozen: upload it again, or redeliver it on GitHub")
    state.save(ctx, names.opened(run), {"runId": run})
    ctx.blobs.delete(names.RUNS, names.failed(run))
    ctx.blobs.delete(names.RUNS, names.stuck(run))
    ctx.blobs.delete(names.RUNS, names.told(names.stuck(run)))
    with tracing.of_run(ctx, run, "replay", kind="producer") as span:
        cause = Envelope(type="inspect", run_id=run, dedup_key=f"{run}/replay", traceparent=span.traceparent, payload={})
        freeze.dispatch(ctx, cause, manifest["batches"])
