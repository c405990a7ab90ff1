"""The host's life: start everything, run until told to stop, stop without losing a message."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from azure.core.exceptions import AzureError

from funchost.app import App, AppSettings
from funchost.errors import HostError
from funchost.executor import FunctionExecutor
from funchost.storage_errors import stopped
from funchost.worker import Worker

log = logging.getLogger("funchost.host")


class Ending(enum.Enum):
    """Why the host ended."""

    STOPPED = "stopped"
    FAILED = "failed"
    RESTART = "restart"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the host stops its listeners first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Host:
    """One run of a function app on an already bound socket."""

    def __init__(self, worker: Worker, settings: AppSettings, listening: socket.socket) -> None:
        self._worker = worker
        self._settings = settings
        self._socket = listening
        self._asked_to_stop = 0
        self._ending: asyncio.Future[Ending]

    async def run(self) -> Ending:
        """Serve until a signal, a storage refusal or a function timeout; raises ConfigurationError before anything has started."""
        self._ending = asyncio.get_running_loop().create_future()
        executor = FunctionExecutor(self._worker, self._settings.options.function_timeout, lambda _function: self._end(Ending.RESTART))
        try:
            app = App(self._worker.index(), self._settings, executor)
            try:
                return await self._serve(app)
            finally:
                app.close()
        finally:
            self._worker.stop()

    async def _serve(self, app: App) -> Ending:
        try:
            await app.prepare()
        except AzureError as error:
            raise stopped("start", error) from error
        server = _Server(uvicorn.Config(app.http, lifespan="off", log_config=None, access_log=False, server_header=False))
        with self._signals():
            serving = asyncio.create_task(server.serve(sockets=[self._socket]))
            running = [self._watched(listener.run) for listener in app.listeners]
            self._announce(app)
            ending = await self._ending
            log.info("Host is stopping; waiting for functions in flight")
            for listener in app.listeners:
                listener.stop()
            await asyncio.gather(*running)
            await app.wait_for_manual_runs()
            server.should_exit = True
            await serving
        log.info("Host stopped")
        return ending

    def _watched(self, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return asyncio.create_task(self._guard(run))

    async def _guard(self, run: Callable[[], Awaitable[None]]) -> None:
        """A listener that fails ends the host, as an unhandled exception ends the real one."""
        try:
            await run()
        except HostError as error:
            log.error("An unhandled exception has occurred. Host is shutting down. %s", error)  # noqa: TRY400 - one line for the user
            self._end(Ending.FAILED)
        except Exception:
            log.exception("An unhandled exception has occurred. Host is shutting down.")
            self._end(Ending.FAILED)

    def _end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _asked(self, number: int) -> None:
        """The first signal stops gracefully; a second one ends the process: messages come back when their lease ends."""
        self._asked_to_stop += 1
        if self._asked_to_stop > 1:
            os._exit(128 + number)
        self._end(Ending.STOPPED)

    def _announce(self, app: App) -> None:
        host, port = self._socket.getsockname()[:2]
        for line in app.describe_lines():
            log.info("%s", line)
        log.info("Host started (id %s), listening on http://%s:%s", self._settings.host_id, host, port)
