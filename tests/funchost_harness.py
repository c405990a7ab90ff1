"""Runs the development host as a process of its own and reads what the sample app has journalled."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

SAMPLE = Path(__file__).parent / "funchost_app"
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 40.0) -> Any:
    """The first truthy value of ``condition``; fails with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.03)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Served:
    """A host process over one storage: starts, stops, is killed and starts again with the same host id and names."""

    def __init__(self, connection_string: str, folder: Path, app: Path = SAMPLE, **settings: str) -> None:
        self.name = "w" + uuid.uuid4().hex[:10]
        self.queues = QueueServiceClient.from_connection_string(connection_string)
        self.blobs = BlobServiceClient.from_connection_string(connection_string)
        self.journal = folder / f"{self.name}.jsonl"
        self.log = folder / f"{self.name}.log"
        self.arguments: list[str] = ["--worker", os.environ.get("FUNCHOST_TEST_WORKER", "library")]
        self.started_in: Path | None = None
        """A folder of its own hides this checkout's modules from an app that brings the same ones."""
        self._app = app
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.environment = {
            "STORAGE": connection_string,
            "AzureWebJobsStorage": connection_string,
            "AzureFunctionsWebHost__hostid": self.name,
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
            "FUNCHOST_QUEUE_LEASE_SECONDS": "2",
            "FUNCHOST_BLOB_SCAN_SECONDS": "0.2",
            "FUNCHOST_RECEIPT_LEASE_SECONDS": "15",
            "PYTHON_SCRIPT_FILE_NAME": "sample_app.py",
            "WORK_QUEUE": self.name,
            "TICK": "0 0 0 1 1 *",
            "JOURNAL": str(self.journal),
            **settings,
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def start(self) -> Self:
        before = len(_LISTENING.findall(self.text()))
        self.launch()
        self.port = wait_until(lambda: self._listening(before), "host started")
        return self

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "funchost", "--app-root", str(self._app), "--port", "0", *self.arguments],
                env={**os.environ, **self.environment},
                cwd=self.started_in,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _listening(self, before: int) -> int:
        assert self._process is not None
        ports = _LISTENING.findall(self.text())
        assert self._process.poll() is None or len(ports) > before, self.text()
        return int(ports[-1]) if len(ports) > before else 0

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def signal(self, number: int = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 20) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def entries(self, function: str, **having: Any) -> list[dict[str, Any]]:
        lines = self.journal.read_text("utf-8").splitlines() if self.journal.exists() else []
        seen = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in seen if entry["function"] == function and all(entry.get(k) == v for k, v in having.items())]

    def until(self, function: str, count: int = 1, seconds: float = 40, **having: Any) -> list[dict[str, Any]]:
        return wait_until(
            lambda: (e := self.entries(function, **having)) and len(e) >= count and e, f"{count} x {function} {having}", seconds
        )

    def queue(self, prefix: str = "", suffix: str = "") -> QueueClient:
        return self.queues.get_queue_client(f"{prefix}{self.name}{suffix}")

    def send(self, text: str, prefix: str = "") -> None:
        self.queue(prefix).send_message(b64(text))

    def empty(self, prefix: str = "", suffix: str = "") -> bool:
        return (self.queue(prefix, suffix).get_queue_properties().approximate_message_count or 0) == 0


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def order(**what: Any) -> str:
    return json.dumps({"tag": uuid.uuid4().hex, **what})
