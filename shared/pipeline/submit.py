"""Submitting an application by its bytes (POST /api/runs, `aks-copilot submit`): store the body, queue it, name the run.

The body is stored under its digest in `runs`, never in `manifests`, which triggers by itself; so the run's name is known at once
and the same body is the same run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Literal

from shared import telemetry
from shared.domain.errors import ValidationError
from shared.domain.messages import INLINE_BYTES, Envelope
from shared.domain.run import RunOptions
from shared.pipeline import knowledge, names, sources, state
from shared.pipeline.context import Context

BodyKind = Literal["zip", "tar.gz", "json"]


def submit_archive(ctx: Context, data: bytes, kind: BodyKind, options: RunOptions, traceparent: str | None = None) -> str:
    """Queue an archive; the runId. Raises ValidationError for a bad application name or a body over the limit."""
    return _submit(ctx, data, kind, options, traceparent)


def submit_files(ctx: Context, files: Mapping[str, str], options: RunOptions, traceparent: str | None = None) -> str:
    """Queue texts by path; the runId. Raises ValidationError as submit_archive does."""
    try:
        data = json.dumps({"files": dict(files)}, sort_keys=True, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValidationError("a file's text holds half of a surrogate pair") from error
    return _submit(ctx, data, "json", options, traceparent)


def _submit(ctx: Context, data: bytes, kind: BodyKind, options: RunOptions, traceparent: str | None) -> str:
    if not names.is_app(options.app):
        raise ValidationError("app must be 1 to 40 characters of [a-z0-9-]")
    if len(data) > ctx.limits.upload_bytes:
        raise ValidationError(f"the upload is larger than {ctx.limits.upload_bytes} bytes")
    content = hashlib.sha256(data).hexdigest()
    frozen = knowledge.keep(ctx)
    run = sources.body(options.app, kind, content, options, frozen).run_id
    chosen = {"knowledge": frozen, "source": options.source, "target": options.target, "unsafe": options.apply_unsafe}
    payload = {"app": options.app, "kind": kind, "body": content} | chosen
    with telemetry.span("submit", kind="producer", parent=traceparent, runId=run, app=options.app) as span:
        text = Envelope(type="upload", run_id=run, dedup_key=f"upload/{run}", traceparent=span.traceparent, payload=payload).encode()
        if len(text) > INLINE_BYTES:
            raise ValidationError(f"source and target are longer than {INLINE_BYTES} bytes")
        ctx.blobs.write(names.RUNS, names.upload(content), data, if_absent=True)
        ctx.queue.send(names.INTAKE, text)
        state.register(ctx, run, options.app, "POST /api/runs")
    return run
