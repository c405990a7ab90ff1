"""The function app as the worker sees it: triggers, host.json, light imports, and the HTTP surface called in process."""

from __future__ import annotations

import asyncio
import io
import json
import os
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from fakes import World

from functions.headers import REVISION, SECURITY
from shared import services
from shared.domain.messages import Envelope
from shared.domain.report.web import security_policy
from shared.pipeline import names

ROOT = Path(__file__).parents[1]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    services.install(made.services)
    yield made
    services.install(None)


@pytest.fixture(scope="module")
def registered() -> dict[str, Any]:
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return {f.get_function_name(): f for f in app.get_functions()}


def binding(function: Any) -> dict[str, Any]:
    found = json.loads(function.get_raw_bindings()[0])
    return {key: value for key, value in found.items() if key not in ("direction", "name")}


def queue(name: str) -> dict[str, str]:
    return {"type": "queueTrigger", "queueName": name, "connection": "STORAGE"}


def test_every_trigger_is_pinned(registered: dict[str, Any]) -> None:
    assert {name: binding(function) for name, function in registered.items()} == {
        "intake_blob": {"type": "blobTrigger", "path": "manifests/{name}", "connection": "STORAGE", "source": "LogsAndContainerScan"},
        "intake": queue("intake"),
        "inspector": queue("inspections"),
        "thinker": queue("violations"),
        "patcher": queue("patches"),
        "reporter": queue("reports"),
        "knowledge_blob": {"type": "blobTrigger", "path": "knowledge/{name}", "connection": "STORAGE", "source": "LogsAndContainerScan"},
        "knowledge_timer": {"type": "timerTrigger", "schedule": "0 */5 * * * *"},
        "sweep": {"type": "timerTrigger", "schedule": "0 * * * * *"},
        "intake_poison": queue("intake-poison"),
        "inspector_poison": queue("inspections-poison"),
        "thinker_poison": queue("violations-poison"),
        "patcher_poison": queue("patches-poison"),
        "reporter_poison": queue("reports-poison"),
        "runs": {"type": "httpTrigger", "methods": ["GET", "POST"], "authLevel": "FUNCTION", "route": "api/runs/{*path}"},
        "github_webhook": {"type": "httpTrigger", "methods": ["POST"], "authLevel": "ANONYMOUS", "route": "api/github/webhook"},
        "health": {"type": "httpTrigger", "methods": ["GET"], "authLevel": "ANONYMOUS", "route": "api/health"},
    }


def test_every_queue_of_the_pipeline_has_a_trigger_and_a_poison_handler(registered: dict[str, Any]) -> None:
    assert {binding(f)["queueName"] for f in registered.values() if binding(f)["type"] == "queueTrigger"} == set(names.QUEUES)


def test_host_json_is_pinned() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    queues = host["extensions"]["queues"]
    assert host["version"] == "2.0"
    assert host["extensions"]["http"]["routePrefix"] == ""
    assert (queues["messageEncoding"], queues["visibilityTimeout"], queues["maxDequeueCount"]) == ("none", "00:00:30", 5)
    assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"


def _in_new_process(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True).stdout.strip()


def test_event_grid_is_one_setting() -> None:
    both = "[m.bp._function_builders[0]._function._trigger.source for m in (intake, knowledge)]"
    code = f"from functions import intake, knowledge; print({both})"
    assert _in_new_process(code, BLOB_TRIGGER_SOURCE="EventGrid").count("EventGrid") == 2
    assert _in_new_process(code, BLOB_TRIGGER_SOURCE="").count("LogsAndContainerScan") == 2


def test_import_of_the_app_brings_in_nothing_heavy() -> None:
    heavy = (
        "azure.storage",
        "azure.identity",
        "azure.core",
        "fastapi",
        "pydantic",
        "yaml",
        "jinja2",
        "jsonpatch",
        "shared.pipeline",
        "shared.adapters",
        "opentelemetry",
    )
    code = f"import sys, function_app; print([m for m in {heavy!r} if m in sys.modules])"
    assert _in_new_process(code) == "[]"


def test_triggers_carry_a_run_from_upload_to_report(world: World, registered: dict[str, Any]) -> None:
    """Each trigger is called as the worker calls it; nothing but the triggers moves the run."""
    by_queue = {binding(f)["queueName"]: f.get_user_function() for f in registered.values() if binding(f)["type"] == "queueTrigger"}
    world.blobs.write("manifests", "shop/a.yaml", b"BAD\n")
    registered["intake_blob"].get_user_function()(blob=func.blob.InputStream(data=b"", name="manifests/shop/a.yaml"))
    while world.queue.waiting:
        message = world.queue.waiting.pop(0)
        by_queue[message.queue](message=func.QueueMessage(body=message.text))
    registered["sweep"].get_user_function()(timer=None)

    (run,) = world.runs()
    assert world.blobs.texts(names.PATCHED)[f"{run}/a.yaml"] == b"GOOD\n"


