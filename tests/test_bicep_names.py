"""Names in infra/ are those of the code: containers, queues, prefixes that lifecycle rules delete by, functions that events wake."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
import yaml
from bicep_support import INFRA, ROOT, body, templates

from shared.pipeline import names

OWN = {"app-package", "dead-letters"}
"""Containers of the platform's, not of the program's."""


def storage(name: str) -> Any:
    return templates()["storage.bicep"].variable(name)


def blob_triggers() -> dict[str, str]:
    """Container -> function name, of every blob trigger in functions/."""
    found = {}
    for file in (ROOT / "functions").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                calls = {
                    call.func.attr: call
                    for call in node.decorator_list
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                }
                if "blob_trigger" in calls:
                    path = next(kw.value for kw in calls["blob_trigger"].keywords if kw.arg == "path")
                    found[ast.literal_eval(path).partition("/")[0]] = ast.literal_eval(calls["function_name"].args[0])
    return found


def test_containers_and_queues_are_those_of_the_code() -> None:
    assert tuple(storage("containers")) == names.CONTAINERS
    assert set(storage("platformContainers")) == OWN
    assert tuple(storage("workQueues")) == names.WORK_QUEUES
    assert {*storage("workQueues"), *(f"{queue}-poison" for queue in storage("workQueues"))} == set(names.QUEUES)
    assert body(templates()["storage.bicep"].resources["poisonQueue"])["name"] == "${item}-poison"


def test_events_wake_every_blob_trigger() -> None:
    wakes = {row["container"]: row["function"] for row in templates()["events.bicep"].variable("triggers")}
    assert blob_triggers().items() <= wakes.items()
    assert set(wakes) == {names.MANIFESTS, names.KNOWLEDGE}


def test_an_event_goes_to_the_address_that_the_host_listens_on() -> None:
    """The form is that of the storage extension, which the development host serves too (funchost)."""
    wake = body(templates()["events.bicep"].resources["wake"])
    url = wake["properties"]["destination"]["properties"]["endpointUrl"]
    assert url == "https://${hostName}/runtime/webhooks/blobs?functionName=Host.Functions.${trigger.function}&code=${blobsExtensionKey}"
    assert wake["properties"]["filter"] == {
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
        "subjectBeginsWith": "/blobServices/default/containers/${trigger.container}/blobs/",
    }
    dead = wake["properties"]["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]
    assert dead["blobContainerName"] in OWN


def rules() -> dict[str, Any]:
    policy = body(templates()["storage.bicep"].resources["lifecycle"])["properties"]["policy"]
    return {rule["name"]: rule["definition"] for rule in policy["rules"]}


def test_lifecycle_rules_never_touch_uploads_and_knowledge() -> None:
    prefixes = [prefix for rule in rules().values() for prefix in rule["filters"]["prefixMatch"]]
    assert {prefix.partition("/")[0] for prefix in prefixes} == {names.RUNS, names.PATCHED, names.REPORTS, names.CACHE, "dead-letters"}
    assert all("/" in prefix for prefix in prefixes)


def test_what_serves_later_runs_is_counted_from_its_last_read() -> None:
    """runs/branches/ and runs/knowledge/ are written once and read by later runs; an age would take them away while they are in use."""
    deletes = {name: rule["actions"]["baseBlob"]["delete"] for name, rule in rules().items()}
    assert deletes["runs-nobody-reads"] == {"daysAfterLastAccessTimeGreaterThan": "runDays"}
    assert deletes["cache-nobody-reads"] == {"daysAfterLastAccessTimeGreaterThan": "cacheDays"}
    tracking = body(templates()["storage.bicep"].resources["blobs"])["properties"]["lastAccessTimeTrackingPolicy"]
    assert tracking["enable"] is True


def test_of_the_cache_only_what_can_be_had_again_is_deleted() -> None:
    prefixes = rules()["cache-nobody-reads"]["filters"]["prefixMatch"]
    known = {names.model_answer("ab")[:8], names.run_budget("x")[:7], "git/"}
    assert {prefix.removeprefix("cache/") for prefix in prefixes} == known
    assert "git/" in (ROOT / "shared/pipeline/github_intake.py").read_text() + (ROOT / "shared/pipeline/checkout.py").read_text()


def test_deleted_blobs_can_be_brought_back() -> None:
    blobs = body(templates()["storage.bicep"].resources["blobs"])["properties"]
    for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        assert blobs[policy] == {"enabled": True, "days": "undoDays"}


def test_the_package_of_the_app_has_its_container() -> None:
    flex = body(templates()["main.bicep"].modules["flex"])["params"]
    assert flex["packageUrl"] == "${platform.outputs.blobEndpoint}app-package"


def test_container_apps_leave_scaling_to_the_platform() -> None:
    """Rules of one's own are refused for `kind: functionapp`; the platform makes one of each queue trigger, with host.json's batchSize."""
    app = body(templates()["container.bicep"].resources["app"])
    assert app["kind"] == "functionapp"
    assert set(app["properties"]["template"]["scale"]) == {"minReplicas", "maxReplicas"}
    assert json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]["batchSize"] == 8
    assert app["properties"]["configuration"]["activeRevisionsMode"] == "Single"


def test_flex_runs_the_python_that_the_project_is_tested_with() -> None:
    default = templates()["main.bicep"].parameters["pythonVersion"]["default"]
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert default in ci["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert f"empty(containerImage) ? 'mcr.microsoft.com/azure-functions/python:4-python{default}'" in templates()["main.bicep"].text


@pytest.mark.parametrize("file", ["debugger.yaml", "debugger-role.yaml"])
def test_the_debuggers_manifests_fit_its_identity(file: str) -> None:
    objects = {doc["kind"]: doc for doc in yaml.safe_load_all((INFRA / "aks" / file).read_text())}
    parameters = templates()["aks/main.bicep"].parameters
    account = {"name": parameters["debuggerServiceAccount"]["default"], "namespace": parameters["debuggerNamespace"]["default"]}
    if file == "debugger.yaml":
        assert {key: objects["ServiceAccount"]["metadata"][key] for key in account} == account
    else:
        assert objects["RoleBinding"]["subjects"] == [{"kind": "ServiceAccount"} | account]
        assert set(objects) == {"Role", "RoleBinding"}


def test_the_debugger_reads_and_nothing_else_and_no_secret() -> None:
    role = next(yaml.safe_load_all((INFRA / "aks/debugger-role.yaml").read_text()))
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    resources = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert verbs == {"get", "list", "watch"}
    assert not resources & {"secrets", "configmaps", "nodes", "*", "pods/exec"}


def test_names_that_must_be_unique_in_the_world_are_made_so() -> None:
    named = {"storage": "st", "vault": "kv-", "openAi": "oai-", "search": "srch-", "registry": "cr"}
    for module, prefix in named.items():
        assert body(templates()["platform.bicep"].modules[module])["params"]["name"] == f"{prefix}${{suffix}}"
    assert templates()["main.bicep"].variable("suffix")["function"]["type"] == "to_lower"


def test_log_alerts_look_back_further_than_they_run_apart() -> None:
    """Logs arrive some minutes after they were written: with windows end to end, what is late is in none of them."""
    minutes = {alert["name"]: tuple(int(alert[key][2:-1]) for key in ("frequency", "window")) for alert in alerts()}
    assert {"poison", "failing", "stuck", "waiting", "model-budget"} <= set(minutes)
    assert [name for name, (frequency, window) in minutes.items() if window < frequency + 10] == []


def alerts() -> list[dict[str, str]]:
    return list(templates()["alerts.bicep"].variable("logAlerts"))
