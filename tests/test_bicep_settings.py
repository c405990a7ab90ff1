"""App settings in infra/settings.bicep are those that the code reads, with the values that it would take anyway; none of them is secret."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from bicep_support import ROOT, body, templates

from shared.model_settings import load_model_settings
from shared.settings import PREFIX, load_settings

PAGE = (ROOT / "docs/azure.md").read_text()
NOT_SET = {
    "STORAGE": "a connection string; in Azure the account knows no keys",
    "STORAGE__accountName": "the short form of the two addresses, which are set",
    "WEBSITE_HOSTNAME": "the platform sets it",
}
"""Names that the code reads and the templates leave out; docs/azure.md says so."""
REFUSED_ON_FLEX = {
    *("alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "javaContainer", "javaContainerVersion"),
    *("javaVersion", "linuxFxVersion", "netFrameworkVersion", "nodeVersion", "phpVersion", "powerShellVersion", "preWarmedInstanceCount"),
    *("pythonVersion", "use32BitWorkerProcess", "windowsFxVersion"),
}
"""Of siteConfig, error 51021: https://github.com/Azure/terraform-azurerm-avm-res-web-site/pull/345 (2026-08). App settings that moved into
functionAppConfig: https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations."""
PLATFORM = re.compile(r"AzureWebJobsStorage__(blobServiceUri|queueServiceUri|credential|clientId)|APPLICATIONINSIGHTS_\w+_STRING")
ACCOUNT = {"blobEndpoint": "https://st.blob.core.windows.net/", "queueEndpoint": "https://st.queue.core.windows.net/"}
GIVEN = ACCOUNT | {
    "identityClientId": "11111111-2222-3333-4444-555555555555",
    "vaultUri": "https://kv.vault.azure.net/",
    "insightsConnectionString": "InstrumentationKey=0",
    "reportUrl": "",
    "slack": "off",
    "slackChannel": "",
    "githubApiUrl": "https://api.github.com",
    "llmMode": "",
    "llmBaseUrl": "",
    "llmModel": "",
    "embeddingModel": "",
    "searchEndpoint": "",
}


class Recorder(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_, self.asked = values, set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def program() -> dict[str, str]:
    return dict(templates()["settings.bicep"].variable("program"))


def platform() -> dict[str, str]:
    return dict(templates()["settings.bicep"].variable("platform"))


def filled(**given: str) -> dict[str, str]:
    """The settings that an app gets from these parameters."""
    values = GIVEN | given
    return {name: values.get(value, value) for name, value in program().items()}


def read_by_the_code() -> set[str]:
    """Every name that is asked for: by the settings objects where everything is on, and by `os.environ` anywhere in the app."""
    on = {"STORAGE__accountName": "a", "SLACK": "bot", "SLACK_CHANNEL": "C1", "LLM_MODE": "apply"}
    both = Recorder(on | {"LLM_BASE_URL": "https://m.example/v1", "LLM_MODEL": "m"})
    for module in (importlib.import_module(f"shared.{file.stem}") for file in (ROOT / "shared").glob("*settings.py")):
        for name, load in vars(module).items():
            if re.fullmatch(r"load_(\w+_)?settings", name) and load.__module__ == module.__name__:
                load(both)
    return both.asked | set(environ_names())


def environ_names() -> Iterator[str]:
    files = [
        ROOT / "function_app.py",
        *(ROOT / "functions").rglob("*.py"),
        *(f for f in (ROOT / "shared").rglob("*.py") if "cli" not in f.parts),
    ]
    for text in (text for file in files if "environ" in (text := file.read_text())):
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ")), args=[ast.Constant(value=str(name)), *_]):
                    yield name
                case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
                    yield name


def test_every_name_that_the_code_reads_is_set_and_the_reverse() -> None:
    read, given = read_by_the_code(), set(program())
    assert len(read) > 30
    assert read - given - set(platform()) == set(NOT_SET)
    assert given - read == {f"{PREFIX}__credential"}  # the host reads it


def test_what_is_left_out_is_documented() -> None:
    for name in NOT_SET:
        assert f"`{name}`" in PAGE, name


def test_names_of_the_platform_are_those_of_the_host() -> None:
    assert all(PLATFORM.fullmatch(name) for name in platform())
    for kind in ("blobServiceUri", "queueServiceUri", "credential", "clientId"):
        assert platform()[f"AzureWebJobsStorage__{kind}"] == program()[f"{PREFIX}__{kind}"]


def test_flex_consumption_is_told_nothing_that_it_refuses() -> None:
    app = body(templates()["function.bicep"].resources["app"])["properties"]
    assert set(app["siteConfig"]) & REFUSED_ON_FLEX == set()
    assert {name for name in (*platform(), *program()) if re.match(r"(FUNCTIONS|WEBSITE|SCM|ENABLE_ORYX)_|TZ$", name)} == set()
    assert app["functionAppConfig"]["runtime"]["name"] == "python"


def test_the_values_are_taken_and_are_the_defaults() -> None:
    env = filled()
    settings, plain = (
        load_settings(env),
        load_settings(
            {"STORAGE__blobServiceUri": env["STORAGE__blobServiceUri"], "STORAGE__queueServiceUri": env["STORAGE__queueServiceUri"]}
        ),
    )
    assert settings.storage.client_id == GIVEN["identityClientId"]
    assert settings.key_vault_uri == GIVEN["vaultUri"]
    different = {name for name in plain.__slots__ if getattr(plain, name) != getattr(settings, name)}
    assert different == {"storage", "key_vault_uri"}
    assert env["BLOB_TRIGGER_SOURCE"] == "EventGrid"  # the only one on Flex Consumption


def test_a_model_of_azure_is_asked_as_the_identity() -> None:
    env = filled(llmBaseUrl="https://oai-x.openai.azure.com/openai/v1", llmModel="gpt-4.1-mini")
    model = load_model_settings(env)
    assert (model.mode, model.auth, model.model) == ("suggest", "identity", "gpt-4.1-mini")
    usual = load_model_settings({"LLM_BASE_URL": env["LLM_BASE_URL"], "LLM_MODEL": env["LLM_MODEL"]})
    assert model == usual
    assert load_model_settings(filled()).mode == "off"


def test_the_address_of_azure_openai_is_one_that_the_program_takes() -> None:
    assert "output baseUrl string = '${service.properties.endpoint}openai/v1'" in templates()["openai.bicep"].text


def test_no_secret_is_an_app_setting() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    secrets = {name for name in sample if re.search(r"SECRET$|TOKEN$|KEY$|PASSWORD$|APP_ID$", name)}
    assert {"GITHUB_WEBHOOK_SECRET", "GITHUB_TOKEN", "GITHUB_APP_PRIVATE_KEY", "LLM_API_KEY"} <= secrets
    assert not secrets & set(program())
    for name in secrets:
        assert f"`{name.lower().replace('_', '-')}`" in PAGE, f"docs/azure.md does not say that the vault may hold {name}"


def test_the_local_sample_has_the_same_names() -> None:
    sample = set(json.loads((ROOT / "local.settings.sample.json").read_text())["Values"])
    only_in_azure = {name for name in program() if name.startswith(f"{PREFIX}__")} | {"SLACK_API_URL"}
    assert set(program()) - sample == only_in_azure


@pytest.mark.parametrize("file", ["function.bicep", "container.bicep"])
def test_both_ways_of_hosting_take_the_same_list(file: str) -> None:
    template = templates()[file]
    assert template.parameters["settings"]["type"] == "object"
    assert "in items(settings): {" in template.text
    (module,) = [module for module in templates()["main.bicep"].modules.values() if module["detail"]["path"] == file]
    given: Any = body(module)["params"]["settings"]
    assert given == {
        "operator": {
            "type": "property_accessor",
            "operands": {
                "operand_1": "settings",
                "operand_2": {"operator": {"type": "property_accessor", "operands": {"operand_1": "outputs", "operand_2": "values"}}},
            },
        }
    }


def test_a_container_keeps_its_keys_where_they_outlive_a_replica() -> None:
    """Of the backends on Container Apps only storage has its keys made by the host, that of Event Grid's door among them."""
    assert re.search(r"name: 'AzureWebJobsSecretStorageType'\s+value: 'blob'", templates()["container.bicep"].text)


def test_every_setting_can_be_changed_without_editing_a_template() -> None:
    assert "output values object = union(platform, program, overrides)" in templates()["settings.bicep"].text
