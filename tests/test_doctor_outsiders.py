"""`doctor` against what stands for Key Vault, GitHub, Slack, Azure AI Search, a model and the function app, each broken in turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from doctor_support import Doctor
from emulate_support import APP_ID, Emulate
from gateway import Reply
from http_support import Handler, Server
from model_server import ModelServer, embeds, fails, says
from search_server import KEY, SearchServer
from slack_support import slack_bot
from vault_support import Credential, Vault, vault

from shared.adapters.secrets import CachedSecrets, KeyVault
from shared.doctor.checks import checks_of
from shared.doctor.installation import look_at
from shared.domain.doctor import Finding, examine

STORAGE = {"STORAGE": "nonsense"}  # storage fails at once, and has tests of its own
STRONG = "5f0c2d9e7b1a48366d8e4c0b9a7f21e3"
AZURE = {
    "STORAGE__accountName": "stshop",
    "STORAGE__clientId": "client-1",
    "KEY_VAULT_URI": "https://kv-shop.vault.azure.net",
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Vault]:
    with vault(tmp_path) as made:
        made.secrets |= {"github-webhook-secret": STRONG, "slack-bot-token": "xoxb-hunter2"}
        yield made


def looked_at(held: Vault, *names: str, **settings: str) -> list[Finding]:
    """What is found of an installation whose vault is the local one; what storage would say is not asked."""
    store = CachedSecrets(KeyVault(held.client()), 60)
    installation = replace(look_at(AZURE | settings), secrets=store, credential=Credential)
    checks = [check for check in checks_of(installation) if check.name in ("identity", "key vault", *names)]
    found = {result.name: result.finding for result in examine(checks)}
    return [found[name] for name in names]


class Nobody:
    def get_token(self, *scopes: str, **options: object) -> Any:
        raise ClientAuthenticationError("hunter2: not logged in")


def test_without_a_login_one_line_says_so_and_the_rest_is_skipped() -> None:
    whole = look_at(AZURE | {"LLM_BASE_URL": "https://oai.openai.azure.com/openai/v1", "LLM_MODEL": "m"}, ask_model=True)
    found = {r.name: r.finding for r in examine(checks_of(replace(whole, credential=Nobody)))}
    assert found["identity"].mend == ("az login",)
    assert {name for name, finding in found.items() if finding.state == "failed"} == {"identity"}
    assert {found[name].detail for name in ("blob storage", "key vault", "model")} == {"needs identity (failed)"}
    assert "hunter2" not in str(found)


def test_a_vault_that_can_be_read(local: Vault) -> None:
    identity, readable, secrets, webhook = looked_at(local, "identity", "key vault", "secrets", "webhook secret")
    assert [f.state for f in (identity, readable, secrets, webhook)] == ["ok"] * 4
    assert secrets.detail == "set: github-webhook-secret, slack-bot-token"


def test_a_vault_that_refuses_is_mended_by_a_role(local: Vault) -> None:
    local.answers = [(403, {})]
    readable, secrets, github = looked_at(local, "key vault", "secrets", "github")
    assert readable.detail == "Key Vault refuses to give github-webhook-secret (403)"
    assert readable.mend[0] == (
        'az role assignment create --role "Key Vault Secrets User" --assignee "client-1" '
        '--scope "$(az keyvault show --name kv-shop --query id --output tsv)"'
    )
    assert (secrets.detail, github.detail) == ("needs key vault (failed)", "needs key vault (failed)")


def test_a_vault_that_is_out(local: Vault) -> None:
    local.answers = [(503, {})]
    (readable,) = looked_at(local, "key vault")
    assert readable.detail == "Key Vault is busy (503)"
    assert "private network" in readable.mend[1]


def test_a_secret_that_the_settings_call_for_is_missing(local: Vault) -> None:
    local.secrets |= {"github-app-id": "1"}
    settings = {"SLACK": "webhook", "SEARCH_ENDPOINT": "https://s.search.windows.net", "SEARCH_AUTH": "key"}
    model = {"LLM_BASE_URL": "https://m.example/v1", "LLM_MODEL": "m"}
    (secrets,) = looked_at(local, "secrets", **settings, **model)
    assert secrets.detail == "not set: github-app-private-key, slack-webhook-url, search-api-key, llm-api-key"
    assert secrets.mend[1] == "az keyvault secret set --vault-name kv-shop --name slack-webhook-url --file <file>"


@pytest.mark.parametrize("secret", ["", "short-hunter2", f"{STRONG}\n", "ab" * 20])
def test_a_webhook_secret_that_is_missing_or_weak(local: Vault, secret: str) -> None:
    local.secrets |= {"github-webhook-secret": secret, "github-token": "a-token-of-github"}
    (webhook,) = looked_at(local, "webhook secret")
    assert webhook.state == "failed"
    assert webhook.mend[0].startswith("openssl rand -hex 32")
    assert webhook.mend[1] == "az keyvault secret set --vault-name kv-shop --name github-webhook-secret --file github-webhook-secret"
    assert not secret.strip() or secret.strip() not in str(webhook)


def test_secrets_of_the_environment_are_told_by_name(doctor: Doctor) -> None:
    told = doctor(**STORAGE, GITHUB_WEBHOOK_SECRET=STRONG, SLACK="bot", SLACK_CHANNEL="C1", SLACK_API_URL="http://127.0.0.1:1/")
    assert told.checks["secrets"]["detail"] == "not set: slack-bot-token"
    assert told.checks["secrets"]["mend"] == ["set SLACK_BOT_TOKEN in local.settings.json or in the environment"]
    assert told.states("key vault", "webhook secret") == ["skipped", "ok"]
    assert told.checks["slack"]["detail"] == "the secret slack-bot-token is not set"
    assert STRONG not in told.text


def github(emulate: Emulate, **more: str) -> dict[str, str]:
    return STORAGE | {"GITHUB_API_URL": emulate.github.url, "GITHUB_WEBHOOK_SECRET": STRONG} | more


def test_a_token_of_github(emulate: Emulate, doctor: Doctor) -> None:
    token = emulate.token()
    told = doctor(**github(emulate, GITHUB_TOKEN=token))
    assert told.states("github", "webhook secret") == ["ok", "ok"]
    assert told.checks["github"]["detail"] == "the token is taken; 4999 of 5000 requests are left this hour"
    (asked,) = emulate.github.calls("GET", "/rate_limit")
    assert asked.headers["authorization"].endswith(token)
    assert token not in told.text


def test_the_app_of_github(emulate: Emulate, doctor: Doctor) -> None:
    told = doctor(**github(emulate, GITHUB_APP_ID=str(APP_ID), GITHUB_APP_PRIVATE_KEY=emulate.app_key.replace("\n", "\\n")))
    assert told.checks["github"]["state"] == "ok", told.text
    assert told.checks["github"]["detail"] == "the App aks-copilot logs in; it may write actions, checks, contents, pull_requests"


def test_an_app_that_is_installed_nowhere(emulate: Emulate, doctor: Doctor) -> None:
    emulate.github.answer("GET", "/app$", Reply(200, {"slug": "aks-copilot", "installations_count": 0}))
    told = doctor(**github(emulate, GITHUB_APP_ID=str(APP_ID), GITHUB_APP_PRIVATE_KEY=emulate.app_key))
    assert told.checks["github"]["detail"] == "the App aks-copilot is installed on no repository"
    assert "Install App" in told.checks["github"]["mend"][0]


@pytest.mark.parametrize(("status", "words"), [(401, "GitHub refuses (401)"), (403, "GitHub refuses (403)"), (502, "not available (502)")])
def test_github_says_no(emulate: Emulate, doctor: Doctor, status: int, words: str) -> None:
    emulate.github.fail("GET", "/rate_limit", status)
    told = doctor(**github(emulate, GITHUB_TOKEN="ghp-hunter2"))
    assert words in told.checks["github"]["detail"]
    mend = "set GITHUB_TOKEN in local" if status < 500 else "look at GITHUB_API_URL"
    assert told.checks["github"]["mend"][0].startswith(mend)
    assert "hunter2" not in told.text


def test_a_private_key_that_is_none(emulate: Emulate, doctor: Doctor) -> None:
    told = doctor(**github(emulate, GITHUB_APP_ID="1", GITHUB_APP_PRIVATE_KEY="hunter2"))
    assert told.checks["github"]["detail"] == "GITHUB_APP_PRIVATE_KEY is no private key in PEM form"
    assert "hunter2" not in told.text


def test_a_bot_of_slack(emulate: Emulate, doctor: Doctor) -> None:
    told = doctor(**STORAGE, **slack_bot(emulate))
    assert told.checks["slack"]["detail"] == "the token of admin in Emulate is taken"
    assert emulate.slack.calls("POST", "chat.postMessage") == []


def test_a_token_that_slack_refuses(emulate: Emulate, doctor: Doctor) -> None:
    emulate.slack.answer("POST", "auth.test", Reply(200, {"ok": False, "error": "token_revoked"}))
    told = doctor(**STORAGE, **slack_bot(emulate) | {"SLACK_BOT_TOKEN": "xoxb-hunter2"})
    assert told.checks["slack"]["detail"] == "Slack refuses the token: token_revoked"
    assert told.checks["slack"]["mend"][0] == "set SLACK_BOT_TOKEN in local.settings.json or in the environment"
    assert "hunter2" not in told.text


@pytest.mark.parametrize(
    ("url", "state"), [("https://hooks.slack.com/services/T/B/hunter2", "skipped"), ("https://x.example/hunter2", "failed")]
)
def test_an_incoming_webhook_is_looked_at_and_not_called(doctor: Doctor, url: str, state: str) -> None:
    told = doctor(**STORAGE, SLACK="webhook", SLACK_WEBHOOK_URL=url)
    assert told.states("slack") == [state]
    assert "hunter2" not in told.text


@pytest.mark.parametrize(
    ("key", "status", "state", "words"),
    [(KEY, 200, "ok", "will be made"), ("hunter2", 200, "failed", "(403)"), (KEY, 503, "failed", "busy")],
)
def test_azure_search(doctor: Doctor, key: str, status: int, state: str, words: str) -> None:
    with SearchServer() as server:
        server.wrong = [(status, {})] if status != 200 else []
        told = doctor(**STORAGE, SEARCH_ENDPOINT=server.url, SEARCH_AUTH="key", SEARCH_API_KEY=key)
    assert told.states("search") == [state]
    assert words in told.checks["search"]["detail"]
    assert (told.checks["search"]["mend"] == []) == (state == "ok")
    assert "hunter2" not in told.text


def model(server: ModelServer, **more: str) -> dict[str, str]:
    return STORAGE | {"LLM_BASE_URL": server.url, "LLM_MODEL": "m"} | more


def test_a_model_is_asked_only_when_told_to_and_its_cost_is_said(doctor: Doctor) -> None:
    with ModelServer(says({"ok": True})) as server:
        told = doctor(**model(server))
        assert told.checks["model"]["detail"] == "not asked, since it costs one question of about 100 tokens: --model asks"
        assert server.asked == []
        told = doctor("--model", "--format", "json", **model(server, LLM_PRICE_PROMPT="1", LLM_PRICE_ANSWER="10"))
    assert told.checks["model"]["detail"] == "scripted-1 answers; this cost 120 tokens, 0.000300 by LLM_PRICE_..."
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "words", "mend"),
    [
        (401, "refuses the key", "set LLM_API_KEY"),
        (404, "knows no such model", "look at LLM_BASE_URL"),
        (500, "fails (500)", "look at LLM"),
    ],
)
def test_a_model_that_does_not_answer(doctor: Doctor, status: int, words: str, mend: str) -> None:
    with ModelServer(fails(status)) as server:
        told = doctor("--model", "--format", "json", **model(server, LLM_AUTH="key", LLM_API_KEY="sk-hunter2"))
    assert told.states("model") == ["failed"]
    assert words in told.checks["model"]["detail"]
    assert told.checks["model"]["mend"][0].startswith(mend)
    assert len(server.asked) == 1
    assert "hunter2" not in told.text


def test_the_deployment_for_vectors_is_asked_too(doctor: Doctor) -> None:
    vectors = {"LLM_EMBEDDING_MODEL": "e", "LLM_EMBEDDING_DIMENSIONS": "64"}
    with ModelServer(says({"ok": True}), embeds(64)) as server:
        told = doctor("--model", "--format", "json", **model(server, **vectors))
    assert told.checks["model"]["detail"] == "scripted-1 answers; this cost 120 tokens; the deployment for vectors answers too"
    with ModelServer(says({"ok": True}), fails(404)) as server:
        told = doctor("--model", "--format", "json", **model(server, **vectors))
    assert "see LLM_BASE_URL and LLM_EMBEDDING_MODEL (404)" in told.checks["model"]["detail"]


def test_a_model_that_is_asked_for_but_not_set_up(doctor: Doctor) -> None:
    told = doctor("--model", "--format", "json", **STORAGE)
    assert told.states("model") == ["failed"]
    assert told.checks["model"]["mend"][0] == "here: LLM_MODE=suggest in local.settings.json"


@contextmanager
def app(status: int, body: bytes) -> Iterator[str]:
    class App(Handler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/api/health" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with Server(App) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("status", "said", "state", "words"),
    [
        (200, {"blob": "ok", "queue": "ok"}, "ok", "works"),
        (503, {"blob": "ok", "queue": "storage: check: 403"}, "failed", "queue: storage: check: 403"),
        (503, {"settings": "settings: SLACK must be off, bot or webhook"}, "failed", "SLACK must be"),
        (404, {}, "failed", "the app answers 404"),
        (200, "hello", "failed", "not aks-copilot"),
    ],
)
def test_the_function_app_says_how_it_is(doctor: Doctor, status: int, said: Any, state: str, words: str) -> None:
    with app(status, json.dumps(said).encode()) as url:
        told = doctor("--url", f"{url}/", "--format", "json", **STORAGE)
    assert told.states("function app") == [state]
    assert words in told.checks["function app"]["detail"]


def test_a_function_app_that_is_not_there(doctor: Doctor) -> None:
    with app(200, b"") as url:
        pass
    told = doctor("--url", url, "--format", "json", **STORAGE)
    assert told.checks["function app"]["detail"] == "the app does not answer (ConnectionRefusedError)"
    assert told.checks["function app"]["mend"][0].startswith("az functionapp list")
