"""The host's HTTP side as one ASGI application: functions, the Event Grid webhook, admin endpoints."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from funchost.executor import FunctionExecutor, new_trace_parent
from funchost.http_function import BodyTooLargeError, read_body, request_data, response_of
from funchost.http_keys import Keys
from funchost.routes import Route

log = logging.getLogger("funchost.http")
_HOME = "Your function app is up and running (development host).\n"


class HostControl(Protocol):
    """What the admin endpoints and the webhook need of the host."""

    def status(self) -> dict[str, Any]:
        """State, host id and version."""

    def describe(self) -> list[dict[str, Any]]:
        """Every function with its trigger."""

    def start_manually(self, function: str, text: str) -> bool:
        """Start a function with a text as its trigger value, without waiting; False when there is no such function."""

    async def blob_events(self, function: str, events: list[Any]) -> bool:
        """Queue Event Grid events for a blob function; False when there is none; raises ValueError for an event that is none."""


class HttpApp:
    """An ASGI application; ``body_limit`` in bytes."""

    def __init__(self, routes: Sequence[Route], executor: FunctionExecutor, control: HostControl, keys: Keys, body_limit: int) -> None:
        self._routes = routes
        self._executor = executor
        self._control = control
        self._keys = keys
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; anything else is refused by closing."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            if request.url.path.startswith("/admin/"):
                return await self._admin(request)
            if request.url.path == "/runtime/webhooks/blobs":
                return await self._blob_webhook(request)
            return await self._function(request)
        except BodyTooLargeError:
            return Response(status_code=413, headers={"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    async def _function(self, request: Request) -> Response:
        path = request.scope["path"]
        for route in self._routes:
            params = route.match(request.method, path)
            if params is not None:
                return await self._call(route, request, params)
        if path == "/":
            return Response(_HOME, media_type="text/plain")
        return Response(status_code=404)

    async def _call(self, route: Route, request: Request, params: dict[str, str]) -> Response:
        if not self._allowed(request, route.auth_level):
            return Response(status_code=401)
        body = await read_body(request, self._body_limit)
        trace = new_trace_parent(request.headers.get("traceparent", ""))
        reason = "This function was programmatically called via the host APIs."
        outcome = await self._executor.run(route.function, reason, request_data(request, body, params), trace_parent=trace)
        try:
            return response_of(outcome.value) if outcome.ok else Response(status_code=500)
        except ValueError as error:
            log.warning("function '%s' returned what is no HTTP response: %s", route.function, error)
            return Response(status_code=500)

    def _allowed(self, request: Request, level: str) -> bool:
        return self._keys.allows(level, request.headers, request.query_params)

    async def _admin(self, request: Request) -> Response:
        path = request.url.path.rstrip("/")
        if path == "/admin/host/ping":
            return Response(status_code=200)
        if not self._allowed(request, "admin"):
            return Response(status_code=401)
        if request.method == "GET" and path == "/admin/host/status":
            return JSONResponse(self._control.status())
        if request.method == "GET" and path == "/admin/functions":
            return JSONResponse(self._control.describe())
        if request.method == "POST" and path.startswith("/admin/functions/"):
            return await self._start_manually(request, path.removeprefix("/admin/functions/"))
        return Response(status_code=404)

    async def _start_manually(self, request: Request, function: str) -> Response:
        try:
            document = json.loads(await read_body(request, self._body_limit) or b"{}")
        except (ValueError, RecursionError):
            return Response("the body must be JSON", status_code=400)
        text = document.get("input") if isinstance(document, dict) else None
        started = self._control.start_manually(function, "" if text is None else str(text))
        return Response(status_code=202 if started else 404)

    async def _blob_webhook(self, request: Request) -> Response:
        if not self._allowed(request, "system"):
            return Response(status_code=401)
        try:
            events = json.loads(await read_body(request, self._body_limit))
            events = events if isinstance(events, list) else [events]
            code = _validation_code(request.headers.get("aeg-event-type", ""), events)
            if code is not None:
                return JSONResponse({"validationResponse": code})
            known = await self._control.blob_events(request.query_params.get("functionName", ""), events)
        except (ValueError, RecursionError) as error:
            return Response(f"not an Event Grid delivery: {error}", status_code=400, media_type="text/plain")
        return Response(status_code=202 if known else 404)


def _validation_code(event_type: str, events: list[Any]) -> str | None:
    """The code that a subscription's handshake wants echoed, or None when this is no handshake."""
    if event_type != "SubscriptionValidation" or not events or not isinstance(events[0], dict):
        return None
    data = events[0].get("data")
    return str(data["validationCode"]) if isinstance(data, dict) and data.get("validationCode") else None
