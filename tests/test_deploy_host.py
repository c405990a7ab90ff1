"""From the merge of the program's own pull request to a deployment that reports back, on the emulator, the host process and Azurite.

The emulator lacks workflow dispatch: that endpoint alone is stubbed. Everything that comes after it is the report of a workflow.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from emulate_support import TOKEN, Emulate, deliver, pull_payload
from gateway import Reply
from slack_support import history, slack_bot
from test_github_host import SHOP, github, repository_of, settled, wait_for, webhook
from test_pipeline_host import azurite, context, serve, wait_until  # noqa: F401 - fixtures

from funchost.azurite import Azurite
from shared.pipeline import names, status
from shared.pipeline.context import Context

SETTINGS = "repository:\n  applications: [{path: deploy/shop, source: k3s}]\n  deploy: {namespace: shop}\n"
DISPATCH = r"/actions/workflows/aks-copilot-deploy\.yml/dispatches$"
RUN_URL = "https://github.com/acme/shop/actions/runs/7"


def post(url: str, body: Any) -> int:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        return int(response.status)


def said(emulate: Emulate, run: str) -> str:
    (mine,) = history(emulate, run)
    return json.dumps(mine["blocks"])


def test_a_merge_deploys_once_and_the_workflow_reports_back(
    emulate: Emulate,
    azurite: Azurite,  # noqa: F811
    context: Context,  # noqa: F811
    tmp_path: Path,
) -> None:
    emulate.github.answer("POST", DISPATCH, Reply(200, {"html_url": RUN_URL}))
    with serve(azurite, tmp_path, GITHUB_TOKEN=TOKEN, **github(emulate), **slack_bot(emulate)) as host:
        repository = repository_of(emulate, host, {".aks-copilot.yaml": SETTINGS})
        repository.push({f"deploy/shop/{path}": data for path, data in SHOP.items()})
        (run,) = wait_for(context, 1)
        wait_until(lambda: settled(context) and repository.pulls(), "the pull request is open", 90)
        (pull,) = repository.pulls()
        merged = repository.call("PUT", f"/pulls/{pull['number']}/merge", {"merge_method": "merge"})["sha"]
        closed = repository.call("GET", f"/pulls/{pull['number']}")
        assert deliver(webhook(host), "pull_request", pull_payload(repository.name, closed, "closed"), delivery="m-1")[0] == 202
        deliver(webhook(host), "pull_request", pull_payload(repository.name, closed, "closed"), delivery="m-2")
        wait_until(lambda: settled(context) and deployment(context, run).get("state") == "dispatched", "the deployment was started", 90)

        (sent,) = [seen.json for seen in emulate.github.calls("POST", DISPATCH)]
        expected = {"run": run, "app": "shop", "commit": merged, "namespace": "shop", "path": "deploy/shop", "ref": "main"}
        assert (sent["ref"], sent["inputs"]) == ("main", expected)
        assert ":rocket: The deployment of" in said(emulate, run)

        told = {"state": "failed", "url": RUN_URL, "evidence": "deployment/web did not become ready\nDB_PASSWORD=hunter2hunter2"}
        assert post(f"http://127.0.0.1:{host.port}/api/runs/{run}/deployment", told) == 200
        wait_until(lambda: ":x: The deployment of" in said(emulate, run), "Slack hears of it", 60)
        assert "deployment/web did not become ready" in said(emulate, run)
        assert post(f"http://127.0.0.1:{host.port}/api/runs/{run}/deployment", {"state": "succeeded"}) == 200
        wait_until(lambda: ":white_check_mark: " in said(emulate, run), "Slack hears of that too", 60)
        shown = status.run_status(context, run)
        assert shown is not None
        assert (shown["state"], shown["deployment"]["state"]) == ("done", "succeeded")
        assert len(emulate.github.calls("POST", DISPATCH)) == 1
        blobs = [context.blobs.read(names.RUNS, blob.name, max_bytes=10**8) for blob in context.blobs.list(names.RUNS, f"{run}/deploy")]
        assert all(found and b"hunter2" not in found[0] for found in blobs)


def deployment(context: Context, run: str) -> dict[str, Any]:  # noqa: F811
    shown = status.run_status(context, run)
    return (shown or {}).get("deployment") or {}
