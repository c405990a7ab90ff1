"""`make run` and `up`: everything that they start is stopped, however they end; the result is the same as of `fix`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azurite_support import needs_azurite
from cli_process import PROJECT, aks_copilot

from shared.cli import servers
from shared.pipeline import names

DEMO = "import sys; from pathlib import Path; from shared.cli.demo import main; sys.exit(main(Path(sys.argv[1])))"
SAMPLES = sorted(p for p in (PROJECT / "samples").iterdir() if p.is_dir())


@pytest.fixture(autouse=True)
def _needs_azurite() -> None:
    needs_azurite()


def start_demo(work: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DEMO, str(work)], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(condition: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def started_by(pid: int) -> list[int]:
    """Process ids of the servers of a demonstration."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(row.split()[0]) for row in listed.splitlines() if row.split()[1] == str(pid)]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.timeout(300)
def test_the_samples_go_through_the_pipeline_as_they_go_through_fix(tmp_path: Path) -> None:
    demo = start_demo(tmp_path / "run")
    out, err = demo.communicate(timeout=280)
    assert demo.returncode == 0, err.decode() + (tmp_path / "run/host.log").read_text()[-2000:]
    assert len(SAMPLES) == 2
    for folder in SAMPLES:
        result = tmp_path / "run" / folder.name
        assert aks_copilot("fix", folder, "--out", tmp_path / "fixed" / folder.name).returncode in (0, 1)
        expected = {
            p.relative_to(tmp_path / "fixed" / folder.name): p.read_bytes() for p in (tmp_path / "fixed" / folder.name).rglob("*.yaml")
        }
        assert {p: (result / "patched" / p).read_bytes() for p in expected} == expected
        assert (result / "report/report.md").read_text().startswith(f"# {folder.name}: ")
    text = out.decode()
    assert text.count("patcher    1/1") == 2
    assert "+  storageClassName: managed-csi" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
@pytest.mark.timeout(180)
def test_nothing_is_left_running_however_it_ends(tmp_path: Path, ending: signal.Signals) -> None:
    demo = start_demo(tmp_path / "run")
    try:
        assert wait_for(lambda: len(started_by(demo.pid)) == 2, 90), "Azurite and the host were to start"
        children = started_by(demo.pid)
        time.sleep(1)
        demo.send_signal(ending)
        _, err = demo.communicate(timeout=60)
        assert wait_for(lambda: not any(map(alive, children)), 45)
    finally:
        demo.kill()
    assert demo.returncode == (-9 if ending is signal.SIGKILL else 130), err
    assert b"Traceback" not in err


def test_up_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with servers.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = aks_copilot("up", "--port", port, cwd=PROJECT)
    assert (done.returncode, done.stderr) == (2, f"aks-copilot: port {port} is taken; choose another one with --port\n".encode())


@pytest.mark.timeout(180)
def test_up_serves_until_it_is_interrupted(tmp_path: Path, azurite: object) -> None:
    """On a storage of its own, so that the usual ports need not be free."""
    port = servers.free_port()
    connection = azurite.connection_string  # type: ignore[attr-defined]
    env = os.environ | {"STORAGE": connection, "AzureWebJobsStorage": connection, "PYTHONUNBUFFERED": "1"}
    program = "from shared.cli.main import main; main()"
    up = subprocess.Popen(
        [sys.executable, "-c", program, "up", "--port", str(port), "--no-func"],
        cwd=PROJECT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert up.stdout
        lines = iter(up.stdout.readline, b"")
        ready = next(line for line in lines if line.startswith(b"ready: "))
        with BlobServiceClient.from_connection_string(connection) as storage:
            assert {c.name for c in storage.list_containers()} >= set(names.CONTAINERS), "uploads need no run before them"
        words = ready.decode().split("`")[1].replace("PATH", str(SAMPLES[0])).split()
        assert words[0] == "aks-copilot"
        said = aks_copilot(*words[1:])
        assert said.returncode == 0, said.stderr
        assert f" {SAMPLES[0].name}-".encode() in aks_copilot("runs", "--url", words[-1]).stdout
        checked = aks_copilot("doctor", "--create", "--url", words[-1], STORAGE=connection)
        assert checked.returncode == 0, checked.stdout
        assert b"ok       function app    http://127.0.0.1" in checked.stdout
        up.send_signal(signal.SIGINT)
        up.stdout.read()
        assert up.wait(timeout=60) == 0
    finally:
        up.kill()
    assert not servers.listens(port)


def test_core_tools_are_used_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    func = tmp_path / "func"
    func.write_text("#!/bin/sh\n")
    func.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert servers.host_command(PROJECT, 7071, core_tools=True) == [str(func), "start", "--port", "7071"]
    assert "funchost" in servers.host_command(PROJECT, 7071, core_tools=False)
