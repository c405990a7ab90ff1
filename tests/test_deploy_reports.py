"""Deployments through fakes: what the workflow reports, who else hears of it, and the requests by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from deploy_support import NAMESPACE, RUNS_URL, Merged, settings

from functions.api import runs
from shared import services
from shared.domain import deployment
from shared.domain.errors import TransientError, ValidationError
from shared.pipeline import deploy

EVIDENCE = "deployment shop: 0 of 1 available\nAZURE_CLIENT_SECRET=hunter2hunter2\n\x1b[31mred\x1b[0m"


def test_what_the_workflow_says_is_kept_redacted_and_told() -> None:
    site = Merged()
    site.merged()
    ctx = site.world.context

    deploy.report(ctx, site.run, "running", "https://github.com/acme/shop/actions/runs/2", "")
    deploy.report(ctx, site.run, "failed", "", EVIDENCE + "x" * 40_000)
    site.world.drain()

    record = site.record()
    assert record is not None
    assert (record["state"], record["url"]) == ("failed", "https://github.com/acme/shop/actions/runs/2")
    assert "hunter2" not in record["evidence"]
    assert "\x1b" not in record["evidence"]
    assert len(record["evidence"]) < deployment.EVIDENCE + 20
    assert ":x: The deployment of " in site.said()
    assert "failed: deployment shop: 0 of 1 available" in site.said()

    deploy.report(ctx, site.run, "succeeded", "", "")  # somebody mended the cluster and ran the workflow again
    site.world.drain()
    assert f":white_check_mark: {site.merge[:7]} to namespace shop is deployed" in site.said()


@pytest.mark.parametrize("refused", [False, True])
def test_a_workflow_that_somebody_started_by_hand_reports_too(refused: bool) -> None:
    site = Merged()
    if refused:
        site.host.failures = [ValidationError("GitHub rejects the request (422)")]
        site.merged()

    deploy.report(site.world.context, site.run, "succeeded", RUNS_URL, "")
    site.world.drain()
    site.merged("later")

    assert f":white_check_mark: {site.merge[:7] if refused else 'the result'}" in site.said()
    assert "422" not in site.said()
    assert site.host.started == [], "what was deployed by hand is not deployed again"


def test_the_folder_of_the_results_is_what_is_deployed() -> None:
    site = Merged(f"layout: overlay\n  {NAMESPACE}")

    site.merged()

    assert site.host.started[0][2]["path"] == "deploy-aks"


def test_a_workflow_that_is_faster_than_the_answer_has_the_last_word() -> None:
    site = Merged()
    start = site.host.start_workflow

    def fast(*given: Any) -> str:
        url = start(*given)
        deploy.report(site.world.context, site.run, "succeeded", "", "")
        return url

    site.host.start_workflow = fast  # type: ignore[method-assign]
    site.merged()

    record = site.record()
    assert record is not None
    assert record["state"] == "succeeded"


def test_an_incoming_webhook_hears_of_the_outcome_once_more() -> None:
    site = Merged(bot=False)
    site.merged()
    assert site.chat.posts == 1
    for said in ("running", "succeeded", "succeeded"):
        deploy.report(site.world.context, site.run, said, "", "")  # type: ignore[arg-type]
        site.world.drain()

    assert site.chat.posts == 2


def test_slack_being_down_keeps_nothing_from_being_deployed() -> None:
    site = Merged()
    site.chat.failures = [TransientError("503")] * 5

    site.merged()

    assert len(site.host.started) == 1


@pytest.fixture
def served() -> Iterator[Merged]:
    site = Merged()
    services.install(site.world.services)
    yield site
    services.install(None)


def post(path: str, body: Any = b"") -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = func.HttpRequest("POST", f"http://localhost{path}", headers={"content-length": str(len(data))}, body=data)
    response = asyncio.run(runs.build().get_user_function()(req=request, context=None))
    return response.status_code, json.loads(response.get_body())


def test_somebody_allowed_deploys_what_was_merged(served: Merged) -> None:
    served.pull_is_known(merged=True)

    code, answer = post(f"/api/runs/{served.run}/deploy")
    served.world.drain()

    assert (code, answer["runId"]) == (202, served.run)
    ((_, ref, inputs),) = served.host.started
    assert (ref, inputs["commit"]) == ("main", served.merge)
    assert post(f"/api/runs/{served.run}/deploy")[0] == 409
    assert post(f"/api/runs/{served.run}/deployment", {"state": "succeeded", "url": RUNS_URL}) == (
        200,
        {"runId": served.run, "state": "succeeded"},
    )


def test_a_commit_that_was_named_must_be_on_the_branch(served: Merged) -> None:
    stray = served.code.add({"deploy/app.yaml": "kind: EVIL\n"}, served.first)
    post(f"/api/runs/{served.run}/deploy", {"commit": stray})
    served.world.drain()
    record = served.record()
    assert record is not None
    assert (record["state"], record["error"]) == ("refused", f"the commit {stray[:12]} is not on the branch main")
    assert served.host.started == []

    assert post(f"/api/runs/{served.run}/deploy", {"commit": served.merge})[0] == 202
    served.world.drain()
    assert served.host.started[0][2]["commit"] == served.merge


def test_what_is_not_merged_is_not_deployed(served: Merged) -> None:
    served.pull_is_known(merged=False)

    post(f"/api/runs/{served.run}/deploy")
    served.world.drain()

    record = served.record()
    assert record is not None
    assert record["error"] == "the run has no merged pull request; name the commit to deploy"


def test_a_request_where_the_repository_sets_no_deployment_says_so() -> None:
    site = Merged("results: check")
    deploy.request(site.world.context, site.run, site.merge)
    site.world.drain()

    record = site.record()
    assert record is not None
    assert record["error"] == "`deploy` is not set for this application in .aks-copilot.yaml"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("deploy", {"commit": "main"}, 400),
        ("deploy", {"namespace": "kube-system"}, 400),
        ("deploy", b"{", 400),
        ("deployment", {"state": "refused"}, 400),
        ("deployment", {"state": "failed", "url": "javascript:alert(1)"}, 400),
        ("deployment", {"state": "failed", "evidence": "x" * 300_000}, 400),
        ("deployment", {"state": "failed", "evidence": "x" * 600_000}, 413),
        ("deployment", b"", 400),
    ],
)
def test_requests_that_are_no_use(served: Merged, path: str, body: Any, code: int) -> None:
    assert post(f"/api/runs/{served.run}/{path}", body)[0] == code
    assert served.record() is None


def test_runs_that_are_none_of_a_repository(served: Merged) -> None:
    assert post("/api/runs/shop-000000000000/deploy")[0] == 404
    served.world.put({"blog/a.yaml": "BAD\n"})
    served.world.drain()
    (other,) = set(served.world.runs()) - {served.run}
    assert post(f"/api/runs/{other}/deploy") == (409, {"error": "only runs of a repository can be deployed"})
    assert post(f"/api/runs/{other}/deployment", {"state": "succeeded"}) == (409, {"error": "only runs of a repository can be deployed"})


@pytest.mark.parametrize(
    "deploy_text",
    [
        "deploy: {}",
        "deploy: {namespace: Shop}",
        "deploy: {namespace: kube-system}",
        "deploy: {namespace: shop, workflow: ../../x.yml}",
        "deploy: {namespace: shop, path: ../other}",
        "deploy: {namespace: shop, by: magic}",
        "deploy: {namespace: shop, cluster: x}",
    ],
)
def test_settings_are_closed(deploy_text: str) -> None:
    from shared.domain.repository import read_settings

    with pytest.raises(ValidationError, match=r"^\.aks-copilot\.yaml:\d+: repository\.deploy"):
        read_settings(settings(deploy_text).encode())


def test_an_application_may_say_more_than_the_repository() -> None:
    from shared.domain.repository import read_settings

    text = f"repository:\n  {NAMESPACE}\n  applications:\n    - {{path: a}}\n    - {{path: b, deploy: {{by: gitops}}}}\n"
    found = read_settings(text.encode()).all("acme/shop")

    assert [one.deploy and (one.deploy.by, one.deploy.namespace) for one in found] == [("workflow", "shop"), ("gitops", None)]


def test_no_host_of_repositories_is_one_line() -> None:
    site = Merged()
    site.world.context = replace(site.world.context, deploys=None)
    site.world.services = replace(site.world.services, context=site.world.context)
    deploy.request(site.world.context, site.run, None)
    site.pull_is_known(merged=True)
    site.world.drain()

    record = site.record()
    assert record is not None
    assert record["error"] == "no host of repositories is set up"
