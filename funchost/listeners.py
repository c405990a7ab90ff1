"""Builds what serves each function from its trigger: queue listeners, the blob scan with its internal queue, timers, routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Protocol
from urllib.parse import urlsplit

from funchost.blob_messages import POISON_QUEUE, BlobMessage, internal_queue
from funchost.blob_pattern import parse_pattern
from funchost.blob_receipts import BlobReceipts
from funchost.blob_scan import BlobScan, WatchedFunction
from funchost.blob_store import BlobStore
from funchost.blob_trigger import BlobFunction, BlobTrigger
from funchost.connections import DEFAULT_CONNECTION, Connections
from funchost.errors import ConfigurationError
from funchost.executor import FunctionExecutor
from funchost.functions import FunctionSpec, poison_name
from funchost.hostjson import HostOptions
from funchost.queue_listener import ListenerOptions, QueueListener
from funchost.queue_messages import encode_text
from funchost.queue_store import QueueStore
from funchost.queue_trigger import QueueTrigger
from funchost.routes import Route, make_route, sort_routes
from funchost.schedule import parse_schedule
from funchost.settings import Timings
from funchost.timer import StatusStore, TimerListener


class Listener(Protocol):
    """Something that runs until stopped and finishes what it has begun."""

    async def run(self) -> None:
        """Serve; raises StorageStoppedHostError."""

    def stop(self) -> None:
        """Ask ``run`` to end."""


class Stores:
    """Queues and blob services of the connections, on one pool of storage threads."""

    def __init__(self, connections: Connections, threads: ThreadPoolExecutor) -> None:
        self._connections = connections
        self._threads = threads

    def queue(self, connection: str, name: str) -> QueueStore:
        """The queue ``name``; no request."""
        return QueueStore(self._connections.queues(connection).get_queue_client(name), self._threads)

    def blobs(self, connection: str) -> BlobStore:
        """The blob service; no request."""
        return BlobStore(self._connections.blobs(connection), self._threads)

    def blob_path_prefix(self, connection: str) -> str:
        """The path of the blob endpoint: the account's name on the storage emulator, empty in Azure."""
        return urlsplit(self._connections.blobs(connection).url).path


class Notifier:
    """Wakes the listeners of a queue that this host has just written to."""

    def __init__(self) -> None:
        self._listeners: list[QueueListener] = []

    def add(self, listener: QueueListener) -> QueueListener:
        """Take part."""
        self._listeners.append(listener)
        return listener

    def notify(self, queue: str) -> None:
        """End the wait of every listener on ``queue``."""
        for listener in self._listeners:
            if listener.queue.name == queue:
                listener.wake()


def queue_listener(
    trigger: QueueTrigger, spec: FunctionSpec, stores: Stores, settings: ListenerOptions, notifier: Notifier
) -> QueueListener:
    """A listener for one queue function."""
    poison = poison_name(trigger.queue)
    poison_store = stores.queue(spec.connection, poison) if poison else None
    queue = stores.queue(spec.connection, trigger.queue)
    return notifier.add(QueueListener(queue, poison_store, settings, trigger.handle, notifier.notify))


def queue_options(options: HostOptions, timings: Timings) -> ListenerOptions:
    """host.json's queue settings with this host's lease."""
    return ListenerOptions(**asdict(options.queues), lease=timings.queue_lease_seconds)