@pytest.mark.parametrize("name", names.WORK_QUEUES)
def test_poison_triggers_never_raise(world: World, registered: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = next(f for f in registered.values() if binding(f).get("queueName") == f"{name}-poison").get_user_function()
    handler(message=func.QueueMessage(body=b"\xff\xfe"))
    assert len(world.blobs.texts(names.RUNS, "lost/")) == 1
    services.install(None)
    monkeypatch.delenv("STORAGE", raising=False)
    handler(message=func.QueueMessage(body="{}"))  # settings are missing: logged, not raised


def test_a_stage_passes_on_what_the_host_shall_retry(world: World, registered: dict[str, Any]) -> None:
    from shared.domain.errors import TransientError

    def down(*_: object, **__: object) -> None:
        raise TransientError("storage: no answer")

    world.context.blobs.read = world.context.blobs.write = down
    trace = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    text = Envelope(type="inspect", run_id="shop-0123456789ab", dedup_key="k", traceparent=trace, payload={"batch": 0}).encode()
    with pytest.raises(TransientError):
        registered["inspector"].get_user_function()(message=func.QueueMessage(body=text))


class Client:
    """Calls the `runs` trigger with a request as the host builds it."""

    def __init__(self, function: Any) -> None:
        self._call = function.get_user_function()

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, dict[str, str]]:
        sent = {"content-length": str(len(body))} | {key.replace("_", "-"): value for key, value in headers.items()}
        request = func.HttpRequest(method, f"http://localhost{path}", headers=sent, body=body)
        response = asyncio.run(self._call(req=request, context=None))
        text = response.get_body()
        return response.status_code, json.loads(text) if "json" in response.mimetype else text, dict(response.headers)


@pytest.fixture
def call(world: World, registered: dict[str, Any]) -> Client:
    return Client(registered["runs"])


def submission(**changes: Any) -> bytes:
    return json.dumps({"app": "shop", "files": {"a.yaml": "BAD\n"}} | changes).encode()


def test_post_files_then_follow_the_run_to_its_report(world: World, call: Client) -> None:
    code, made, headers = call("POST", "/api/runs", submission(), content_type="application/json; charset=utf-8")
    assert code == 202
    assert headers["location"] == f"/api/runs/{made['runId']}" == made["links"]["self"]
    assert call("GET", f"/api/runs/{made['runId']}")[1]["state"] == "queued"
    assert call("GET", f"/api/runs/{made['runId']}/report")[:2] == (409, {"error": "the run is not finished"})
    world.drain()

    assert call("GET", f"/api/runs/{made['runId']}")[1]["state"] == "done"
    assert call("GET", made["links"]["report"])[1]["files"][0]["status"] == "patched"
    assert call("GET", made["links"]["report"] + "?format=diff")[1] == b"--- a.yaml\n"
    assert [r["runId"] for r in call("GET", "/api/runs")[1]["runs"]] == [made["runId"]]


def test_every_page_of_a_run_is_served(world: World, call: Client) -> None:
    made = call("POST", "/api/runs", submission(), content_type="application/json")[1]
    world.drain()
    for form, name in (("cutover", "cutover.md"), ("resources", "resources.md")):
        world.context.blobs.write("reports", f"{made['runId']}/{name}", b"# page\n")
        assert call("GET", f"{made['links']['report']}?format={form}")[:2] == (200, b"# page\n")


