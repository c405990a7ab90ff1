"""The Reporter: joins the batches of a run exactly once, however often and in whatever order their messages come.

The join is a set of finished batches, one bit each, in one blob under ETag compare-and-swap: three storage requests per batch
whatever the number of batches, more only while others write at the same moment. A full set creates `joined` once; the
finishing step behind it is a function of what is stored and may be repeated by any redelivery and by the sweep.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from shared import logs, telemetry
from shared.domain.errors import CriticalError, TransientError
from shared.domain.messages import Envelope
from shared.domain.model import FileOutcome
from shared.domain.report.model_view import tally
from shared.pipeline import delivery, mail, names, publish, results, state, tracing
from shared.pipeline.context import Context

_TRIES = 50


def handle(ctx: Context, envelope: Envelope) -> None:
    """`reports`: mark the batch as finished; the last one finishes the run. A `publish` message tells outsiders of it."""
    if envelope.type == "publish":
        publish.handle(ctx, envelope)
        return
    batch = int(mail.payload_of(ctx, envelope)["batch"])
    count = int(state.load(ctx, names.manifest(envelope.run_id))["batches"])
    if not 0 <= batch < count:
        raise CriticalError(f"batch {batch} of {count} does not exist")
    if mark(ctx, envelope.run_id, {batch}, count):
        finish_joined(ctx, envelope.run_id)


def mark(ctx: Context, run: str, finished: set[int], count: int) -> bool:
    """Add batches to the set; True where it is full. Raises TransientError where too many others write at once."""
    for tries in range(_TRIES):
        found = ctx.blobs.read(names.RUNS, names.join(run), max_bytes=ctx.limits.state_bytes)
        bits = bytearray(found[0] if found else bytes((count + 7) // 8))
        before = bytes(bits)
        for batch in finished:
            bits[batch // 8] |= 1 << batch % 8
        if (found and bytes(bits) == before) or _swap(ctx, run, bytes(bits), found[1] if found else None):
            return sum(byte.bit_count() for byte in bits) == count
        time.sleep(random.uniform(0, 0.01 * (tries + 1)))  # noqa: S311
    raise TransientError("the join of the run is busy")


def _swap(ctx: Context, run: str, bits: bytes, etag: str | None) -> bool:
    return ctx.blobs.write(names.RUNS, names.join(run), bits, if_absent=etag is None, if_match=etag)


def finish_joined(ctx: Context, run: str) -> None:
    """Everything after the join; does nothing where it was done."""
    state.save(ctx, names.joined(run), {"at": ctx.clock()}, if_absent=True)
    if not state.exists(ctx, names.done(run)):
        _finish_once(ctx, run)
    publish.announce(ctx, run)
    delivery.close(ctx, run)


def _finish_once(ctx: Context, run: str) -> None:
    manifest = state.load(ctx, names.manifest(run))
    with telemetry.span("finish", links=tracing.of_batches(ctx, run, manifest["batches"]), runId=run, app=names.app_of(run)) as span:
        span.set(batches=manifest["batches"])
        with logs.timed("run finished"):
            _finish(ctx, run, manifest)


def _finish(ctx: Context, run: str, manifest: Mapping[str, Any]) -> None:
    setup = state.load_setup(ctx, run)
    batches = results.load_all(ctx, run, manifest["batches"])
    recorded = [FileOutcome.from_payload(item) for item in manifest["recorded"]]
    outcomes = sorted([*batches.outcomes, *recorded], key=lambda o: o.path)
    finished = ctx.engine.finish(setup, outcomes, batches.read, batches.original)
    removed = sorted(outcome.path for outcome in finished.outcomes if outcome.removed)
    for path, data in finished.written.items():
        if path in removed:
            ctx.blobs.delete(names.PATCHED, f"{run}/{path}")
        else:
            ctx.blobs.write(names.PATCHED, f"{run}/{path}", data)
    ctx.blobs.write(names.PATCHED, f"{run}/{names.REMOVED}", state.dump({"removed": removed}))
    diffs = {path: diff for path, diff in {**batches.diffs, **finished.diffs}.items() if diff}
    for name, data in ctx.engine.render(setup, finished.outcomes, diffs, finished.after, batches.original).items():
        ctx.blobs.write(names.REPORTS, f"{run}/{name}", data)
    told = tally(setup, finished.outcomes)
    if told is not None:
        logs.event("model used", **told.to_json())
    results.keep_finished(ctx, run, finished.outcomes, diffs)
    if state.save(ctx, names.done(run), {"runId": run, "finishedAt": ctx.clock()} | _counts(finished.outcomes), if_absent=True):
        _measured(ctx, run, finished.outcomes)


def _measured(ctx: Context, run: str, outcomes: tuple[FileOutcome, ...]) -> None:
    """What a run counts for, once."""
    telemetry.measure(telemetry.RUNS, outcome="done")
    telemetry.measure(telemetry.RUN_SECONDS, ctx.clock() - state.load(ctx, names.started(run))["startedAt"])
    for status, files in Counter(outcome.status for outcome in outcomes).items():
        telemetry.measure(telemetry.FILES, files, status=status)
    found = Counter((violation.rule_id, violation.resolution) for outcome in outcomes for violation in outcome.violations)
    for (rule, resolution), times in found.items():
        telemetry.measure(telemetry.VIOLATIONS, times, rule=rule, resolution=resolution)


def _counts(outcomes: tuple[FileOutcome, ...]) -> dict[str, Any]:
    statuses = Counter(outcome.status for outcome in outcomes)
    resolutions = Counter(violation.resolution for outcome in outcomes for violation in outcome.violations)
    return {"files": len(outcomes), "statuses": statuses, "resolutions": resolutions}
