"""One table of settings, and what must agree with it: the loaders, the sample, the templates for Azure, the page."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_bicep_settings import program, read_by_the_code

from shared import services
from shared.configuration import load_configuration, read_parts
from shared.environment import SettingsError
from shared.model_settings import ModelSettings
from shared.setting_table import BY_NAME, how_to_set
from shared.settings import Settings, StorageSettings

ROOT = Path(__file__).parents[1]
LOCAL = {"STORAGE": "UseDevelopmentStorage=true"}
BROKEN = {
    "STORAGE__blobServiceUri": "http://hunter2",
    "RUN_QUIET_SECONDS": "hunter2",
    "BLOB_TRIGGER_SOURCE": "hunter2",
    "KEY_VAULT_URI": "hunter2",
    "REPORT_URL": "hunter2",
    "SLACK": "hunter2",
    "GITHUB_API_URL": "http://hunter2",
    "SEARCH_ENDPOINT": "hunter2",
    "SEARCH_INDEX": "Hunter2!",
    "SEARCH_AUTH": "hunter2",
    "LLM_MODE": "hunter2",
    "LLM_BASE_URL": "http://hunter2",
    "LLM_AUTH": "hunter2",
    "LLM_TRIES": "hunter2",
    "LLM_PRICE_PROMPT": "hunter2",
    "LLM_INTERNAL_HOSTS": "hunter2!",
}


def problems() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        load_configuration(BROKEN)
    return error.value.problems


def test_what_is_wrong_in_any_part_is_told_at_once_without_its_value() -> None:
    told = problems()
    named = {problem.split(" ", 1)[0] for problem in told}
    assert named == {*BROKEN, "STORAGE", "LLM_MODEL"}
    assert len(told) == len(named)
    assert "hunter2" not in "".join(told).lower()


def test_every_problem_is_told_with_a_line_that_would_mend_it() -> None:
    told = [how_to_set(problem) for problem in problems()]
    assert len(told) > len(BROKEN)
    assert all("; for example " in line for line in told)
    assert how_to_set("KEY_VAULT_URI must start with https://") == (
        "KEY_VAULT_URI must start with https://; for example KEY_VAULT_URI=https://<vault>.vault.azure.net"
    )


def test_the_examples_are_taken() -> None:
    spaces = {"<": "", ">": "", " ": "-"}
    given = {n: s.example.translate(str.maketrans(spaces)).replace("account", "st") for n, s in BY_NAME.items() if s.example}
    given |= {"STORAGE": "", "REPORT_URL": "https://app/{runId}"}
    made = load_configuration(given)
    assert made.app.storage.blob_uri == "https://st.blob.core.windows.net"
    assert (made.app.slack.mode, made.app.search.endpoint) == ("bot", "https://service.search.windows.net")
    assert (made.model.mode, made.model.auth) == ("suggest", "identity")


def test_a_mistake_in_one_part_leaves_the_other_usable() -> None:
    parts = read_parts(LOCAL | {"LLM_MODE": "loud", "LLM_BASE_URL": "http://localhost:1/v1", "LLM_MODEL": "m"})
    assert parts.app == Settings(StorageSettings(LOCAL["STORAGE"]))
    assert parts.model is None
    assert parts.problems == ("LLM_MODE must be off, suggest or apply",)


def test_the_table_has_what_the_code_reads_and_nothing_else() -> None:
    plain = {name for name, setting in BY_NAME.items() if not setting.secret}
    assert plain - read_by_the_code() == {"STORAGE__credential"}
    assert read_by_the_code() - plain == set()


def test_its_defaults_are_those_of_the_code() -> None:
    written_out = {name: setting.default for name, setting in BY_NAME.items() if setting.default} | LOCAL
    assert load_configuration(written_out) == load_configuration(LOCAL)
    on = {"LLM_BASE_URL": "http://localhost:1/v1", "LLM_MODEL": "m"}
    assert load_configuration(written_out | on).model == load_configuration(LOCAL | on).model != ModelSettings()


def test_the_sample_has_every_local_setting_with_its_default() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    of_the_host = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    assert set(values) - of_the_host == {name for name, setting in BY_NAME.items() if setting.local}
    different = {name for name in set(values) - of_the_host if values[name] != BY_NAME[name].default}
    assert different == {"STORAGE", "LLM_MODE"}
    assert (values["STORAGE"], values["LLM_MODE"]) == ("UseDevelopmentStorage=true", "off")


def test_the_templates_set_no_secret_and_write_out_the_defaults() -> None:
    written = program()
    assert not {name for name, setting in BY_NAME.items() if setting.secret} & set(written)
    parameters = {
        name for name, value in written.items() if value.isidentifier() and value not in ("EventGrid", "managedidentity", "identity")
    }
    different = {name for name in written.keys() - parameters if written[name] != BY_NAME[name].default}
    assert different == {"BLOB_TRIGGER_SOURCE", "STORAGE__credential"}  # Flex Consumption has no polling; the host works as the identity
    assert len(written.keys() - parameters) > 20


def test_a_start_with_wrong_settings_is_logged_line_by_line(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name in BY_NAME:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLM_MODE", "hunter2")
    monkeypatch.setenv("SLACK", "hunter2")
    services.install(None)
    with caplog.at_level(logging.INFO, "aks_copilot"), pytest.raises(SettingsError) as error:
        services.services()
    lines = [json.loads(record.message)["problem"] for record in caplog.records]
    assert [line.split()[0] for line in lines] == ["STORAGE", "STORAGE", "SLACK", "LLM_MODE", "LLM_MODEL", "LLM_BASE_URL"]
    assert lines[3] == "LLM_MODE must be off, suggest or apply; for example LLM_MODE=suggest"
    assert str(error.value).count("; ") == 5
    assert "hunter2" not in str(error.value) + str(lines)


def test_the_page_is_what_the_table_says() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools/settings_docs.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_setting_that_a_page_names_exists() -> None:
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = re.compile(r"`((?:LLM|SEARCH|SLACK|GITHUB|STORAGE_|MAX|RUN|BATCH|SWEEP|SECRET|STUCK|REPORT|KEY)_[A-Za-z_]+)[`=]")
    found = {name for page in pages for name in named.findall(page.read_text(encoding="utf-8"))}
    of_github_actions = {"GITHUB_WORKSPACE"}
    assert found - of_github_actions <= set(BY_NAME)
    assert len(found) > 25
