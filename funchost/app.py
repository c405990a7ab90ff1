"""Everything one function app needs to be served, built before anything starts: what is wrong is said before the first poll."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from funchost.blob_events import blob_message
from funchost.blob_messages import function_of
from funchost.connections import Connections
from funchost.executor import FunctionExecutor
from funchost.functions import FunctionSpec, check_functions
from funchost.hostjson import HostOptions
from funchost.http_app import HttpApp
from funchost.http_keys import Keys
from funchost.listeners import BlobSide, Listener, Notifier, Stores, http_routes, queue_listener, queue_options, timer_listener
from funchost.queue_trigger import QueueTrigger
from funchost.settings import Timings
from funchost.worker import Indexed

_STORAGE_THREADS = 48


@dataclass(frozen=True)
class AppSettings:
    """What the app is served with; ``body_limit`` in bytes."""

    options: HostOptions
    timings: Timings
    keys: Keys
    host_id: str
    environ: Mapping[str, str]
    body_limit: int


class App:
    """Listeners, HTTP application and the control behind the admin endpoints. Raises ConfigurationError when it cannot be built."""

    def __init__(self, indexed: Sequence[Indexed], settings: AppSettings, executor: FunctionExecutor) -> None:
        self._settings = settings
        self._executor = executor
        self._started = time.monotonic()
        self._manual: set[asyncio.Task[Any]] = set()
        self.specs = check_functions(indexed, settings.environ, settings.options.functions)
        self._connections = Connections(settings.environ)
        self._threads = ThreadPoolExecutor(_STORAGE_THREADS, thread_name_prefix="storage")
        stores, notifier = Stores(self._connections, self._threads), Notifier()
        self._queues = {spec.name: self._queue_trigger(spec) for spec in self._of("queueTrigger")}
        self._blobs = self._blob_side(stores, notifier)
        self._timers = {
            spec.name: timer_listener(spec, stores, executor, settings.host_id, settings.environ) for spec in self._of("timerTrigger")
        }
        self.listeners = [*self._queue_listeners(stores, notifier), *(self._blobs.listeners if self._blobs else ()), *self._timers.values()]
        routes = http_routes(self._of("httpTrigger"), settings.options.route_prefix)
        self.http = HttpApp(routes, executor, self, settings.keys, settings.body_limit)

    def _of(self, kind: str) -> list[FunctionSpec]:
        return [spec for spec in self.specs if spec.kind == kind]

    def _queue_trigger(self, spec: FunctionSpec) -> QueueTrigger:
        return QueueTrigger(spec.name, str(spec.trigger["queueName"]), spec.data_type, self._executor)

    def _queue_listeners(self, stores: Stores, notifier: Notifier) -> list[Listener]:
        options = queue_options(self._settings.options, self._settings.timings)
        return [queue_listener(self._queues[spec.name], spec, stores, options, notifier) for spec in self._of("queueTrigger")]

    def _blob_side(self, stores: Stores, notifier: Notifier) -> BlobSide | None:
        specs = self._of("blobTrigger")
        if not specs:
            return None
        s = self._settings
        return BlobSide(specs, stores, s.options, s.timings, self._executor, notifier, s.host_id)

    async def prepare(self) -> None:
        """Create what the host itself owns in storage."""
        if self._blobs:
            await self._blobs.prepare()

    async def wait_for_manual_runs(self) -> None:
        """Wait for what the admin endpoint has started."""
        while self._manual:
            await asyncio.wait(set(self._manual))

    def close(self) -> None:
        """Let go of threads and sockets."""
        self._threads.shutdown(wait=True)
        self._connections.close()

    def describe_lines(self) -> list[str]:
        """One line per function for the start of the log."""
        return [f"Function {spec.name}: {spec.kind} {_where(spec)}".rstrip() for spec in self.specs]

    def status(self) -> dict[str, Any]:
        """For ``GET /admin/host/status``; uptime in milliseconds."""
        uptime = int((time.monotonic() - self._started) * 1000)
        return {"id": self._settings.host_id, "state": "Running", "version": "funchost", "processUptime": uptime}

    def describe(self) -> list[dict[str, Any]]:
        """For ``GET /admin/functions``."""
        return [{"name": spec.name, "config": {"bindings": [dict(spec.trigger)]}} for spec in self.specs]

    def start_manually(self, function: str, text: str) -> bool:
        """For ``POST /admin/functions/{name}``: queue text, ``container/blob`` or, for a timer, anything. HTTP functions have a route."""
        if function in self._queues:
            self._start(self._queues[function].handle_text(text))
        elif function in self._timers:
            self._start(self._timers[function].run_now())
        elif self._blobs and function in self._blobs.functions:
            self._start(self._blobs.trigger.handle_path(function, text))
        else:
            return False
        return True

    def _start(self, run: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(run)
        self._manual.add(task)
        task.add_done_callback(self._manual.discard)

    async def blob_events(self, function: str, events: list[Any]) -> bool:
        """For the Event Grid webhook: every event becomes a message of the internal queue."""
        name = function_of(function)
        if self._blobs is None or name not in self._blobs.functions:
            return False
        messages = [blob_message(name, event, self._blobs.path_prefix) for event in events]
        for message in messages:
            await self._blobs.enqueue(message)
        return True


def _where(spec: FunctionSpec) -> str:
    shown = {key: value for key, value in spec.trigger.items() if key in {"queueName", "path", "schedule", "route", "methods"} and value}
    return ", ".join(f"{key} {value if isinstance(value, str) else json.dumps(value)}" for key, value in shown.items())
