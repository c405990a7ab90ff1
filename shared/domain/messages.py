"""The envelope of every queue message (DESIGN 3): strict on the way in, one ASCII JSON object on the way out.

The Functions host mixes the top-level keys of a JSON message into its trigger metadata, so a key named id, dequeueCount,
insertionTime, expirationTime, nextVisibleTime, popReceipt or queueTrigger would shadow the real value. The closed schema
here has none of them. Queue text is limited to 64 KiB; over INLINE_BYTES the payload goes to a blob (claim check).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic import ValidationError as SchemaError
from pydantic.alias_generators import to_camel

from shared.domain.errors import CriticalError, first_problem

SCHEMA_VERSION = 1
INLINE_BYTES = 48 * 1024
RUN_ID = r"^[a-z0-9-]{1,40}-[0-9a-f]{12}$"
"""`<app>-<first 48 bits of a SHA-256>`; see shared.pipeline.names.run_id."""
TRACEPARENT = r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""https://www.w3.org/TR/trace-context/#traceparent-header"""

MessageType = Literal["upload", "quiet-check", "webhook", "deploy", "inspect", "think", "patch", "report", "publish"]


class Envelope(BaseModel):
    """One message. Exactly one of `payload` and `claim` (a blob name inside the run's folder) is set.

    `run_id` is "" only on `intake`, before the snapshot that names the run is taken. `deadline` is the moment after which a
    re-sent message gives up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True)

    schema_version: Literal[1] = 1
    type: MessageType
    run_id: str = Field(pattern=rf"^$|{RUN_ID}")
    attempt: int = Field(default=1, ge=1)
    dedup_key: str = Field(min_length=1, max_length=1100)
    traceparent: str = Field(pattern=TRACEPARENT)
    deadline: str | None = None
    payload: dict[str, Any] | None = None
    claim: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.payload is None) == (self.claim is None):
            raise ValueError("exactly one of payload and claim")
        if self.claim is not None and not is_claim(self.claim, self.run_id):
            raise ValueError("claim lies outside the run")
        if self.deadline is not None:
            datetime.fromisoformat(self.deadline)
        return self

    def encode(self) -> str:
        """One line of ASCII JSON; keys in a fixed order, so that equal envelopes are equal texts."""
        return json.dumps({k: v for k, v in self._fields() if v is not None}, separators=(",", ":"))

    def _fields(self) -> list[tuple[str, Any]]:
        return [(to_camel(name), getattr(self, name)) for name in type(self).model_fields]


def decode(text: str) -> Envelope:
    """Parse and check a message. Raises CriticalError with one line that quotes none of the message's values."""
    try:
        return Envelope.model_validate_json(text, by_name=False)
    except SchemaError as error:
        raise CriticalError(f"unusable message: {first_problem(error, 'message')}") from None
    except (ValueError, RecursionError) as error:
        raise CriticalError(f"unusable message: {type(error).__name__}") from None


def is_claim(name: str, run_id: str) -> bool:
    """Whether a blob name is a claim of this run: an untrusted message must not make a stage read any other blob."""
    return bool(run_id) and re.fullmatch(rf"{re.escape(run_id)}/claims/[a-z]+-\d{{1,6}}-[0-9a-f]{{16}}\.json", name) is not None


def digest(data: bytes) -> str:
    """The 16 hexadecimal digits that names use for content."""
    return hashlib.sha256(data).hexdigest()[:16]


def is_traceparent(text: str) -> bool:
    """Whether a text from outside is a trace context that may be gone on with; zeros and version ff are none, says the standard."""
    parts = text.split("-")
    return re.fullmatch(TRACEPARENT, text) is not None and parts[0] != "ff" and parts[1].strip("0") != "" and parts[2].strip("0") != ""


def new_traceparent() -> str:
    """A fresh, sampled W3C trace context, for a run that no caller's trace started."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
