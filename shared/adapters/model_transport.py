"""The HTTP client for a model's service: a whole answer within one deadline, of bounded size, from the configured address only.

httpx2's own timeouts are for one read each: a service that sends a byte now and then, of its header too, would never meet them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx2

from shared.domain.errors import ValidationError

MAX_BODY_BYTES = 1024 * 1024
_SENT = ("host", "authorization", "content-type", "content-length", "accept", "accept-encoding", "user-agent", "connection")
"""The SDK adds headers of its own, some from the environment of other tools (OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS); they stay here."""


class _Deadline:
    """Shuts a request's connection when its time is over; `over` says that it did so."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpcore tells here of each connection it makes; with TLS the second one counts."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.over:
                self._end()

    def cancel(self) -> None:
        """The answer is there, or given up."""
        self._timer.cancel()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What breaks off because of the deadline is a timeout. Raises httpx2.ReadTimeout."""
        try:
            yield
        except httpx2.TransportError:
            if not self.over:
                raise
        if self.over:
            raise httpx2.ReadTimeout("the answer takes too long as a whole")

    def _end(self) -> None:
        self.over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it was closed in this moment
                self._socket.shutdown(socket.SHUT_RDWR)


class _Bounded(httpx2.SyncByteStream):
    """A body that ends at the deadline or at its largest size."""

    def __init__(self, inner: httpx2.SyncByteStream, deadline: _Deadline, limit: int) -> None:
        self._inner, self._deadline, self._limit = inner, deadline, limit

    def __iter__(self) -> Iterator[bytes]:
        left = self._limit
        with self._deadline.held():
            for chunk in self._inner:
                left -= len(chunk)
                if left < 0:
                    raise ValidationError(f"the model's service sends more than {self._limit} bytes")
                yield chunk

    def close(self) -> None:
        self._deadline.cancel()
        self._inner.close()


class _BoundedTransport(httpx2.HTTPTransport):
    """Each request has a connection of its own, so that its deadline can shut it."""

    def __init__(self, seconds: float, limit: int) -> None:
        super().__init__(limits=httpx2.Limits(max_keepalive_connections=0))
        self._seconds, self._limit = seconds, limit

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = _Deadline(self._seconds)
        try:
            with deadline.held():
                response = super().handle_request(_scrubbed(request, deadline))
        except BaseException:
            deadline.cancel()
            raise
        body = _Bounded(cast(httpx2.SyncByteStream, response.stream), deadline, self._limit)
        if response.headers.get("content-encoding", "identity") != "identity":  # a small body could become a huge one
            body.close()
            raise ValidationError("the model's service compresses its answer although it was asked not to")
        return httpx2.Response(response.status_code, headers=response.headers, stream=body, extensions=response.extensions)


def _scrubbed(request: httpx2.Request, deadline: _Deadline) -> httpx2.Request:
    """A copy: the SDK looks at its own headers again when the answer is there."""
    headers = [(name, value) for name, value in request.headers.multi_items() if name in _SENT]
    extensions = {**request.extensions, "trace": deadline.trace}
    return httpx2.Request(request.method, request.url, headers=headers, stream=request.stream, extensions=extensions)


def bounded_client(seconds: float, max_bytes: int = MAX_BODY_BYTES) -> httpx2.Client:
    """A client that follows no redirect: the key and the question go to the configured address alone."""
    return httpx2.Client(
        transport=_BoundedTransport(seconds, max_bytes),
        timeout=httpx2.Timeout(seconds, connect=min(10.0, seconds)),
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
    )
