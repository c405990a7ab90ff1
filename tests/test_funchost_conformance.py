"""The library route gives the same results as Microsoft's own worker, azure-functions-runtime (Python 3.13).

``tools/conformance313.py`` runs this in an environment that has the package; elsewhere it skips and says why.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from funchost_driver import CASES
from funchost_harness import SAMPLE, Served, wait_until

from funchost.azurite import Azurite

APPLICATION = {
    "shop/web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 80}]\n",
    "shop/data.yaml": (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  storageClassName: local-path\n"
        "  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"
    ),
}
ROOT = Path(__file__).resolve().parents[1]
needs_runtime = pytest.mark.skipif(
    importlib.util.find_spec("azure_functions_runtime") is None,
    reason="needs Python 3.13 with azure-functions-runtime: run tools/conformance313.py",
)


def drive(worker: str, root: Path, what: str, folder: Path, **settings: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    journal = folder / f"{worker}.jsonl"
    environment = {**os.environ, "JOURNAL": str(journal), "PYTHONPATH": str(ROOT), "WORK_QUEUE": "w", "TICK": "0 0 0 * * *", **settings}
    command = [sys.executable, str(Path(__file__).with_name("funchost_driver.py")), worker, str(root), what]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, ran.stdout + ran.stderr
    entries = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    return json.loads(lines[0].removeprefix("RESULT ")), [{k: v for k, v in e.items() if k not in {"pid", "time"}} for e in entries]


def test_the_library_route_runs_every_case(tmp_path: Path) -> None:
    """Also without the runtime package: what the cases must come to, by count and by a few outcomes."""
    result, journal = drive("library", SAMPLE, "sample", tmp_path, PYTHON_SCRIPT_FILE_NAME="sample_app.py")
    outcomes = {o["case"]: o for o in result["outcomes"]}
    assert len(outcomes) == len(CASES)
    assert outcomes["0 work"]["ok"]
    assert outcomes["1 work"]["error"] == "RuntimeError('told to fail at attempt 1')"
    assert outcomes["2 work"]["error"] == "SystemExit(3)"
    assert "without a $return binding" in outcomes["14 returns"]["error"]
    assert outcomes["21 plain"]["value"] == "hello"
    assert len(journal) > 10


@needs_runtime
def test_both_workers_come_to_the_same_index_outcomes_and_calls(tmp_path: Path) -> None:
    sample = {"PYTHON_SCRIPT_FILE_NAME": "sample_app.py"}
    ours, our_calls = drive("library", SAMPLE, "sample", tmp_path, **sample)
    theirs, their_calls = drive("runtime", SAMPLE, "sample", tmp_path, **sample)
    assert ours["index"] == theirs["index"]
    assert [_comparable(o) for o in ours["outcomes"]] == [_comparable(o) for o in theirs["outcomes"]]
    assert our_calls == their_calls


def _comparable(outcome: dict[str, Any]) -> dict[str, Any]:
    """A function that is not there: our KeyError, their text; both a failure."""
    return {**outcome, "error": "unknown"} if outcome["case"].endswith(" nobody") else outcome


@needs_runtime
def test_both_workers_index_the_real_function_app_alike(tmp_path: Path) -> None:
    ours, _ = drive("library", ROOT, "index", tmp_path)
    theirs, _ = drive("runtime", ROOT, "index", tmp_path)
    assert ours["index"] == theirs["index"]
    assert len(ours["index"]) > 5


def pipeline(worker: str, folder: Path) -> dict[str, bytes]:
    """Every blob that the real app makes of one small application, through one worker on a storage of its own."""
    folder.mkdir()
    with Azurite() as storage:
        host = Served(storage.connection_string, folder, app=ROOT, PYTHON_SCRIPT_FILE_NAME="function_app.py", RUN_QUIET_SECONDS="1")
        host.arguments = ["--worker", worker]
        manifests = host.blobs.create_container("manifests")
        with host:
            for name, text in APPLICATION.items():
                manifests.upload_blob(name, text)
            wait_until(lambda: "report.md" in " ".join(blobs(host, "reports")), "report", 60)
            wait_until(lambda: host.signal() is None and host.wait() == 0, "stopped")
        made = {**blobs(host, "patched"), **blobs(host, "reports")}
    run = next(iter(made)).split("/")[0]  # a hash of ETags, so another one on every storage
    return {name.replace(run, "RUN"): data.replace(run.encode(), b"RUN") for name, data in made.items()}


def blobs(host: Served, container: str) -> dict[str, bytes]:
    client = host.blobs.get_container_client(container)
    try:
        return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}
    except ResourceNotFoundError:
        return {}


@needs_runtime
def test_both_workers_run_the_real_pipeline_alike(tmp_path: Path) -> None:
    ours, theirs = pipeline("library", tmp_path / "ours"), pipeline("runtime", tmp_path / "theirs")
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert "RUN/web.yaml" in ours
    assert "RUN/report.json" in ours
