"""HTTP servers that tests run: quiet, on a free port, and gone with their block."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Handler(BaseHTTPRequestHandler):
    """Writes no line for each request, which would bury what a failing test says."""

    def sent(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def names(self) -> dict[str, str]:
        """The request's headers; names are lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server:
    """Has its port from the start, and answers inside its block, with a thread for each connection."""

    def __init__(self, handler: type[Handler], tls: ssl.SSLContext | None = None) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Posted:
    """One request to an Inbox; header names are lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Inbox(Server):
    """Takes whatever is posted to `url`."""

    def __init__(self) -> None:
        self.seen: list[Posted] = []
        inbox = self

        class Receiver(Handler):
            def do_POST(self) -> None:
                inbox.seen.append(Posted(self.path, self.names(), self.sent()))
                self.send_response(202)
                self.end_headers()

        super().__init__(Receiver)
        self.url = f"http://127.0.0.1:{self.port}/"
