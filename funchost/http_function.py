"""HTTP requests to the worker's shape and back (HttpBinding, GrpcMessageConversionExtensions of the real host)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from funchost.worker import TypedData

BODY_LIMIT = 104_857_600
_TEXT = "text/plain; charset=utf-8"


class BodyTooLargeError(Exception):
    """The body is longer than the limit; the answer is 413."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most ``limit`` bytes; raises BodyTooLargeError before anything over the limit is kept.

    Without a Content-Length the real host hands over an empty body, chunked or not.
    """
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) == 0:
        return b""
    if int(length) > limit:
        raise BodyTooLargeError
    parts = [part async for part in request.stream()]
    return b"".join(parts)


def request_data(request: Request, body: bytes, route_params: Mapping[str, str]) -> TypedData:
    """The trigger's value: header names in lower case, query parameters with an empty value left out, repeated ones joined by a comma."""
    return TypedData(
        "http",
        {
            "method": TypedData.text(request.method),
            "url": TypedData.text(str(request.url)),
            "headers": _texts(_joined(request.headers.items())),
            "query": _texts({k: v for k, v in _joined(request.query_params.multi_items()).items() if v}),
            "params": _texts(route_params),
            "body": TypedData("bytes", body),
        },
    )


def response_of(value: TypedData | None) -> Response:
    """The HTTP response for what a function returned."""
    if value is None or value.kind is None:
        return Response(status_code=200)
    if value.kind == "http":
        return _http_response(value.value)
    return _text_response(str(value.value))


def _joined(items: Any) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in items:
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _texts(values: Mapping[str, str]) -> dict[str, TypedData]:
    return {name: TypedData.text(value) for name, value in values.items()}


def _http_response(parts: Mapping[str, Any]) -> Response:
    response = Response(content=parts["body"], status_code=int(parts["status_code"]))
    for name, value in parts["headers"].items():
        if name.lower() != "content-length":
            response.headers[name] = value
    for cookie in parts.get("cookies") or ():
        for morsel in cookie.values():
            response.headers.append("set-cookie", morsel.OutputString())
    return response


def _text_response(text: str) -> Response:
    """A returned ``str`` that is a JSON object with a ``body`` is taken for a response object (HttpBinding.ParseResponseObject)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or "body" not in document:
        return Response(content=text, headers={"content-type": _TEXT})
    body = document["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    status = str(document.get("statusCode", document.get("status", 200)))
    headers = {str(name): str(value) for name, value in (document.get("headers") or {}).items()}
    return Response(content=content, status_code=int(status) if status.isdigit() else 200, headers={"content-type": _TEXT} | headers)
