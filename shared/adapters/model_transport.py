"""The HTTP client for a model's service: a whole answer within one deadline, of bounded size, from the configured address only.

httpx2's own timeouts are for one read each: a service that sends a byte now and then would never meet them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

import httpx2

from shared.domain.errors import ValidationError

MAX_BODY_BYTES = 1024 * 1024
_SENT = ("host", "authorization", "content-type", "content-length", "accept", "accept-encoding", "user-agent", "connection")
"""The SDK adds headers of its own, some from the environment of other tools (OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS); they stay here."""


class _Bounded(httpx2.SyncByteStream):
    """A body that ends at the deadline or at its largest size."""

    def __init__(self, inner: httpx2.SyncByteStream, deadline: float, limit: int) -> None:
        self._inner, self._deadline, self._limit = inner, deadline, limit

    def __iter__(self) -> Iterator[bytes]:
        left = self._limit
        for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise ValidationError(f"the model's service sends more than {self._limit} bytes")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer takes too long as a whole")
            yield chunk

    def close(self) -> None:
        self._inner.close()


class _BoundedTransport(httpx2.HTTPTransport):
    def __init__(self, seconds: float, limit: int) -> None:
        super().__init__()
        self._seconds, self._limit = seconds, limit

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + self._seconds
        response = super().handle_request(_scrubbed(request))
        if response.headers.get("content-encoding", "identity") != "identity":  # a small body could become a huge one
            response.close()
            raise ValidationError("the model's service compresses its answer although it was asked not to")
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(cast(httpx2.SyncByteStream, response.stream), deadline, self._limit),
            extensions=response.extensions,
        )


def _scrubbed(request: httpx2.Request) -> httpx2.Request:
    """A copy: the SDK looks at its own headers again when the answer is there."""
    headers = [(name, value) for name, value in request.headers.multi_items() if name in _SENT]
    return httpx2.Request(request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions)


def bounded_client(seconds: float, max_bytes: int = MAX_BODY_BYTES) -> httpx2.Client:
    """A client that follows no redirect: the key and the question go to the configured address alone."""
    return httpx2.Client(
        transport=_BoundedTransport(seconds, max_bytes),
        timeout=httpx2.Timeout(seconds, connect=min(10.0, seconds)),
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
    )
