"""A server that speaks OpenAI's chat protocol by a script: well, badly, slowly, cut off, or with malice. It journals every question."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from http_support import Handler, Server


@dataclass(frozen=True)
class Asked:
    """One request; header names are lower case."""

    path: str
    headers: Mapping[str, str]
    json: Any


Turn = Callable[[BaseHTTPRequestHandler, Asked], None]


def send(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Turn:
    """Any answer; text and bytes go out as they are, other values as JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def turn(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data))}.items() | (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return turn


def completion(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """The protocol's form of an answer."""
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted-1",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def says(content: Any, finish: str = "stop", **message: Any) -> Turn:
    """A well-formed answer with this content; what is no text is sent as the text of its JSON."""
    return send(200, completion(content if isinstance(content, str | None) else json.dumps(content), finish, **message))


def embeds(dimensions: int) -> Turn:
    """A vector for each text: how often each letter pair is in it, pairs hashed into the dimensions."""

    def turn(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        assert asked.path.endswith("/embeddings")
        rows = [[0.0] * dimensions for _ in asked.json["input"]]
        for row, text in zip(rows, asked.json["input"], strict=True):
            for pair in zip(text.lower(), text.lower()[1:], strict=False):
                row[zlib.crc32("".join(pair).encode()) % dimensions] += 1.0
        data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
        send(200, {"object": "list", "data": data[::-1], "model": "e", "usage": {"prompt_tokens": 7, "total_tokens": 7}})(handler, asked)

    return turn


def fails(status: int, code: str | None = None, message: str = "secret-of-the-service", param: str | None = None, **headers: str) -> Turn:
    """An error in the protocol's form; header names are written with underscores."""
    body = {"error": {"message": message, "type": "t", "param": param, "code": code}}
    return send(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def cut(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """Half an answer, then the line is dead."""
    data = json.dumps(completion("{}")).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


def unfinished(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """Half an answer that ends like a whole one."""
    send(200, json.dumps(completion("{}"))[:60])(handler, asked)


page = send(200, "<html>Sign in</html>", {"Content-Type": "text/html"})
"""What stands at a wrong address."""
streamed = send(200, 'data: {"choices": []}\n\ndata: [DONE]\n\n', {"Content-Type": "text/event-stream"})
"""Events that nobody asked for."""


def silent(seconds: float) -> Turn:
    """No word for a while, then an answer."""

    def turn(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        time.sleep(seconds)
        says({"answer": 1})(handler, asked)

    return turn


def dripping(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """A byte every tenth of a second: no single read takes long, and the whole never ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    _drip(handler, b" ")


def slow_header(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """Not even the header ever comes to its end."""
    _drip(handler, b"HTTP/1.1 200 OK\r\nX-Long: ")


def slow_chunk(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """The length of the body's first piece never comes to its end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    _drip(handler, b"1;x=")


def _drip(handler: BaseHTTPRequestHandler, start: bytes) -> None:
    for byte in start.ljust(60, b"a"):
        handler.wfile.write(bytes([byte]))
        time.sleep(0.1)


def endless(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """Sixty-four megabytes of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(64 * 1024 * 1024))
    handler.end_headers()
    for _ in range(1024):
        handler.wfile.write(b" " * 65536)


def bomb(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """A few kilobytes that become sixteen megabytes."""
    send(200, gzip.compress(b" " * 16 * 1024 * 1024), {"Content-Encoding": "gzip"})(handler, asked)


def dropped(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    """Not one byte."""
    handler.close_connection = True


class ModelServer(Server):
    """Each question takes the next turn of the script, and the last one for ever."""

    def __init__(self, *script: Turn) -> None:
        self.script = list(script)
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        super().__init__(self._handler())
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def _turn(self, asked: Asked) -> Turn:
        with self._lock:
            self.asked.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def _done(self) -> None:
        with self._lock:
            self.at_once -= 1

    def _handler(server: ModelServer) -> type[Handler]:  # noqa: N805 - the handler's own self is another
        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = Asked(self.path, self.names(), json.loads(self.sent()))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client did not wait
                    try:
                        server._turn(asked)(self, asked)
                    finally:
                        server._done()

        return Answering
