"""Runs that stand still: what that means, and telling people once.

A run is stuck when it has not ended and nothing of it was written for `stuck_after` seconds: no batch went on, no error was recorded. An
outage that is waited for is not stuck, since every try of it is recorded. A run that is not frozen yet waits in the queue `intake`, whose
age is measured here too.
"""

from __future__ import annotations

import logging

from shared import logs, telemetry
from shared.domain.errors import AksCopilotError
from shared.domain.messages import timestamp
from shared.pipeline import names, publish, state, tracing
from shared.pipeline.context import Context


def measure(ctx: Context, open_runs: int) -> None:
    """How many runs are open, and how long the head of each queue has waited. A queue that does not answer is left out."""
    if not telemetry.is_on():
        return
    telemetry.measure(telemetry.OPEN_RUNS, open_runs)
    for queue in names.QUEUES:
        try:
            sent = ctx.queue.oldest(queue)
            telemetry.measure(telemetry.QUEUE_AGE, 0.0 if sent is None else max(0.0, ctx.clock() - sent), queue=queue)
        except AksCopilotError as error:
            logs.failure("queue not measured", error, level=logging.WARNING, queue=queue)


def look(ctx: Context, run: str) -> None:
    """Tell once (log, metric, alarm) where the run stands still. A replay forgets that it was told."""
    since = max(blob.modified for blob in ctx.blobs.list(names.RUNS, f"{run}/"))
    still = ctx.clock() - since
    if still < ctx.limits.stuck_after:
        return
    record = {"runId": run, "stuckSince": timestamp(since), "at": timestamp(ctx.clock())}
    if state.save(ctx, names.stuck(run), record, if_absent=True):
        with tracing.of_run(ctx, run, "sweep"):
            logs.event("run is stuck", level=logging.ERROR, since=record["stuckSince"], seconds=round(still))
            telemetry.measure(telemetry.STUCK)
            publish.announce_lost(ctx, names.stuck(run))
