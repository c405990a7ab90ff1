"""Starting, stopping, being killed and being refused: the development host as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from funchost_harness import SAMPLE, Served, order, wait_until

from funchost.azurite import Azurite


@pytest.fixture
def host(azurite: Azurite, tmp_path: Path) -> Served:
    served = Served(azurite.connection_string, tmp_path)
    served.queue().create_queue()
    return served


def test_a_killed_host_finishes_its_message_after_a_restart(host: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = order(wait_for=str(gate))
    with host:
        host.send(text)
        host.until("work", body=text, phase="start")
        host.kill()
        gate.touch()
        host.start()
        (end,) = host.until("work", body=text, phase="end")
        assert [e["count"] for e in host.entries("work", body=text, phase="start")] == [1, 2]
        assert end["pid"] != host.entries("work", body=text, phase="start")[0]["pid"]
        wait_until(host.empty, "message deleted")


def test_a_restart_does_not_process_blobs_again_and_finds_those_that_came_meanwhile(host: Served) -> None:
    container = host.blobs.create_container("uploads-" + host.name)
    with host:
        container.upload_blob("before.txt", b"before")
        host.until("uploaded", body="before", phase="end")
        internal = host.queues.get_queue_client(f"azure-webjobs-blobtrigger-{host.name}")
        wait_until(lambda: internal.get_queue_properties().approximate_message_count == 0, "its message is deleted")
        host.kill()
        container.upload_blob("meanwhile.txt", b"meanwhile")
        host.start()
        host.until("uploaded", body="meanwhile", phase="end")
        time.sleep(0.5)
        assert len(host.entries("uploaded", phase="start")) == 2


def test_a_blob_function_that_was_killed_runs_again(host: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    body = order(wait_for=str(gate))
    container = host.blobs.create_container("uploads-" + host.name)
    with host:
        container.upload_blob("slow.txt", body)
        host.until("uploaded", body=body, phase="start")
        host.kill()
        gate.touch()
        host.start()
        host.until("uploaded", body=body, phase="end")
        assert len(host.entries("uploaded", body=body, phase="start")) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_graceful_stop_finishes_what_is_in_flight(host: Served, tmp_path: Path, number: int) -> None:
    gate = tmp_path / "gate"
    text = order(wait_for=str(gate))
    with host:
        host.send(text)
        host.until("work", body=text, phase="start")
        host.signal(number)
        wait_until(lambda: "Host is stopping" in host.text(), "stop announced")
        late = order()
        host.send(late)
        gate.touch()
        assert host.wait() == 0
    assert len(host.entries("work", body=text, phase="end")) == 1
    assert host.entries("work", body=late) == [], "nothing new is begun"
    assert host.queue().get_queue_properties().approximate_message_count == 1, "the first is deleted, the late one waits"


def test_a_second_signal_ends_at_once(host: Served) -> None:
    text = order(sleep=30)
    with host:
        host.send(text)
        host.until("work", body=text, phase="start")
        host.signal()
        wait_until(lambda: "Host is stopping" in host.text(), "stop announced")
        host.signal()
        assert host.wait(10) == 128 + signal.SIGTERM


def test_function_timeout_fails_the_invocation_and_restarts_the_process(host: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text, other = order(wait_for=str(gate)), order(sleep=0)
    host.environment["AzureFunctionsJobHost__functionTimeout"] = "00:00:01"
    with host:
        host.send(text)
        wait_until(lambda: "exceeded by function 'Functions.work'" in host.text(), "timeout")
        wait_until(lambda: host.text().count("Host started") == 2, "restarted")
        gate.touch()
        host.until("work", body=text, phase="end")
        host.send(other)
        host.until("work", body=other, phase="end")
        host.signal()
        assert host.wait() == 0


def test_a_storage_refusal_stops_the_host_with_one_clear_line(host: Served) -> None:
    host.environment["STORAGE"] = host.environment["STORAGE"].replace("Eby8", "Aaa8")
    with host:
        assert host.wait() == 1
    line = next(line for line in host.text().splitlines() if "Host is shutting down" in line)
    assert "HTTP 403" in line
    assert "Traceback" not in host.text()
    assert "Aaa8" not in host.text()


def test_storage_that_does_not_answer_stops_the_host_with_one_clear_line(host: Served) -> None:
    dead = "http://127.0.0.1:9/devstoreaccount1"
    text = f"AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint={dead};QueueEndpoint={dead};"
    host.environment |= {"STORAGE": text, "AzureWebJobsStorage": text}
    ran = subprocess.run(
        [sys.executable, "-m", "funchost", "--app-root", str(SAMPLE), "--port", "0"],
        env=host.environment,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert ran.returncode == 1
    assert "funchost: storage did not let the host start" in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_quiet_leaves_out_the_line_per_invocation(host: Served) -> None:
    host.arguments += ["--quiet"]
    text, bad = order(), order(fail=99)
    host.launch()
    try:
        host.send(text)
        host.send(bad)
        host.until("work_poison", body=bad)
    finally:
        host.kill()
    assert "Executing" not in host.text()
    assert "told to fail" in host.text()


def run_funchost(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "funchost", "--port", "0", "--app-root", str(folder), *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHON_SCRIPT_FILE_NAME": "an_app.py",
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


APP = "import azure.functions as func\napp = func.FunctionApp()\n"
QUEUE = '@app.queue_trigger(arg_name="msg", queue_name="q-%s", connection="%s")\ndef f(msg: %s)%s: ...\n'


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (None, "no an_app.py in"),
        ("x = 1", "defines no function app"),
        (APP + "other = app\n", "more than one function app"),
        (APP, "no functions found"),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def broken(:\n", "SyntaxError"),
        (APP + QUEUE % ("%MISSING%", "AzureWebJobsStorage", "func.QueueMessage", ""), "%MISSING% does not resolve"),
        (APP + QUEUE % ("one", "NOWHERE", "func.QueueMessage", ""), "setting NOWHERE is missing"),
        (APP + QUEUE % ("one", "AzureWebJobsStorage", "func.HttpRequest", ""), "cannot be bound to HttpRequest"),
        (APP + QUEUE.replace("msg:", "other:") % ("one", "AzureWebJobsStorage", "str", ""), "parameters without a binding: other"),
        (
            APP + "@app.timer_trigger(arg_name='t', schedule='never')\ndef f(t: func.TimerRequest): ...\n",
            "the schedule 'never' is no NCRONTAB expression",
        ),
        (
            APP + "@app.event_hub_message_trigger(arg_name='e', event_hub_name='h', connection='C')\ndef f(e): ...\n",
            "eventHubTrigger is not served",
        ),
    ],
)
def test_an_app_that_cannot_be_served_is_one_line_and_exit_code_2(tmp_path: Path, app: str | None, says: str) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    if app is not None:
        (tmp_path / "an_app.py").write_text(app)
    ran = run_funchost(tmp_path)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert ran.stderr.startswith("funchost: ")
    assert ran.stderr.count("\n") == 1


def test_no_host_json_no_folder_no_keys_no_port(tmp_path: Path, azurite: Azurite) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    assert "host.json is missing" in run_funchost(tmp_path).stderr
    assert "no such folder" in run_funchost(tmp_path / "nowhere").stderr
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    assert "FUNCHOST_HOST_KEY" in run_funchost(tmp_path, "--address", "0.0.0.0").stderr
    taken = azurite.blob_endpoint.split(":")[2].split("/")[0]
    assert "cannot listen on 127.0.0.1" in run_funchost(tmp_path, "--port", taken).stderr
    assert "settings file not found" in run_funchost(tmp_path, "--settings", "none.json").stderr
    assert "FUNCTIONS_WORKER_RUNTIME" in run_funchost(tmp_path, FUNCTIONS_WORKER_RUNTIME="node").stderr


def test_an_app_folder_named_like_an_installed_package_is_shadowed_as_in_azure(tmp_path: Path) -> None:
    """The app root stands last on sys.path, even when the host is started inside it."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "werkzeug").mkdir()
    (tmp_path / "werkzeug" / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "an_app.py").write_text("import werkzeug.http\n" + APP)
    ran = subprocess.run(
        [sys.executable, "-m", "funchost", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON_SCRIPT_FILE_NAME": "an_app.py"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "no functions found" in ran.stderr


def test_messages_without_encoding(azurite: Azurite, tmp_path: Path) -> None:
    served = Served(azurite.connection_string, tmp_path, AzureFunctionsJobHost__extensions__queues__messageEncoding="none")
    served.queue().create_queue()
    text = order(umlaut="ä <&>", fail=99)
    with served:
        served.queue().send_message(text)
        assert served.until("work_poison", body=text)
