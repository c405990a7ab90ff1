"""Telling outsiders of a run: one `publish` message per publisher (pull request, check run, Slack...), each retried alone.

A publisher is a function of what is stored, so its message may come twice, and what it told is kept beside the run. An outage
is waited for with growing delays for as long as the delivery policy allows. A publisher that cannot do its work is recorded
with its reason and never makes a finished run a failed one. Slack is asked again whenever another publisher has an answer, so
that its one message stays true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared import logs, telemetry
from shared.domain.errors import CriticalError, TransientError, ValidationError, patient
from shared.domain.messages import Envelope, timestamp
from shared.pipeline import names, state
from shared.pipeline.context import Context

SLACK = "slack"


def announce(ctx: Context, run: str, *publishers: str) -> None:
    """Ask the named publishers (all of them by default) to tell of a run. Nothing happens for those that are not set up."""
    for name in publishers or ctx.publishers:
        if name in ctx.publishers:
            _post(ctx, run, f"{run}/publish/{name}", {"publisher": name})


def announce_lost(ctx: Context, name: str) -> None:
    """Tell people of a message that belongs to no run; `name` is its record in `runs`."""
    if ctx.alarm is not None:
        _post(ctx, "", name, {"lost": name})


def handle(ctx: Context, envelope: Envelope) -> None:
    """One `publish` message. Raises TransientError, always with a delay, and what is a bug."""
    payload = envelope.payload or {}
    try:
        if "lost" in payload:
            _alarm(ctx, str(payload["lost"]))
        else:
            _ask(ctx, envelope.run_id, str(payload.get("publisher", "")))
    except TransientError as error:
        raise patient(error, envelope.attempt) from error


def _ask(ctx: Context, run: str, name: str) -> None:
    publisher = ctx.publishers.get(name)
    if publisher is None:
        logs.event("not set up", publisher=name)
        return
    try:
        keep(ctx, run, name, publisher(ctx, run) or {})
    except (ValidationError, CriticalError) as error:
        gave_up(ctx, run, name, error)


def _alarm(ctx: Context, lost: str) -> None:
    try:
        if ctx.alarm is not None:
            ctx.alarm(ctx, lost)
    except (ValidationError, CriticalError) as error:
        logs.failure("not told", error, lost=lost)


def gave_up(ctx: Context, run: str, publisher: str, error: Exception) -> None:
    """Record that a publisher cannot tell of this run, and why. What it told before stays."""
    logs.failure("not published", error, publisher=publisher)
    telemetry.measure(telemetry.UNPUBLISHED, publisher=publisher)
    before = recall(ctx, run, publisher) or {}
    keep(ctx, run, publisher, {**before, "error": logs.describe(error), "at": timestamp(ctx.clock())})


def keep(ctx: Context, run: str, publisher: str, told: Mapping[str, Any]) -> None:
    """Remember what a publisher told; Slack hears of what is new."""
    if told == recall(ctx, run, publisher):
        return
    state.save(ctx, names.published(run, publisher), dict(told))
    if publisher != SLACK:
        announce(ctx, run, SLACK)


def recall(ctx: Context, run: str, publisher: str) -> dict[str, Any] | None:
    """What a publisher told of a run ({} where it had nothing to tell), or None where it has not been asked yet."""
    found: dict[str, Any] | None = state.find(ctx, names.published(run, publisher))
    return found


def told(ctx: Context, run: str, found: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For the status: {publisher: {"url"} or {"error"}}; `found` are the names in the run's folder."""
    kept = [name.removeprefix("published/").removesuffix(".json") for name in found if name.startswith("published/")]
    shown = {name: {k: v for k, v in (recall(ctx, run, name) or {}).items() if k in ("url", "error", "at")} for name in kept}
    return {name: entry for name, entry in shown.items() if entry}


def settled(ctx: Context, run: str) -> bool:
    """Whether every publisher but Slack has told, or has nothing to tell, or cannot."""
    return all(recall(ctx, run, name) is not None for name in ctx.publishers if name != SLACK)


def _post(ctx: Context, run: str, key: str, payload: dict[str, Any]) -> None:
    message = Envelope(type="publish", run_id=run, dedup_key=key, traceparent=telemetry.traceparent(), payload=payload)
    ctx.queue.send(names.OUTCOMES, message.encode())
