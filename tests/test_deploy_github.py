"""Starting deployments on GitHub. The emulator has pull requests and their commits; it lacks both dispatches, which are stubbed here."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from emulate_support import TOKEN, Emulate
from gateway import Reply, Seen

from shared.adapters.github.client import Client
from shared.adapters.github.deploy import GitHubDeployments
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.code_host import Repository
from shared.domain.deployment import run_named
from shared.domain.errors import CriticalError, PausedError, TransientError, ValidationError

WORKFLOW = r"/actions/workflows/deploy\.yml/dispatches$"
INPUTS = {"run": "shop-0123456789ab", "commit": "a" * 40}


def host(emulate: Emulate) -> GitHubDeployments:
    return GitHubDeployments(Client(emulate.github.url, EnvironmentSecrets({"GITHUB_TOKEN": TOKEN}), timeout=2))


def test_a_workflow_is_started_and_its_run_is_named(emulate: Emulate) -> None:
    emulate.github.answer("POST", WORKFLOW, Reply(200, {"workflow_run_id": 1, "html_url": "https://github.com/acme/shop/actions/runs/1"}))

    assert host(emulate).start_workflow(Repository("acme/shop"), "deploy.yml", "release/1", INPUTS) == (
        "https://github.com/acme/shop/actions/runs/1"
    )
    (seen,) = emulate.github.calls("POST", WORKFLOW)
    assert seen.json == {"ref": "release/1", "inputs": INPUTS, "return_run_details": True}


def test_an_enterprise_server_that_does_not_know_the_parameter_is_asked_without_it(emulate: Emulate) -> None:
    def answer(seen: Seen) -> Reply:
        if "return_run_details" in seen.json:
            return Reply(422, {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'})
        return Reply(204)

    emulate.github.answer("POST", WORKFLOW, answer)

    assert host(emulate).start_workflow(Repository("acme/shop"), "deploy.yml", "main", INPUTS) == ""
    assert [seen.json["inputs"] for seen in emulate.github.calls("POST", WORKFLOW)] == [INPUTS, INPUTS]


def test_an_event_is_sent_with_its_payload(emulate: Emulate) -> None:
    emulate.github.answer("POST", r"/repos/acme/shop/dispatches$", Reply(204))

    host(emulate).send_event(Repository("acme/shop"), "aks-copilot-deploy", INPUTS)

    (seen,) = emulate.github.calls("POST", r"/dispatches$")
    assert seen.json == {"event_type": "aks-copilot-deploy", "client_payload": INPUTS}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(404, {"message": "Not Found"}), ValidationError),
        (Reply(422, {"message": "Workflow does not have 'workflow_dispatch' trigger"}), ValidationError),
        (Reply(403, {"message": "Resource not accessible by integration"}), CriticalError),
        (Reply(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "9"}), PausedError),
        (Reply(502, {}), TransientError),
        (Reply(drop=True), TransientError),
        (Reply(204, delay=4), TransientError),
    ],
)
def test_only_a_pause_is_certainly_not_done(emulate: Emulate, reply: Reply, kind: type[Exception]) -> None:
    emulate.github.answer("POST", WORKFLOW, reply)

    with pytest.raises(kind) as raised:
        host(emulate).start_workflow(Repository("acme/shop"), "deploy.yml", "main", INPUTS)

    assert isinstance(raised.value, PausedError) == (kind is PausedError)
    assert len(emulate.github.calls("POST", WORKFLOW)) == 1, "one attempt"


def test_the_commits_of_a_pull_request_name_the_run_and_its_merge_is_known(emulate: Emulate) -> None:
    repository = emulate.repository({"deploy/app.yaml": "a: 1\n"})
    repository.push({"deploy/app.yaml": "a: 2\n"}, "aks-copilot/shop", "Storage for AKS\n\nAks-Copilot-Run: shop-0123456789ab")
    repository.push({"deploy/app.yaml": "a: 3\n"}, "aks-copilot/shop", "A person's change")
    pull: dict[str, Any] = repository.open_pull("aks-copilot/shop")
    tell, where = host(emulate), Repository(repository.name)

    assert run_named(tell.messages(where, pull["number"])) == "shop-0123456789ab"
    assert tell.merge_commit(where, pull["number"]) is None
    repository.call("PUT", f"/pulls/{pull['number']}/merge", {"merge_method": "squash"})
    assert tell.merge_commit(where, pull["number"]) == (repository.head(), "main")
    assert run_named(tell.messages(where, pull["number"])) == "shop-0123456789ab"


def test_many_commits_are_paged(emulate: Emulate) -> None:
    def page(seen: Seen) -> Reply:
        number = int(parse_qs(urlsplit(seen.path).query)["page"][0])
        return Reply(200, [{"commit": {"message": f"m{number}"}}] * {1: 100, 2: 100, 3: 50}[number])

    emulate.github.answer("GET", r"/pulls/9/commits", page)

    found = host(emulate).messages(Repository("acme/shop"), 9)

    assert (len(found), found[-1]) == (250, "m3")
