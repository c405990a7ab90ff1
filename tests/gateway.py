"""An HTTP proxy in front of an emulator: it journals every request, and answers the chosen ones itself.

Faults (a 500, a 429, a lost answer, a silence) and stubs of endpoints that the emulator lacks are both `answers`: the first that
matches a request decides. Everything else is forwarded, so state stays the emulator's.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from http_support import Handler, Server

_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "host", "accept-encoding")


@dataclass(frozen=True)
class Seen:
    """One request as it came. `path` has the query; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What the proxy answers itself. `lost`: the emulator does it first, then the answer goes missing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    lost: bool = False
    drop: bool = False


Responder = Callable[[Seen], Reply | None]


@dataclass
class _Rule:
    method: str
    pattern: re.Pattern[str]
    reply: Reply | Responder
    times: int


class Gateway(Server):
    """`url` is its base. `target` is set once the emulator listens."""

    def __init__(self) -> None:
        self.target: tuple[str, int] | None = None
        self.seen: list[Seen] = []
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        super().__init__(self._handler())
        self.url = f"http://localhost:{self.port}"

    def answer(self, method: str, pattern: str, reply: Reply | Responder, times: int = -1) -> None:
        """Answer requests whose path (with its query) matches, the next `times` of them; a responder may pass by giving None."""
        with self._lock:
            self._rules.append(_Rule(method, re.compile(pattern), reply, times))

    def fail(self, method: str, pattern: str, status: int = 500, times: int = 1, **headers: str) -> None:
        """Answer with an error; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer(method, pattern, Reply(status, {"message": "made to fail by the test"}, named), times)

    def clear(self) -> None:
        """Forget answers and journal."""
        with self._lock:
            self._rules.clear()
            self.seen.clear()

    def calls(self, method: str, pattern: str) -> list[Seen]:
        """The journalled requests of one kind."""
        return [seen for seen in list(self.seen) if seen.method == method and re.search(pattern, seen.path)]

    def _reply(self, seen: Seen) -> Reply | None:
        with self._lock:
            self.seen.append(seen)
            rules = [r for r in self._rules if r.times != 0 and r.method in (seen.method, "*") and r.pattern.search(seen.path)]
        for rule in rules:
            reply = rule.reply if isinstance(rule.reply, Reply) else rule.reply(seen)
            if reply is not None:
                with self._lock:
                    rule.times -= 1
                return reply
        return None

    def _forward(self, seen: Seen) -> tuple[int, list[tuple[str, str]], bytes]:
        assert self.target is not None, "the emulator is not running"
        connection = http.client.HTTPConnection(*self.target, timeout=60)
        try:
            headers = {name: value for name, value in seen.headers.items() if name not in _HOP}
            connection.request(seen.method, seen.path, seen.body or None, headers)
            response = connection.getresponse()
            return response.status, [h for h in response.getheaders() if h[0].lower() not in _HOP], response.read()
        finally:
            connection.close()

    def _handler(gateway: Gateway) -> type[Handler]:  # noqa: N805 - the handler's own self is another
        class Proxy(Handler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                seen = Seen(self.command, self.path, self.names(), self.sent())
                reply = gateway._reply(seen)
                if reply is None:
                    self.give(*gateway._forward(seen))
                    return
                if reply.lost:
                    gateway._forward(seen)
                time.sleep(reply.delay)
                if reply.drop:
                    self.close_connection = True
                    return
                data = reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else json.dumps(reply.body).encode()
                self.give(reply.status, [("Content-Type", "application/json"), *reply.headers.items()], data)

            def give(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD" and status != 204:
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client did not wait
                        self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815 - names of the library

        return Proxy