class BlobSide:
    """Everything the blob functions of an app share: receipts, the internal queue, its consumer, the scan."""

    def __init__(
        self,
        specs: Sequence[FunctionSpec],
        stores: Stores,
        options: HostOptions,
        timings: Timings,
        executor: FunctionExecutor,
        notifier: Notifier,
        host_id: str,
    ) -> None:
        connection = _one_connection(specs)
        self._notifier = notifier
        self.path_prefix = stores.blob_path_prefix(connection)
        self.functions = {spec.name: _blob_function(spec, stores) for spec in specs}
        self.trigger = BlobTrigger(self.functions, executor)
        self._queue = stores.queue(DEFAULT_CONNECTION, internal_queue(host_id))
        poison = stores.queue(connection, POISON_QUEUE)
        settings = _internal_options(options, timings)
        consumer = notifier.add(QueueListener(self._queue, poison, settings, self.trigger.handle, notifier.notify))
        receipts = BlobReceipts(stores.blobs(DEFAULT_CONNECTION), host_id, timings.receipt_lease_seconds)
        watched = [WatchedFunction(f.name, f.pattern, f.store) for f in self.functions.values() if not f.event_grid]
        scan = [BlobScan(watched, receipts, self.enqueue, timings.blob_scan_seconds)] if watched else []
        self.listeners: list[Listener] = [consumer, *scan]

    async def prepare(self) -> None:
        """Create the internal queue."""
        await self._queue.create()

    async def enqueue(self, message: BlobMessage) -> None:
        """Put a message into the internal queue and wake its consumer."""
        await self._queue.send(encode_text(message.to_json().encode(), base64_encoded=True))
        self._notifier.notify(self._queue.name)


def _one_connection(specs: Sequence[FunctionSpec]) -> str:
    connections = {spec.connection for spec in specs}
    if len(connections) > 1:
        raise ConfigurationError(f"blob functions on several connections are not served: {', '.join(sorted(connections))}")
    return connections.pop()


def _blob_function(spec: FunctionSpec, stores: Stores) -> BlobFunction:
    source = str(spec.trigger.get("source") or "LogsAndContainerScan")
    if source.lower() not in {"eventgrid", "logsandcontainerscan"}:
        raise ConfigurationError(f"function {spec.name}: blob source {source!r} is not known")
    pattern = parse_pattern(str(spec.trigger.get("path") or ""), f"function {spec.name}")
    return BlobFunction(spec.name, pattern, stores.blobs(spec.connection), spec.data_type, source.lower() == "eventgrid")


def _internal_options(options: HostOptions, timings: Timings) -> ListenerOptions:
    """Queue settings of host.json do not apply to the internal queue (SharedBlobQueueListenerFactory)."""
    parallel = options.blobs.max_degree_of_parallelism
    batch = min(32, parallel // 2 + 1)
    return ListenerOptions(
        batch_size=batch,
        new_batch_threshold=max(0, parallel - batch),
        max_polling_interval=options.queues.max_polling_interval,
        visibility_timeout=0,
        max_dequeue_count=options.blobs.poison_blob_threshold,
        base64=True,
        lease=timings.queue_lease_seconds,
    )


def timer_listener(
    spec: FunctionSpec, stores: Stores, executor: FunctionExecutor, host_id: str, environ: Mapping[str, str]
) -> TimerListener:
    """A listener for one timer function."""
    schedule = parse_schedule(str(spec.trigger.get("schedule") or ""), f"function {spec.name}", environ)
    return TimerListener(
        spec.name,
        schedule,
        StatusStore(stores.blobs(DEFAULT_CONNECTION), host_id),
        executor,
        run_on_startup=_flag(spec.trigger.get("runOnStartup"), default=False),
        use_monitor=_flag(spec.trigger.get("useMonitor"), default=True),
    )


def _flag(value: object, *, default: bool) -> bool:
    return default if value is None else str(value).lower() == "true"


def http_routes(specs: Sequence[FunctionSpec], prefix: str) -> tuple[Route, ...]:
    """The routes of the HTTP functions, most specific first."""
    return sort_routes([_route(spec, prefix) for spec in specs])


def _route(spec: FunctionSpec, prefix: str) -> Route:
    route = spec.trigger.get("route")
    methods = [str(method) for method in spec.trigger.get("methods") or ()]
    level = str(spec.trigger.get("authLevel") or "function")
    return make_route(spec.name, spec.name if route is None else str(route), prefix, methods, level)
