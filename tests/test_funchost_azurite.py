"""Azurite starts on free ports, keeps data in a folder when asked, and never outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from funchost.azurite import Azurite, AzuriteUnavailableError


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _alive(pid)


def test_blob_and_queue_answer_with_todays_sdk(azurite: Azurite) -> None:
    queue = QueueServiceClient.from_connection_string(azurite.connection_string).create_queue("answers")
    queue.send_message("hello")
    assert [m.content for m in queue.receive_messages()] == ["hello"]
    container = BlobServiceClient.from_connection_string(azurite.connection_string).create_container("answers")
    container.upload_blob("a", b"1")
    assert container.download_blob("a").readall() == b"1"


def test_location_keeps_data_between_processes(azurite: Azurite, tmp_path: Path) -> None:
    with Azurite(tmp_path / "data") as first:
        pid = first.pid
        BlobServiceClient.from_connection_string(first.connection_string).create_container("kept").upload_blob("a", b"1")
    assert pid is not None
    assert _gone(pid)
    with Azurite(tmp_path / "data") as second:
        service = BlobServiceClient.from_connection_string(second.connection_string)
        assert service.get_blob_client("kept", "a").download_blob().readall() == b"1"


def test_stops_when_its_owner_is_killed(azurite: Azurite) -> None:
    code = "import time\nfrom funchost.azurite import Azurite\naz = Azurite()\naz.start()\nprint(az.pid, flush=True)\ntime.sleep(60)"
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    pid = int(owner.stdout.readline())
    assert _alive(pid)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert _gone(pid)


def test_missing_installation_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AzuriteUnavailableError, match="npm ci") as raised:
        Azurite(root=tmp_path).start()
    assert "\n" not in str(raised.value)


def test_port_in_use_is_one_clear_line(azurite: Azurite) -> None:
    port = int(azurite.blob_endpoint.split(":")[2].split("/")[0])
    with pytest.raises(AzuriteUnavailableError, match="EADDRINUSE") as raised:
        Azurite(blob_port=port, start_timeout=15).start()
    assert "\n" not in str(raised.value)
