"""The Intake: says what an upload is, waits for quiet, freezes the run and hands its batches to the Inspector.

    upload        {"name"}: an archive or `.ready` in `manifests`; or {"app", "kind", "body", ...}: a stored POST body
    quiet-check   {"name", "known"}: a file of `manifests/<app>/`, looked at again RUN_QUIET_SECONDS after it came
    webhook       a delivery of GitHub (github_intake.py)
    deploy        a merged pull request, or POST /api/runs/{runId}/deploy (deploy.py)

Quiet needs no clock: a check of the file that is still the newest under its prefix, `RUN_QUIET_SECONDS` after that file was
seen, means that nothing came since. The checks of all other files are dropped, but for the first file's, which re-delays
itself; so a folder of any size has two checks alive, and one lost message does not keep the run from starting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shared import telemetry
from shared.domain.messages import Envelope, MessageType
from shared.domain.ports import BlobInfo
from shared.domain.run import RunOptions
from shared.pipeline import delivery, deploy, freeze, github_intake, ignored, knowledge, names, sources
from shared.pipeline.context import Context


def uploaded(ctx: Context, name: str) -> None:
    """The blob trigger: one message for one new blob `manifests/<name>`; deciding is left to the queue and its retries."""
    app, slash, path = name.partition("/")
    quiet = bool(slash) and names.is_app(app) and path != names.READY
    with telemetry.span("upload", kind="producer"):
        _send(ctx, "quiet-check" if quiet else "upload", {"name": name}, ctx.limits.quiet_seconds if quiet else 0)


def handle(ctx: Context, envelope: Envelope) -> delivery.Following | None:
    """One message of the `intake` queue. The run goes on under its own name, so that what goes wrong is recorded there."""
    if envelope.type == "webhook":
        return github_intake.handle(ctx, envelope)
    if envelope.type == "deploy":
        return deploy.handle(ctx, envelope)
    source = _source(ctx, envelope)
    if source is None:
        return None
    if source.container == names.MANIFESTS:
        source = replace(source, knowledge=knowledge.keep(ctx))
    return envelope.model_copy(update={"run_id": source.run_id}), partial(freeze.start, source=source)


def _source(ctx: Context, envelope: Envelope) -> sources.Source | None:
    """What a message starts a run from, or None where it starts none (now)."""
    payload = envelope.payload or {}
    name = str(payload.get("name", ""))
    if envelope.type == "quiet-check":
        return _quiet_check(ctx, name, payload.get("known"))
    if envelope.type == "upload":
        return _posted(payload) if "body" in payload else _uploaded(ctx, name)
    ignored.record(ctx, envelope.dedup_key, f"messages of type {envelope.type} are not supported")
    return None


def _posted(payload: Mapping[str, Any]) -> sources.Source:
    options = RunOptions(payload["app"], payload["source"], payload["target"], payload["unsafe"])
    return sources.body(payload["app"], payload["kind"], payload["body"], options, payload["knowledge"])


def _uploaded(ctx: Context, name: str) -> sources.Source | None:
    app, slash, path = name.partition("/")
    if slash and names.is_app(app) and path == names.READY:
        return sources.folder(ctx, app)
    if slash:
        ignored.record(ctx, name, "the first folder is no application name ([a-z0-9-], at most 40 characters)")
    elif names.app_archive(name) is None:
        ignored.record(ctx, name, "not an archive <app>.zip or <app>.tar.gz with an application name ([a-z0-9-], at most 40 characters)")
    else:
        return sources.archive(ctx, name)
    return None


def _quiet_check(ctx: Context, name: str, known: Any) -> sources.Source | None:
    source = sources.folder(ctx, name.partition("/")[0])
    if not source.blobs:
        return None  # all files were deleted again
    own = next((blob for blob in source.blobs if blob.name == name), None)
    newest = max(map(_age, source.blobs))
    seen = tuple(known) if known else _age(own) if own else None
    if seen is not None and newest <= seen:
        return source
    if own is None or source.blobs[0].name == name:
        _send(ctx, "quiet-check", {"name": name, "known": list(newest)}, ctx.limits.quiet_seconds)
    return None


def _age(blob: BlobInfo) -> tuple[float, str]:
    """Orders blobs by time, then name: listings give whole seconds only."""
    return blob.modified, blob.name


def _send(ctx: Context, kind: MessageType, payload: Mapping[str, Any], delay: float) -> None:
    trace = telemetry.traceparent()
    message = Envelope(type=kind, run_id="", dedup_key=f"{kind}/{payload['name']}", traceparent=trace, payload=dict(payload))
    ctx.queue.send(names.INTAKE, message.encode(), visibility_delay=delay)
