"""Sending and opening envelopes, with the claim check for payloads over 48 KiB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import telemetry
from shared.domain.messages import INLINE_BYTES, Envelope, MessageType, digest
from shared.pipeline import names, state
from shared.pipeline.context import Context


def send_batch(ctx: Context, queue: str, cause: Envelope, kind: MessageType, batch: int, payload: Mapping[str, Any]) -> None:
    """Pass a batch on to the next stage; `cause` is the message that led to this one."""
    content = dict(payload) | {"batch": batch}
    trace = telemetry.traceparent(cause.traceparent)
    message = Envelope(type=kind, run_id=cause.run_id, dedup_key=f"{cause.run_id}/{kind}/{batch}", traceparent=trace, payload=content)
    text = message.encode()
    if len(text) > INLINE_BYTES:
        data = state.dump(content)
        name = names.claim(cause.run_id, names.STAGES[queue], batch, digest(data))
        ctx.blobs.write(names.RUNS, name, data)
        text = message.model_copy(update={"payload": None, "claim": name}).encode()
    ctx.queue.send(queue, text)


def payload_of(ctx: Context, envelope: Envelope) -> Mapping[str, Any]:
    """The payload, fetched where the message carries only its name. Raises CriticalError where that blob is gone."""
    if envelope.claim is not None:
        value: Mapping[str, Any] = state.load(ctx, envelope.claim)
        return value
    return envelope.payload or {}
