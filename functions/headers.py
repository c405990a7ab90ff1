"""Headers of every HTTP answer: answers tell of untrusted manifests, are for one reader, and their addresses may hold a function key."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

SECURITY: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers (read 2026-11)."""
REVISION = "X-Aks-Copilot-Revision"
"""Told only to callers with a key: the smoke test of a deployment asks whether it is the new one that answers."""

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Message]], Send], Awaitable[None]]


@functools.cache
def revision() -> str:
    """The commit that this app was packaged from (ci/package.sh, Dockerfile.functions); `unknown` in a checkout."""
    file = Path(__file__).parents[1] / "revision"
    return file.read_text("ascii").strip() if file.is_file() else "unknown"


class AnswerHeaders:
    """ASGI middleware: SECURITY and the revision in every answer; what a route set itself stays."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._wanted = [(name.lower().encode(), value.encode()) for name, value in {**SECURITY, REVISION: revision()}.items()]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Hand on, and complete the headers where the answer starts."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *((name, value) for name, value in self._wanted if name not in names)]
            await send(message)

        await self._app(scope, receive, complete)
