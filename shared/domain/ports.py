"""What the pipeline needs of the outside world. Adapters implement these; tests have hand-written fakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.domain.slack import ChatMessage


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """One blob of a listing.

    `etag` is unquoted; `size` in bytes; `modified` is the service's own clock in seconds since 1970 (whole seconds: that is
    all a listing gives), so it compares with other blobs of the same service and never with the local clock.
    """

    name: str
    etag: str
    size: int
    modified: float = 0.0


class BlobStore(Protocol):
    """Blobs by container and name. Every method raises TransientError where the service is unavailable, CriticalError where it
    says no (credentials, names). A container that is missing reads as empty and is created by the first write."""

    def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        """(content, etag), or None where there is none. Raises ValidationError above max_bytes, before the body is in memory."""

    def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        """True where written; False where a condition did not hold (it was there already, or its ETag differs)."""

    def list(self, container: str, prefix: str, *, limit: int | None = None) -> Iterator[BlobInfo]:
        """The (first `limit`) blobs under a prefix in name order."""

    def list_prefixes(self, container: str, prefix: str) -> Iterator[str]:
        """The distinct `prefix<segment>/` below a prefix."""

    def copy(self, source: tuple[str, BlobInfo], target: tuple[str, str]) -> bool:
        """Copy (container, blob) to (container, name) in pieces; False where the blob is not the listed one any more."""

    def delete(self, container: str, name: str) -> None:
        """Delete; nothing happens where it is not there."""


class MessageQueue(Protocol):
    """Storage queues; text is one ASCII JSON object."""

    def send(self, queue: str, text: str, *, visibility_delay: float = 0) -> None:
        """Send; the message shows up after `visibility_delay` seconds. Raises TransientError or CriticalError as BlobStore does.

        A queue that is missing is created.
        """

    def oldest(self, queue: str) -> float | None:
        """When the message at the head was sent, in seconds since 1970; None where no message is visible. Raises as `send` does."""


class SecretStore(Protocol):
    """Secrets by name (lower case with dashes). Values are never logged, stored or put into an exception's text."""

    def get(self, name: str) -> str | None:
        """The current value, None where it is not set. Raises TransientError or CriticalError where the store does not answer."""

    def renewed(self, name: str, refused: str) -> str | None:
        """After an outsider refused the value `refused`: another one, read past every cache; None where there is no newer one."""


class Chat(Protocol):
    """Where people are told of runs. Raises TransientError (with the wait that the service asks for), ValidationError or CriticalError."""

    @property
    def updates(self) -> bool:
        """Whether a message can be changed and found again; False for an incoming webhook, which only posts."""

    def post(self, message: ChatMessage) -> str:
        """Post a message; where it is, "" where that is not known."""

    def update(self, place: str, message: ChatMessage) -> bool:
        """Change a message; False where it is not there any more."""

    def find(self, key: str) -> str | None:
        """Where our own recent message of this key is, None where there is none (or the service does not let us look)."""
