"""The whole pipeline with nothing faked: host process, Azurite, real rules, compared byte for byte with `aks-copilot fix`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azurite_support import started
from funchost_harness import Served

from funchost.azurite import Azurite
from shared.adapters.storage import AzureStorage
from shared.pipeline import names, status
from shared.pipeline.context import Context, Limits
from shared.services import build_engine
from shared.settings import StorageSettings

ROOT = Path(__file__).parents[1]
ODD = {
    "odd/not-yaml.yaml": b"a: [\n",
    "odd/binary.bin": bytes(range(256)) * 20,
    "odd/latin1.yaml": "kind: Pod # \xe9\n".encode("latin-1"),
    "odd/helm.yaml": b"kind: Pod\nmetadata:\n  name: {{ .Values.name }}\n",
    "odd/tabs.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n",
    "odd/twice.yaml": b"apiVersion: v1\nkind: ConfigMap\nkind: Secret\n",
    "odd/aliases.yaml": b"a: &a [x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghij"),
    "odd/empty.yaml": b"",
    "odd/crlf-bom.yaml": b"\xef\xbb\xbfapiVersion: v1\r\nkind: PersistentVolumeClaim\r\n"
    b"metadata: {name: d}\r\nspec:\r\n  storageClassName: local-path\r\n",
    "odd/nested.zip": b"PK\x03\x04",
    "odd/n\xc3\xa4me with space.yaml".encode("latin-1").decode(): b"# only a comment\n",
}  # fmt: skip


@pytest.fixture
def azurite() -> Iterator[Azurite]:
    """One Azurite per test: a new host would see every earlier test's uploads."""
    with started() as running:
        yield running


@pytest.fixture
def context(azurite: Azurite) -> Context:
    storage = AzureStorage(StorageSettings(connection_string=azurite.connection_string))
    storage.ensure(names.CONTAINERS, names.QUEUES)
    return Context(storage, storage, build_engine(), Limits())


def application(copies: int) -> dict[str, bytes]:
    """The samples `copies` times over, and one of every odd file."""
    found = {p.relative_to(ROOT / "samples").as_posix(): p.read_bytes() for p in sorted((ROOT / "samples").rglob("*.yaml"))}
    return {f"{n:02d}/{path}": data for n in range(copies) for path, data in found.items()} | ODD


