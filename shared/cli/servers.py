"""The development servers behind `up` and `make run`: Azurite and a Functions host, started together, stopped together."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from shared.cli.remote import PROJECT
from shared.domain.errors import ValidationError

BLOB_PORT = 10000
"""Where `UseDevelopmentStorage=true` looks for blobs; queues and tables follow."""
_STOP_SECONDS = 40


def app_root() -> Path:
    """The folder with host.json: here, else the project's. Raises ValidationError where there is none."""
    for folder in (Path.cwd(), PROJECT):
        if (folder / "host.json").is_file() and (folder / "function_app.py").is_file():
            return folder
    raise ValidationError("no host.json with function_app.py here; run this in a clone of aks-copilot")


def listens(port: int) -> bool:
    """Does something on this machine listen on a port?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def host_command(root: Path, port: int, *, core_tools: bool) -> list[str]:
    """`func start` where Azure Functions Core Tools are on the PATH and wanted, else the development host."""
    func = shutil.which("func") if core_tools else None
    if func:
        return [func, "start", "--port", str(port)]
    return [sys.executable, "-m", "shared.cli.attached", "funchost", "--app-root", str(root), "--port", str(port)]


@contextmanager
def running(
    command: list[str], root: Path, environment: Mapping[str, str], log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process for as long as the block runs; it is asked to stop, and killed where it does not."""
    # In a session of its own: Ctrl-C reaches us alone, and we stop the servers in order. Its standard input closes when we die.
    process = subprocess.Popen(  # noqa: S603
        command, cwd=root, env=dict(environment), stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to stop and wait; kill its whole group where it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_healthy(port: int, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until GET /api/health answers. Raises ValidationError where the host ends or does not answer in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ValidationError(f"the Functions host ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise ValidationError(f"the Functions host did not answer within {seconds:.0f} s")


def stop_on_terminate() -> None:
    """Make SIGTERM and SIGINT end the program as Ctrl-C does, so that servers are stopped.

    A shell starts background jobs with SIGINT ignored, and Python then leaves it so: both are set here.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
