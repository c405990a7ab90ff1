"""Freezing a run: its bytes, its setup and its batches are written once, then its batches are sent.

Every write is a function of the snapshot, and the manifest comes last, so a crash anywhere is repaired by the redelivery.
A source that cannot be read, or settings beside the manifests that cannot be used, still make a run: its report says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared import logs
from shared.domain.archive import ArchiveContent
from shared.domain.errors import ValidationError
from shared.domain.messages import Envelope
from shared.domain.model import FileOutcome
from shared.domain.run import RunOptions, RunSetup
from shared.pipeline import batches, knowledge, mail, names, publish, sources, state, tracing
from shared.pipeline.context import Context


def start(ctx: Context, cause: Envelope, *, source: sources.Source) -> None:
    """Freeze (where that has not happened), register and dispatch the run that `cause.run_id` names."""
    run = cause.run_id
    if state.exists(ctx, names.dispatched(run)):
        return
    manifest = state.find(ctx, names.manifest(run)) or _freeze(ctx, run, source)
    with tracing.joined(state.register(ctx, run, source.app, source.origin)):
        state.save(ctx, names.opened(run), {"runId": run})
        dispatch(ctx, cause, manifest["batches"])
        state.save(ctx, names.dispatched(run), {})
        publish.announce(ctx, run, "check")


def dispatch(ctx: Context, cause: Envelope, count: int) -> None:
    """Send the inspections message of every batch."""
    for number in range(count):
        mail.send_batch(ctx, names.INSPECTIONS, cause, "inspect", number, {})
    logs.event("run dispatched", batches=count)


def _freeze(ctx: Context, run: str, source: sources.Source) -> dict[str, Any]:
    content, refused = _read(ctx, source)
    sources.copy_unread(ctx, source, run)
    setup, broken = _plan(ctx, run, source, content)
    count = 0
    for number, group in enumerate(batches.split(content.files, ctx.limits.batch_bytes)):
        batches.save(ctx, run, number, batches.Batch(group, broken))
        count = number + 1
    state.save(ctx, names.setup(run), setup.to_json())
    manifest = {
        "runId": run,
        "app": source.app,
        "files": len(content.files) + len(refused),
        "batches": count,
        "recorded": [FileOutcome(path, "refused", why).to_payload() for path, why in sorted(refused.items())],
        "notes": content.notes,
    }
    state.save(ctx, names.manifest(run), manifest)
    logs.event("run frozen", files=manifest["files"], batches=count)
    return manifest


def _read(ctx: Context, source: sources.Source) -> tuple[ArchiveContent, dict[str, str]]:
    try:
        content = sources.read(ctx, source)
    except ValidationError as error:
        if source.fetch is not None:
            raise  # no upload that can be put beside the report: the run fails, and says why
        name = source.name.rstrip("/").rpartition("/")[2] if source.container == names.MANIFESTS else f"upload.{source.kind}"
        return ArchiveContent(), {name: logs.describe(error)}
    return content, content.refused


def _plan(ctx: Context, run: str, source: sources.Source, content: ArchiveContent) -> tuple[RunSetup, str | None]:
    """The run's setup; where the application's own settings or the team's knowledge cannot be used, that of an empty run, and why."""
    try:
        today = datetime.now(UTC).date().isoformat()
        options = replace(source.options, knowledge=knowledge.load(ctx, source.knowledge), today=today, model=ctx.mode)
        return replace(ctx.engine.plan(content.files, options), run_id=run), None
    except ValidationError as error:
        return replace(ctx.engine.plan([], RunOptions(source.app)), run_id=run), logs.describe(error)