def test_the_page_for_browsers_is_served_with_a_policy_that_lets_nothing_else_run(world: World, call: Client) -> None:
    made = call("POST", "/api/runs", submission(), content_type="application/json")[1]
    world.drain()
    page = b"<head><style>a{}</style><script>b()</script></head><body><script>evil()</script>"
    world.context.blobs.write("reports", f"{made['runId']}/report.html", page)
    code, body, headers = call("GET", f"{made['links']['report']}?format=html")
    assert (code, body, headers["content-type"]) == (200, page, "text/html; charset=utf-8")
    assert headers["content-security-policy"] == security_policy(page)
    assert headers["content-security-policy"].count("sha256-") == 2
    assert headers["x-content-type-options"] == "nosniff"
    assert call("GET", f"{made['links']['report']}?format=diff")[2]["content-security-policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "", 200), ("GET", "/none-0", 404), ("POST", "", 415)])
def test_every_answer_of_the_api_has_the_headers_of_one(call: Client, method: str, path: str, code: int) -> None:
    got, _, headers = call(method, f"/api/runs{path}", b"x" if method == "POST" else b"", content_type="text/plain")
    assert got == code
    assert {name: headers[name.lower()] for name in SECURITY} == SECURITY
    assert headers[REVISION.lower()] == "unknown", "no package, so no commit"


def test_post_an_archive(world: World, call: Client) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("k8s/a.yaml", "BAD\n")
    code, made, _ = call("POST", "/api/runs?app=shop&source=okd", buffer.getvalue(), content_type="application/zip")
    again = call("POST", "/api/runs?app=shop&source=okd", buffer.getvalue(), content_type="application/x-zip-compressed")[1]
    world.drain()

    assert (code, again["runId"]) == (202, made["runId"])
    assert world.runs() == [made["runId"]]
    assert world.report(made["runId"])["a.yaml"]["status"] == "patched"
    assert "manifests" not in {container for container, _ in world.blobs.content}


BAD = [
    ("POST", "/api/runs", b"{", {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", b"\xff", {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", submission(app="No"), {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", submission(files={"a": 1}), {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", submission(files={"a": "\ud800"}), {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", submission(target="x" * 50_000), {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", submission(extra=1), {"content_type": "application/json"}, 400),
    ("POST", "/api/runs", b"x", {"content_type": "application/zip"}, 400),
    ("POST", "/api/runs?app=shop&unsafe=perhaps", b"x", {"content_type": "application/zip"}, 400),
    ("POST", "/api/runs?app=shop", b"x", {"content_type": "text/plain"}, 415),
    ("POST", "/api/runs?app=shop", b"x", {"content_type": "application/zip", "content_length": "104857601"}, 413),
    ("POST", "/api/runs?app=shop", b"", {"content_type": "application/zip", "content_length": ""}, 411),
    ("GET", "/api/runs/shop-0123456789ab", b"", {}, 404),
    ("GET", "/api/runs/nonsense", b"", {}, 404),
    ("GET", "/api/runs/shop-0123456789ab/report", b"", {}, 404),
    ("GET", "/api/runs/shop-0123456789ab/report?format=exe", b"", {}, 400),
    ("POST", "/api/runs/shop-0123456789ab/replay", b"", {}, 404),
    ("POST", "/api/runs/shop-0123456789ab", b"", {}, 405),
    ("POST", "/api/runs/shop-0123456789ab/deploy", b"{}", {"content_length": "600000"}, 413),
    ("POST", "/api/runs/shop-0123456789ab/deployment", b"{}", {"content_length": "600000"}, 413),
    ("GET", "/api/runs/..%2F..%2Fcache", b"", {}, 404),
    ("GET", "/api/runs/shop-0123456789ab%00", b"", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "code"), BAD, ids=range(len(BAD)))
def test_a_bad_request_gets_one_line(call: Client, method: str, path: str, body: bytes, headers: dict[str, str], code: int) -> None:
    got, answer, _ = call(method, path, body, **headers)
    assert got == code
    assert set(answer) == {"error"}
    assert answer["error"]
    assert "\n" not in answer["error"]


def test_an_outage_is_503_and_a_refusal_of_storage_500(world: World, call: Client) -> None:
    from shared.domain.errors import CriticalError, TransientError

    for error, code in ((TransientError("storage: no answer"), 503), (CriticalError("storage: 403"), 500)):
        world.context.blobs.list = lambda *_, error=error, **__: (_ for _ in ()).throw(error)
        assert call("GET", "/api/runs")[:2] == (code, {"error": str(error)})


def test_a_failed_run_can_be_replayed_over_http(world: World, call: Client) -> None:
    run = call("POST", "/api/runs", submission(), content_type="application/json")[1]["runId"]
    world._deliver(world.queue.waiting.pop())
    lost = world.queue.waiting.pop()
    world.services.poisoned(lost.queue, lost.text)
    assert call("GET", f"/api/runs/{run}")[1]["state"] == "failed"

    assert call("POST", f"/api/runs/{run}/replay")[0] == 202
    world.drain()
    assert call("GET", f"/api/runs/{run}")[1]["state"] == "done"


def test_health_says_which_part_is_down(world: World, registered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    health = registered["health"].get_user_function()
    request = func.HttpRequest("GET", "http://localhost/api/health", body=b"")
    assert health(req=request).status_code == 200

    services.install(None)
    monkeypatch.delenv("STORAGE", raising=False)
    answer = health(req=request)
    assert answer.status_code == 503
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert REVISION not in answer.headers, "anybody may ask for the health"
    assert json.loads(answer.get_body())["settings"].startswith("settings: STORAGE (a connection string) or")