def fixed_by_command(files: dict[str, bytes], folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """(files, report.json) of `aks-copilot fix` on the same application."""
    for path, data in files.items():
        target = folder / "in" / "shop" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    out, report = folder / "out", folder / "report"
    call = [sys.executable, "-c", "from shared.cli.main import main; main()"]
    arguments = ["fix", str(folder / "in" / "shop"), "--out", str(out), "--report-dir", str(report)]
    ended = subprocess.run([*call, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}, json.loads(
        (report / "report.json").read_text()
    )


def result_of(context: Context, run: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """(files, report.json) of a finished run."""
    prefix = f"{run}/"
    written = {b.name.removeprefix(prefix): b.name for b in context.blobs.list(names.PATCHED, prefix)}
    files = {path: _read(context, names.PATCHED, name) for path, name in written.items() if path != names.REMOVED}
    return files, json.loads(_read(context, names.REPORTS, f"{run}/report.json"))


def _read(context: Context, container: str, name: str) -> bytes:
    found = context.blobs.read(container, name, max_bytes=10**9)
    assert found is not None
    return found[0]


def assert_same_as_command(context: Context, run: str, files: dict[str, bytes], folder: Path) -> None:
    expected_files, expected = fixed_by_command(files, folder)
    got_files, got = result_of(context, run)
    assert sorted(got_files) == sorted(expected_files)
    assert {path for path in got_files if got_files[path] != expected_files[path]} == set()
    assert {f["path"] for f in got["files"]} >= set(files)
    assert [f for f in got["files"] if f not in expected["files"]] == []
    assert got | {"runId": ""} == expected | {"runId": ""}


def serve(azurite: Azurite, folder: Path, app: Path = ROOT, script: str = "function_app.py", **settings: str) -> Served:
    timing = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.5", "FUNCHOST_BLOB_SCAN_SECONDS": "0.5"}
    fixed = timing | {"PYTHON_SCRIPT_FILE_NAME": script, "SWEEP_AFTER_SECONDS": "0"}
    return Served(azurite.connection_string, folder, app, **fixed, **settings)


def upload(context: Context, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        context.blobs.write(names.MANIFESTS, f"shop/{path}", data)


def wait_until(condition: Callable[[], Any], what: str, seconds: float) -> None:
    """Ask twice a second: asking costs the storage as much as the work does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.5)


def _dead(host: Served) -> bool:
    return host._process is not None and host._process.poll() is not None


def done(context: Context) -> list[str]:
    return [run["runId"] for run in status.list_runs(context) if run["state"] in ("done", "failed")]


def test_two_hundred_files_are_one_run_with_the_result_of_the_command(azurite: Azurite, context: Context, tmp_path: Path) -> None:
    files = application(18) | {"odd/huge.yaml": b"a: 1\n" * 4_100_000}
    assert len(files) >= 200
    with serve(azurite, tmp_path, RUN_QUIET_SECONDS="2"):
        upload(context, files)
        wait_until(lambda: done(context), "the run ends", 180)

    (run,) = [entry["runId"] for entry in status.list_runs(context)]
    shown = status.run_status(context, run)
    assert shown is not None
    assert (shown["state"], shown["files"], shown["errors"]) == ("done", len(files), [])
    assert_same_as_command(context, run, files, tmp_path)


PLACES = {
    "before": ["send:inspections", "send:violations", "send:patches", "write:patched/", "write:/join", "write:reports/"],
    "after": ["send:intake", "write:/batches/", "write:/progress/inspector", "write:/outcomes/", "write:/joined", "write:/done.json"],
}


@pytest.mark.parametrize("when", PLACES)
def test_the_host_is_killed_at_every_stage_and_every_message_comes_twice(
    when: str, azurite: Azurite, context: Context, tmp_path: Path
) -> None:
    """Six SIGKILLs a run, one per stage (tests/test_pipeline.py does it at every write); the app sends every message twice."""
    app, marks = tmp_path / "app", tmp_path / "marks"
    app.mkdir()
    marks.mkdir()
    shutil.copy(ROOT / "host.json", app)
    shutil.copy(ROOT / "tests" / "pipeline_app" / "faulty_app.py", app)
    files, kills = application(1), ",".join(f"{place}:{when}" for place in PLACES[when])
    host = serve(
        azurite, tmp_path, app, "faulty_app.py", RUN_QUIET_SECONDS="1", BATCH_BYTES="16384", KILL_AT=kills, KILL_MARKS=str(marks),
        AzureFunctionsJobHost__extensions__queues__visibilityTimeout="00:00:01",
    )  # fmt: skip
    upload(context, files)
    starts = 1
    with host:
        while not (ended := _all_happened(context, marks, len(PLACES[when]))):
            wait_until(lambda: _dead(host) or _all_happened(context, marks, len(PLACES[when])), "a kill or the end", 120)
            if _dead(host):
                host.start()
                starts += 1

    (run,) = [entry["runId"] for entry in status.list_runs(context)]
    assert ended == [run]
    assert starts == 1 + len(PLACES[when])
    assert_same_as_command(context, run, files, tmp_path)


def _all_happened(context: Context, marks: Path, kills: int) -> list[str]:
    """The finished runs, once the process was killed everywhere and no run is open any more."""
    is_open = next(iter(context.blobs.list(names.RUNS, "open/", limit=1)), None)
    return done(context) if len(list(marks.iterdir())) == kills and is_open is None else []


def test_an_application_posted_over_http(azurite: Azurite, context: Context, tmp_path: Path) -> None:
    texts = {p.name: p.read_text() for p in (ROOT / "samples" / "k3s-shop").glob("*.yaml")}
    with serve(azurite, tmp_path) as host:
        base = f"http://127.0.0.1:{host.port}"
        assert json.load(urllib.request.urlopen(f"{base}/api/health")) == {"blob": "ok", "queue": "ok"}
        body = json.dumps({"app": "shop", "files": texts}).encode()
        request = urllib.request.Request(f"{base}/api/runs", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            assert response.status == 202
            run = json.load(response)["runId"]
        wait_until(lambda: json.load(urllib.request.urlopen(f"{base}/api/runs/{run}"))["state"] == "done", "the run ends", 120)
        report = json.load(urllib.request.urlopen(f"{base}/api/runs/{run}/report"))

    assert {f["path"] for f in report["files"]} >= set(texts)
    assert_same_as_command(context, run, {path: text.encode() for path, text in texts.items()}, tmp_path)
