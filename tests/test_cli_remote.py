"""`submit`, `watch` and `runs` against a real Azurite, and against an HTTP server that answers as the API does."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_process import CLAIM, SERVICE, aks_copilot, write
from http_support import Handler, Server

from funchost.azurite import Azurite
from shared.cli import progress
from shared.cli.remote import Storage
from shared.cli.tree import read_tree
from shared.pipeline import intake, names, state
from shared.services import Services, build_services
from shared.settings import load_settings

KEY = "not-a-real-key"


@pytest.fixture
def services(azurite: Azurite) -> Services:
    return build_services(load_settings({"STORAGE": azurite.connection_string}))


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", claim_yaml=CLAIM, web__service_yaml=SERVICE)


def run_to_the_end(services: Services, name: str) -> None:
    """What the host does with the upload: the trigger, then every queue until all are empty."""
    services.ensure()
    intake.uploaded(services.context, name)
    queues: Any = services.context.queue
    for _ in range(20):
        for queue in names.WORK_QUEUES:
            client = queues._queues.get_queue_client(queue)
            for message in client.receive_messages():
                services.deliver(queue, message.content, message.dequeue_count)
                client.delete_message(message)


def test_submit_names_the_run_that_the_pipeline_makes_of_it(azurite: Azurite, services: Services, app: Path) -> None:
    done = aks_copilot("submit", app, "--app", "named", STORAGE=azurite.connection_string)
    run = done.stdout.decode().strip()
    assert done.returncode == 0, done.stderr
    run_to_the_end(services, "named/.ready")
    assert state.exists(services.context, names.done(run))
    watched = aks_copilot("watch", run, STORAGE=azurite.connection_string)
    assert watched.returncode == 0, watched.stderr
    lines = watched.stdout.decode().splitlines()
    assert [line.split()[:2] for line in lines[:5]] == [[stage, "1/1"] for stage in progress.STAGES]
    assert lines[5] == f"{run} done"
    assert lines[6].startswith("3 files: 1 created, 1 patched, 1 unchanged, 1 fixed")
    listed = aks_copilot("runs", STORAGE=azurite.connection_string).stdout.decode()
    assert any(line.split()[0] == "done" and line.split()[-1] == run for line in listed.splitlines())


def test_a_second_submit_replaces_what_was_there(services: Services, app: Path) -> None:
    remote = Storage(services)
    first = remote.submit(read_tree([app]), "twice")
    (app / "claim.yaml").unlink()
    second = remote.submit(read_tree([app]), "twice")
    assert first != second
    left = [b.name for b in services.context.blobs.list(names.MANIFESTS, "twice/")]
    assert left == ["twice/.ready", "twice/web/service.yaml"]


def test_watch_says_that_a_run_failed(azurite: Azurite, services: Services) -> None:
    run = f"broken-{'0' * 12}"
    state.register(services.context, run, "broken", "test")
    state.save(
        services.context, names.failed(run), {"stage": "patcher", "error": "the queue is full", "class": "X", "attempt": 1, "at": "-"}
    )
    done = aks_copilot("watch", run, STORAGE=azurite.connection_string)
    assert done.returncode == 1
    assert b"error patcher: the queue is full" in done.stdout


def test_watch_gives_up_when_told_to(azurite: Azurite, services: Services) -> None:
    run = f"slow-{'0' * 12}"
    state.register(services.context, run, "slow", "test")
    done = aks_copilot("watch", run, "--timeout", "0.1", STORAGE=azurite.connection_string)
    assert done.returncode == 1
    assert f"{run} queued".encode() in done.stdout


def test_an_unknown_run_is_one_line(azurite: Azurite) -> None:
    done = aks_copilot("watch", "nothing-000000000000", STORAGE=azurite.connection_string)
    assert (done.returncode, done.stderr) == (2, b"aks-copilot: no such run: nothing-000000000000\n")


def test_settings_come_from_local_settings_json(azurite: Azurite, tmp_path: Path) -> None:
    settings = {"Values": {"STORAGE": azurite.connection_string}}
    (tmp_path / "local.settings.json").write_text(json.dumps(settings))
    assert aks_copilot("runs", cwd=tmp_path).returncode == 0
    (tmp_path / "local.settings.json").write_text("{")
    done = aks_copilot("runs", cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"local.settings.json cannot be read" in done.stderr


class Answers(Handler):
    """POST /api/runs and GET /api/runs... of a function app that wants a key."""

    seen: list[tuple[str, str, bytes]] = []  # noqa: RUF012 (one list for the one server of a test)
    tokens: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self._answer(202, {"runId": "shop-1"}, self.sent())

    def do_GET(self) -> None:
        known = {
            "/api/runs": {"runs": [{"runId": "shop-1", "app": "shop", "state": "done", "startedAt": None}]},
            "/api/runs/shop-1": {"runId": "shop-1", "state": "done", "batches": 1, "stages": dict.fromkeys(progress.STAGES, 1)},
        }
        self._answer(200 if self.path in known else 404, known.get(self.path, {"error": "no such run"}), b"")

    def _answer(self, code: int, value: object, body: bytes) -> None:
        if self.headers.get("x-functions-key") != KEY:
            code, value = 401, None
        type(self).tokens.append(self.headers.get("Authorization", ""))
        type(self).seen.append((self.path, self.headers.get("Content-Type", ""), body))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode() if value else b"")


@pytest.fixture
def api() -> Iterator[str]:
    Answers.seen, Answers.tokens = [], []
    with Server(Answers) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_submit_posts_a_zip_and_watch_and_runs_ask_the_api(api: str, app: Path) -> None:
    done = aks_copilot("submit", app, "--url", api, "--watch", AKS_COPILOT_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[0] == "shop-1"
    path, media, body = Answers.seen[0]
    assert (path, media) == ("/api/runs?app=shop", "application/zip")
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["claim.yaml", "web/service.yaml"]
    assert aks_copilot("runs", AKS_COPILOT_KEY=KEY, AKS_COPILOT_URL=api).stdout.split() == [b"done", b"shop-1"]


def test_who_signs_in_sends_the_token_beside_the_key(api: str) -> None:
    aks_copilot("runs", "--url", api, AKS_COPILOT_KEY=KEY)
    aks_copilot("runs", "--url", api, AKS_COPILOT_KEY=KEY, AKS_COPILOT_TOKEN="not-a-real-token")
    assert Answers.tokens == ["", "Bearer not-a-real-token"]


def test_what_the_api_refuses_is_one_line_and_the_key_is_not_in_it(api: str, app: Path) -> None:
    unknown = aks_copilot("watch", "other", "--url", api, AKS_COPILOT_KEY=KEY)
    assert (unknown.returncode, unknown.stderr) == (2, b"aks-copilot: no such run: other\n")
    wrong = aks_copilot("submit", app, "--url", api, AKS_COPILOT_KEY="wrong-key")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        b"aks-copilot: the API wants a function key: set AKS_COPILOT_KEY (and AKS_COPILOT_TOKEN where callers sign in)\n",
    )


@pytest.mark.parametrize(("arguments", "said"), [(["--app", "Shop!"], b"--app must be 1 to 40"), ([], b"no file to upload")])
def test_what_cannot_be_submitted_is_one_line(tmp_path: Path, arguments: list[str], said: bytes) -> None:
    (tmp_path / "empty").mkdir()
    done = aks_copilot("submit", tmp_path / "empty", *arguments, "--url", "http://127.0.0.1:9")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert said in done.stderr
