"""Azurite (the storage emulator) from ``node_modules``, started on free ports and gone when its owner goes.

``make run``, ``aks-copilot up`` and every test suite start storage through this one class, so that ports, flags and
clean-up are decided once. Ports are chosen by Azurite itself (port 0), which leaves no race between picking and binding.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ACCOUNT = "devstoreaccount1"
# The public, documented key of every Azurite; it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SCRIPT = Path("node_modules/azurite/dist/src/azurite.js")
_FLAGS = ("--silent", "--skipApiVersionCheck", "--disableTelemetry")
_LISTENS = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://[^:]+:(\d+)")
# Azurite's standard input is a pipe that we hold: when this process dies, however it dies, the pipe closes and Azurite stops.
_STOP_WITH_OWNER = (
    "process.argv.splice(1, 0, {script});process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGTERM'));require({script});"
)


class AzuriteUnavailableError(RuntimeError):
    """Node or Azurite is not installed, or Azurite did not start; the text is one line for the user."""


def find_azurite(root: Path | None = None) -> tuple[str, Path]:
    """Return (node, azurite.js), looked for under ``root``, else under the project folder and the working directory.

    Raises AzuriteUnavailableError when either is missing.
    """
    node = shutil.which("node")
    if node is None:
        raise AzuriteUnavailableError("node is not on the PATH; install Node.js 20 or newer, then run: npm ci")
    roots = [root] if root else [Path(__file__).resolve().parents[1], Path.cwd()]
    for candidate in roots:
        script = candidate / _SCRIPT
        if script.is_file():
            return node, script.resolve()
    raise AzuriteUnavailableError(f"Azurite is not installed under {roots[0]}; run: npm ci")


class Azurite:
    """One Azurite process: a context manager with a ``connection_string``.

    ``location`` keeps data on disk (a folder, created if missing); without it everything lives in memory.
    A port of 0 means a free one. ``start`` returns when blob and queue service listen (0.8 to 1.6 s was measured).
    """

    def __init__(
        self,
        location: Path | None = None,
        *,
        blob_port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
        root: Path | None = None,
        start_timeout: float = 60.0,
    ) -> None:
        self.location = location
        self._wanted = {"Blob": blob_port, "Queue": queue_port, "Table": table_port}
        self._root = root
        self._start_timeout = start_timeout
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def blob_endpoint(self) -> str:
        """The blob service address including the account; valid after ``start``."""
        return self._endpoint("Blob")

    @property
    def queue_endpoint(self) -> str:
        """The queue service address including the account; valid after ``start``."""
        return self._endpoint("Queue")

    @property
    def connection_string(self) -> str:
        """A connection string with the explicit endpoints of this process; valid after ``start``."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};TableEndpoint={self._endpoint('Table')};"
        )

    @property
    def pid(self) -> int | None:
        """The process id while running."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start and wait until all services listen; raises AzuriteUnavailableError."""
        if self._process is not None:
            return
        command = self._command()
        with tempfile.TemporaryFile() as log:
            # A session of its own: Ctrl-C in the terminal must not stop storage before the host has finished with it.
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                self._wait_until_listening(log.fileno())
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Stop the process (data on disk is flushed first); safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _endpoint(self, service: str) -> str:
        if service not in self._ports:
            raise AzuriteUnavailableError("Azurite is not running; call start() first")
        return f"http://127.0.0.1:{self._ports[service]}/{ACCOUNT}"

    def _command(self) -> list[str]:
        node, script = find_azurite(self._root)
        ports = [f"--{service.lower()}Port={self._ports.get(service, port)}" for service, port in self._wanted.items()]
        where = ["--inMemoryPersistence"]
        if self.location is not None:
            self.location.mkdir(parents=True, exist_ok=True)
            where = [f"--location={self.location}"]
        return [node, "-e", _STOP_WITH_OWNER.format(script=json.dumps(str(script))), "--", *ports, *where, *_FLAGS]

    def _wait_until_listening(self, log: int) -> None:
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            text = os.pread(log, 65536, 0).decode("utf-8", "replace")
            self._ports = {service: int(port) for service, port in _LISTENS.findall(text)}
            if len(self._ports) == len(self._wanted):
                return
            if self._process.poll() is not None:
                raise AzuriteUnavailableError(f"Azurite did not start: {_last_line(text)}")
            time.sleep(0.05)
        raise AzuriteUnavailableError(f"Azurite did not start within {self._start_timeout:.0f} s")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "no output")
