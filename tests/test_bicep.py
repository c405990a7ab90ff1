"""The templates of infra/ hold together: no Bicep compiler is at hand, so what it would say first is tested on the parsed trees."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from bicep_support import INFRA, ROOT, body, created, templates
from bicep_symbols import FUNCTIONS, declared, tree, used

NAMES = sorted(templates())
PARAMETER_FILES = ("dev.parameters.json", "prod.parameters.json", "main.parameters.json")
TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}
SECRET = re.compile(r"password|secret|token|key(?!VaultUri)", re.IGNORECASE)


def parameters_of(file: str) -> dict[str, Any]:
    return {name: value["value"] for name, value in json.loads((INFRA / file).read_text())["parameters"].items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_says_why_it_is_there_and_stays_short(name: str) -> None:
    lines = templates()[name].path.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 255


@pytest.mark.parametrize("name", NAMES)
def test_a_stricter_grammar_reads_it_too(name: str) -> None:
    text = templates()[name].path.read_text()
    assert not tree(text).has_error
    assert tree(text.replace("param ", "param = ", 1)).has_error


@pytest.mark.parametrize("name", NAMES)
def test_names_are_declared_and_what_is_declared_is_used(name: str) -> None:
    text = templates()[name].path.read_text()
    uses, made = set(used(text)), {*templates()[name].resources, *templates()[name].modules}
    assert uses - declared(text) - FUNCTIONS == set()
    assert declared(text) - uses - made == set()


def test_the_functions_are_ones_that_bicep_has_and_that_are_called() -> None:
    called = {name for template in templates().values() for name in used(template.path.read_text()) if name.endswith("()")}
    assert called == FUNCTIONS


def test_a_name_that_nothing_declares_is_found() -> None:
    text = "param a array\nvar b = [for (x, i) in a: {\n  name: '${x}-${c}'\n  at: i\n}]\nvar d = filter(b, one => one.name != other)\n"
    assert declared(text) == {"a", "b", "d"}
    assert sorted(used(text)) == ["a", "b", "c", "filter()", "other"]


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_given_its_parameters(name: str) -> None:
    template = templates()[name]
    for symbol, module in template.modules.items():
        wanted = templates()[template.module_file(symbol)]
        given = set(body(module).get("params", {}))
        assert given <= set(wanted.parameters), (symbol, "unknown")
        assert wanted.required <= given, (symbol, "missing")


@pytest.mark.parametrize("name", NAMES)
def test_outputs_that_are_read_exist(name: str) -> None:
    template = templates()[name]
    for symbol, output in re.findall(r"\b(\w+)\.outputs\.(\w+)", template.text):
        assert output in templates()[template.module_file(symbol)].outputs, f"{symbol}.outputs.{output}"


def test_every_template_is_a_module_or_an_entry_that_ci_compiles() -> None:
    used = {template.module_file(symbol) for template in templates().values() for symbol in template.modules}
    entries = set(templates()) - used
    compiled = re.findall(r"infra/(\S+\.bicep)", (ROOT / ".github/workflows/ci.yml").read_text())
    assert entries == set(compiled) == {"main.bicep", "events.bicep", "aks/main.bicep"}


def test_the_names_of_deployments_within_a_file_differ() -> None:
    for template in templates().values():
        names = [body(module)["name"] for module in template.modules.values()]
        assert len(names) == len(set(names)), template.name


@pytest.mark.parametrize("file", PARAMETER_FILES)
def test_a_parameter_file_fits_the_main_template(file: str) -> None:
    main, given = templates()["main.bicep"], parameters_of(file)
    assert main.required <= set(given) <= set(main.parameters)
    for name, value in given.items():
        assert isinstance(plain(value, main.parameters[name]["type"]), TYPES[main.parameters[name]["type"]]), name


def plain(value: Any, kind: str) -> Any:
    """A value of azd's file is a placeholder, `${NAME=default}`; azd makes a bool or an int of the text where the parameter is one."""
    found = re.fullmatch(r"\$\{[A-Z_]+(?:=(.*))?\}", value) if isinstance(value, str) else None
    if found is None:
        return value
    return {"bool": {"true": True, "false": False}.get, "int": int}.get(kind, str)(found[1] or "")


@pytest.mark.parametrize("file", PARAMETER_FILES)
def test_values_are_within_the_bounds_of_their_parameters(file: str) -> None:
    main = templates()["main.bicep"].parameters
    for name, value in [*parameters_of(file).items(), *((name, parameter["default"]) for name, parameter in main.items())]:
        bounds = {decorator["type"]: decorator.get("argument") for decorator in main[name]["decorators"]}
        given = plain(value, main[name]["type"])
        assert given in bounds.get("allowed", [given]), name
        if {"min_value", "max_value"} & set(bounds):
            assert bounds.get("min_value", given) <= given <= bounds.get("max_value", given), name


def test_production_is_closed_and_kept_longer_than_development() -> None:
    dev, prod = parameters_of("dev.parameters.json"), parameters_of("prod.parameters.json")
    assert set(dev) <= set(prod)
    assert (dev["privateNetwork"], prod["privateNetwork"]) == (False, True)
    for days in ("undoDays", "runDays", "resultDays", "cacheDays", "logDays"):
        assert dev[days] < prod[days]


def test_defaults_are_those_of_production() -> None:
    """Who deploys without a parameter file gets the closed form."""
    prod, main = parameters_of("prod.parameters.json"), templates()["main.bicep"]
    for name in ("privateNetwork", "storageSku", "undoDays", "runDays", "resultDays", "cacheDays", "logDays", "registrySku"):
        assert main.parameters[name]["default"] in (prod[name], str(prod[name]).lower() == "true"), name


