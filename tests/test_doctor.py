"""The core of `doctor`: checks in their order, what a failed one takes with it; the remedies; the command's own behaviour."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bicep_support import templates
from cli_process import aks_copilot
from doctor_support import GOLDEN, Doctor

from shared.doctor.checks import OF_THE_APP, checks_of
from shared.doctor.installation import look_at, place_of
from shared.doctor.secrets import weakness
from shared.domain import remedies
from shared.domain.doctor import Check, Finding, document, examine, failed, guarded, ok, passed, skipped, summary
from shared.domain.errors import AccessError, AksCopilotError, CriticalError, TransientError
from shared.domain.remedies import Identity, StoragePlace
from shared.settings import StorageSettings

APP = StoragePlace("stshop", False, "identity", Identity("client-1"))
PERSON = StoragePlace("stshop", False, "identity")


def broken() -> Finding:
    raise CriticalError("no\nway")


def bug() -> Finding:
    raise KeyError("hunter2")


def test_one_cause_is_told_once_and_what_rests_on_it_is_skipped() -> None:
    looked: list[str] = []

    def seen(name: str) -> Finding:
        looked.append(name)
        return ok(name)

    checks = [
        Check("a", broken),
        Check("b", lambda: seen("b"), ("a",)),
        Check("c", lambda: seen("c"), ("b",)),
        Check("d", lambda: seen("d")),
        Check("e", lambda: seen("e"), ("d",)),
    ]
    found = {result.name: result.finding for result in examine(checks)}
    assert looked == ["d", "e"]
    assert found["a"] == failed("no way")
    assert (found["b"], found["c"]) == (skipped("needs a (failed)"), skipped("needs b (skipped)"))


def test_a_check_that_breaks_hides_neither_the_others_nor_a_secret() -> None:
    results = list(examine([Check("a", bug), Check("b", lambda: ok("fine"))]))
    assert [r.finding for r in results] == [failed("internal error: KeyError"), ok("fine")]
    assert summary(results) == {"ok": 1, "failed": 1, "skipped": 0}
    assert not passed(results)
    assert passed(results[1:])


def test_results_are_given_as_soon_as_they_are_there() -> None:
    going = examine([Check("a", lambda: ok("fine")), Check("b", bug)])
    assert next(going).name == "a"
    assert next(going).finding.state == "failed"


def test_the_document_has_every_check_with_its_remedies() -> None:
    finding = guarded(broken, lambda _: ("turn it off", "and on"))
    (result,) = examine([Check("a", lambda: finding)])
    assert document([result], "1.2") == {
        "schemaVersion": 1,
        "version": "1.2",
        "summary": {"ok": 0, "failed": 1, "skipped": 0},
        "checks": [{"name": "a", "state": "failed", "detail": "no way", "mend": ["turn it off", "and on"]}],
    }


@pytest.mark.parametrize("resource", ["blob", "queue", "vault", "model", "search"])
def test_roles_are_those_of_the_templates(resource: remedies.Resource) -> None:
    rbac = templates()["rbac.bicep"].text
    variable = {"blob": "onStorage", "queue": "onStorage", "vault": "onVault", "model": "onOpenAi", "search": "onSearch"}[resource]
    given = rbac[rbac.index(f"var {variable} = [") :].partition("\n]")[0]
    for role in remedies.APP_ROLES[resource]:
        assert f"name: '{role}'" in given
    for role in remedies.PERSON_ROLES[resource]:
        assert f"name: '{role}'" in rbac


def test_a_missing_role_is_told_with_the_line_that_grants_it() -> None:
    refusal = AccessError("storage: write: 403", "AuthorizationPermissionMismatch")
    (app,), (person,) = remedies.storage(refusal, APP, "blob"), remedies.storage(refusal, PERSON, "queue")
    scope = '--scope "$(az storage account show --name stshop --query id --output tsv)"'
    assert app == f'az role assignment create --role "Storage Blob Data Owner" --assignee "client-1" {scope}'
    assert person.startswith('az role assignment create --role "Storage Queue Data Contributor" --assignee "$(az ad signed-in-user show')


@pytest.mark.parametrize(
    ("error", "place", "words"),
    [
        (AccessError("", "AuthorizationFailure"), APP, "networkRuleSet"),
        (AccessError("", "KeyBasedAuthenticationNotPermitted"), StoragePlace("stshop", False, "key"), "STORAGE__accountName=stshop"),
        (AccessError("", "AuthenticationFailed"), StoragePlace("stshop", False, "key"), "az storage account show-connection-string"),
        (AccessError("", "AuthenticationFailed"), StoragePlace("stshop", False, "signature"), "has ended"),
        (AccessError("", "AuthorizationServiceMismatch"), StoragePlace("stshop", False, "signature"), "allows too little"),
        (AccessError("", "AuthorizationFailure"), StoragePlace("<account>", True, "key"), "UseDevelopmentStorage=true"),
        (TransientError("no answer"), StoragePlace("<account>", True, "key"), "aks-copilot up"),
        (TransientError("no answer"), APP, "az storage account show --name stshop --query primaryEndpoints"),
        (CriticalError("nonsense"), APP, "docs/settings.md"),
    ],
)
def test_what_storage_says_leads_to_what_mends_it(error: AksCopilotError, place: StoragePlace, words: str) -> None:
    assert words in remedies.storage(error, place, "blob")[0]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (StorageSettings("UseDevelopmentStorage=true"), StoragePlace("<account>", True, "key")),
        (StorageSettings("DefaultEndpointsProtocol=https;AccountName=stshop;AccountKey=a2V5"), StoragePlace("stshop", False, "key")),
        (
            StorageSettings("BlobEndpoint=https://stshop.blob.core.windows.net;SharedAccessSignature=sv=1&sig=2"),
            StoragePlace("stshop", False, "signature"),
        ),
        (StorageSettings(blob_uri="https://stshop.blob.core.windows.net", client_id="client-1"), APP),
        (StorageSettings("nonsense"), StoragePlace("<account>", False, "key")),
    ],
)
def test_the_account_is_read_from_its_connection(settings: StorageSettings, place: StoragePlace) -> None:
    assert place_of(settings) == place


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("0123456789abcdef0123456789abcdef", None),
        ("0123456789abcdef0123456789abcdef\n", "white space"),
        ("password", "shorter than 24"),
        ("ab" * 20, "a few characters"),
    ],
)
def test_a_secret_that_could_be_guessed_is_told_from_a_good_one(secret: str, why: str | None) -> None:
    said = weakness(secret)
    assert (said is None) == (why is None)
    assert secret.strip() not in (said or "")
    assert (why or "") in (said or "")


def test_wrong_settings_are_told_one_by_one_and_what_rests_on_them_is_skipped(doctor: Doctor) -> None:
    told = doctor(KEY_VAULT_URI="hunter2", LLM_MODE="hunter2", LLM_BASE_URL="http://localhost:1/v1", LLM_MODEL="m")
    assert told.code == 1
    assert told.failed == ["settings"]
    assert [line.split()[0] for line in told.checks["settings"]["mend"]] == [
        "STORAGE",
        "STORAGE",
        "KEY_VAULT_URI",
        "LLM_MODE",
        "docs/settings.md",
    ]
    assert set(told.states(*OF_THE_APP, "model")) == {"skipped"}
    assert "hunter2" not in told.text


def test_a_wrong_setting_of_the_model_leaves_storage_looked_at(doctor: Doctor) -> None:
    told = doctor(STORAGE="nonsense", LLM_MODE="loud", LLM_BASE_URL="http://localhost:1/v1", LLM_MODEL="m")
    assert told.failed == ["settings", "blob storage", "queue storage"]
    assert told.checks["blob storage"]["detail"] == "STORAGE is not a usable storage connection"
    assert told.states("model") == ["skipped"]


def test_every_check_has_its_place_whatever_the_settings_are() -> None:
    whole, nothing = (checks_of(look_at(environment)) for environment in ({"STORAGE": "UseDevelopmentStorage=true"}, {}))
    assert [check.name for check in whole] == [check.name for check in nothing]
    assert tuple(check.name for check in whole)[3:-2] == OF_THE_APP
    page = (Path(__file__).parents[1] / "docs/doctor.md").read_text()
    assert [check.name for check in whole if f"`{check.name}`" not in page] == []


@pytest.mark.parametrize(
    "arguments", [("--format", "xml"), ("--url", "ftp://x"), ("--url", "https://app/?code=hunter2"), ("--url", "https://[x"), ("more",)]
)
def test_a_call_that_cannot_be_used_is_2_and_one_line(doctor: Doctor, arguments: tuple[str, ...]) -> None:
    told = doctor(*arguments)
    assert told.code == 2
    assert told.text.count("\n") == 1
    assert "hunter2" not in told.text


def test_json_is_one_document_and_nothing_else(doctor: Doctor) -> None:
    told = doctor("--format", "json")
    said = json.loads(told.text)
    assert set(said) == {"schemaVersion", "version", "summary", "checks"}
    assert sum(said["summary"].values()) == len(said["checks"]) == 3 + len(OF_THE_APP) + 2


def test_settings_that_are_wrong_read_like_this(doctor: Doctor) -> None:
    told = doctor("--format", "text", SLACK="bot")
    assert told.code == 1
    assert told.text == (GOLDEN / "settings.txt").read_text()


def test_a_command_that_lacks_settings_says_who_knows_more(tmp_path: Path) -> None:
    done = aks_copilot("runs", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert done.stderr.decode().endswith("is missing (`aks-copilot doctor` says how to set each)\n")
