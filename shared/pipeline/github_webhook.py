"""Receiving a delivery of GitHub's webhook: believe it, see whether it came before, queue it. Nothing here calls GitHub.

The mark of a delivery (its id, and the digest of its body: an id alone is not signed) is written after its message was sent, so a crash
loses nothing. It counts for a quarter of an hour, and goes when the delivery could not be used: GitHub repeats a delivery under the same
id when somebody presses "Redeliver", and means it. A delivery that comes again later names a commit whose run exists, and changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared import logs, telemetry
from shared.domain.errors import ValidationError
from shared.domain.messages import Envelope, digest
from shared.domain.ports import SecretStore
from shared.domain.webhook import MAX_BYTES, Ignored, is_signed, read_delivery
from shared.pipeline import names, state
from shared.pipeline.context import Context

SECRET = "github-webhook-secret"  # noqa: S105 - the secret's name
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")
_COUNTS = 900.0  # seconds for which a mark counts
_EVENT = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request: the raw body and the headers that count, as they came (None where there is none)."""

    body: bytes
    event: str | None
    delivery: str | None
    signature: str | None
    content_type: str | None


Answer = tuple[int, dict[str, str]]
"""An HTTP status and a JSON body."""


def receive(ctx: Context, secrets: SecretStore, request: Delivery) -> Answer:
    """Raises TransientError or CriticalError where storage or the secret store does not work; GitHub then shows a failed delivery."""
    refused = _refusal(secrets, request)
    if refused is not None:
        return refused
    event, delivery = request.event or "", request.delivery or ""
    with logs.bound(event=event, delivery=delivery):
        if event == "ping":
            return 200, {"status": "pong"}
        try:
            return _accept(ctx, event, f"{delivery}-{digest(request.body)}", request.body)
        except ValidationError as error:
            logs.failure("delivery refused", error)
            return 400, {"error": str(error)}


def _refusal(secrets: SecretStore, request: Delivery) -> Answer | None:
    """Why a request is no delivery of ours; the signature comes before everything that its sender may choose."""
    if len(request.body) > MAX_BYTES:
        return 413, {"error": f"a delivery has at most {MAX_BYTES} bytes"}
    secret = secrets.get(SECRET)
    if secret is None:
        return 503, {"error": "GITHUB_WEBHOOK_SECRET is not set"}
    if not is_signed(secret, request.body, request.signature):
        renewed = secrets.renewed(SECRET, secret)  # it may have been changed since it was read
        if renewed is None or not is_signed(renewed, request.body, request.signature):
            return 401, {"error": "X-Hub-Signature-256 is missing or wrong"}
    if (request.content_type or "").partition(";")[0].strip().lower() != "application/json":
        return 415, {"error": "set the webhook's content type to application/json"}
    if not _EVENT.fullmatch(request.event or "") or not _DELIVERY.fullmatch(request.delivery or ""):
        return 400, {"error": "X-GitHub-Event or X-GitHub-Delivery is missing or malformed"}
    return None


def _accept(ctx: Context, event: str, delivery: str, body: bytes) -> Answer:
    wanted = read_delivery(event, body)
    if isinstance(wanted, Ignored):
        logs.event("delivery ignored", reason=wanted.reason)
        return 202, {"status": "ignored", "reason": wanted.reason}
    mark = state.find(ctx, names.delivered(delivery))
    if mark is not None and ctx.clock() - mark["at"] < _COUNTS:
        return 202, {"status": "duplicate"}
    payload = wanted.payload | {"delivery": delivery}
    with telemetry.span("webhook", kind="producer", event=event) as span:
        key = f"{wanted.type}/{delivery}"
        message = Envelope(type=wanted.type, run_id="", dedup_key=key, traceparent=span.traceparent, payload=payload)
        ctx.queue.send(names.INTAKE, message.encode())
    state.save(ctx, names.delivered(delivery), {"event": event, "at": ctx.clock()})
    logs.event("delivery queued", repository=wanted.payload["repository"])
    return 202, {"status": "queued"}