def test_versions_of_apis_are_known_ones() -> None:
    known = yaml.safe_load((ROOT / "tests/data/azure_api_versions.yaml").read_text())
    used = {(resource["type"], resource["api_version"]) for template in templates().values() for resource in template.resources.values()}
    assert {(kind, known.get(kind, {}).get("version")) for kind, _ in used} == used
    assert set(known) == {kind for kind, _ in used}
    for kind, entry in known.items():
        assert "preview" not in entry["version"] or "no stable" in entry["seen"], kind


def test_no_key_is_read_by_a_template() -> None:
    for template in templates().values():
        assert not re.search(r"\blist\w*\(|getSecret\(|AccountKey=|SharedAccessKey", template.text, re.IGNORECASE), template.name


def test_parameters_that_hold_a_secret_are_secure_and_no_output_tells_one() -> None:
    secure = set()
    for template in templates().values():
        for name, parameter in template.parameters.items():
            if SECRET.search(name):
                assert {"type": "secure"} in parameter["decorators"], f"{template.name}: {name}"
                secure.add(name)
        assert not [output for output in template.outputs if SECRET.search(output.replace("KEY_VAULT", ""))]
    assert secure == {"blobsExtensionKey"}


def test_services_know_no_keys_and_no_anonymous_access() -> None:
    storage = body(templates()["storage.bicep"].resources["account"])["properties"]
    assert (storage["allowSharedKeyAccess"], storage["allowBlobPublicAccess"], storage["minimumTlsVersion"]) == (False, False, "TLS1_2")
    local_auth = {
        ("monitoring.bicep", "insights", "DisableLocalAuth"),
        ("openai.bicep", "service", "disableLocalAuth"),
        ("search.bicep", "service", "disableLocalAuth"),
    }
    for file, symbol, switch in local_auth:
        assert body(templates()[file].resources[symbol])["properties"][switch] is True
    vault = body(templates()["vault.bicep"].resources["vault"])["properties"]
    assert (vault["enableRbacAuthorization"], vault["enablePurgeProtection"]) == (True, True)
    registry = body(templates()["registry.bicep"].resources["registry"])["properties"]
    assert (registry["adminUserEnabled"], registry["anonymousPullEnabled"]) == (False, False)
    for policy in ("noFtpPassword", "noDeployPassword"):
        assert body(templates()["function.bicep"].resources[policy])["properties"] == {"allow": False}


def test_what_the_app_uses_is_closed_where_the_network_is_private() -> None:
    platform = templates()["platform.bicep"]
    for module in ("vault", "openAi", "search", "registry"):
        given = set(body(platform.modules[module])["params"]) & {"publicAccess", "publicEndpoint"}
        assert len(given) == 1, module
        assert templates()[platform.module_file(module)].parameters[given.pop()]["default"].lower() == "disabled"
    choice = platform.variable("fromOutside")["operator"]["operands"]
    assert choice == {"condition": "privateNetwork", "true_value": "Disabled", "false_value": "Enabled"}
    firewall = platform.variable("byDefault")["operator"]["operands"]
    assert firewall == {"condition": "privateNetwork", "true_value": "Deny", "false_value": "Allow"}
    endpoints = body(platform.modules["endpoints"])["params"]
    assert {name for name in endpoints if name.endswith("Id")} == {
        "networkId",
        "subnetId",
        "storageId",
        "vaultId",
        "openAiId",
        "searchId",
        "registryId",
    }


def test_storage_lets_nobody_past_its_firewall_but_the_topic_that_writes_dead_letters() -> None:
    """A trusted service comes to the public endpoint: where that is disabled, Event Grid has nowhere to put what it could not deliver."""
    account = body(templates()["storage.bicep"].resources["account"])["properties"]
    assert account["publicNetworkAccess"] == "Enabled"
    assert account["networkAcls"] == {"bypass": "AzureServices", "defaultAction": "firewall"}
    assert templates()["storage.bicep"].parameters["firewall"]["default"] == "Deny"
    assert body(templates()["platform.bicep"].modules["storage"])["params"]["firewall"] == "byDefault"
    assert body(templates()["events-topic.bicep"].resources["topic"])["identity"] == {"type": "SystemAssigned"}


def test_no_variable_has_the_name_of_a_parameter_with_a_default() -> None:
    """checkov took the one for the other in a third of its runs, and then called a closed service open."""
    variables = {name for template in templates().values() for name in template.tree.get("variables", {})}
    modules = [template for template in templates().values() if template.name != "main.bicep"]
    assert variables & {name for template in modules for name in set(template.parameters) - template.required} == set()


def test_everything_that_has_tags_gets_them() -> None:
    untagged = {resource["type"] for _, _, resource in created() if "location" in body(resource) and "tags" not in body(resource)}
    assert untagged == {"Microsoft.ManagedIdentity/userAssignedIdentities"}  # the Debugger's, in the group of a cluster


def test_azd_finds_the_app() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text())
    (service,) = azure["services"]
    for file in ("function.bicep", "container.bicep"):
        tags = body(templates()[file].resources["app"])["tags"]
        assert tags["function"]["parameters"]["arg_2"] == {"'azd-service-name'": service}
    assert (ROOT / azure["infra"]["path"] / f"{azure['infra']['module']}.bicep").exists()
    script = azure["hooks"]["postdeploy"]["run"].split()[1]
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / script).read_text()))
    assert wanted <= templates()["main.bicep"].outputs
