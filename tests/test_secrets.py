"""Secrets: the real Key Vault SDK against a local vault; caching, rotation, errors that quote nothing; the environment."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from vault_support import Vault, vault

from shared import logs
from shared.adapters.secrets import CachedSecrets, EnvironmentSecrets, KeyVault, build
from shared.domain.errors import CriticalError, TransientError


@dataclass
class Clock:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Vault]:
    with vault(tmp_path) as made:
        made.secrets["github-token"] = "first-secret-value"
        yield made


def test_a_value_is_read_once_until_it_is_old(local: Vault) -> None:
    clock = Clock()
    store = CachedSecrets(KeyVault(local.client()), 300, clock)

    assert [store.get("github-token"), store.get("github-token")] == ["first-secret-value"] * 2
    assert local.reads == ["github-token"]
    local.secrets["github-token"] = "second-secret-value"
    clock.now = 301
    assert store.get("github-token") == "second-secret-value"
    assert store.get("slack-bot-token") is None


def test_a_refused_value_is_read_again_past_the_cache_but_not_on_every_call(local: Vault) -> None:
    clock = Clock()
    store = CachedSecrets(KeyVault(local.client()), 300, clock)
    old = store.get("github-token")
    assert old is not None
    clock.now = 31
    local.secrets["github-token"] = "second-secret-value"

    assert store.renewed("github-token", old) == "second-secret-value"
    assert store.get("github-token") == "second-secret-value"
    assert [store.renewed("github-token", "second-secret-value") for _ in range(20)] == [None] * 20
    assert len(local.reads) == 2


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (403, {}, CriticalError, None),
        (429, {"Retry-After": "7"}, TransientError, 7.0),
        (503, {}, TransientError, None),
    ],
)
def test_what_a_vault_says_becomes_our_errors_and_quotes_nothing(
    local: Vault, status: int, headers: dict[str, str], kind: type[Exception], wait: float | None
) -> None:
    local.answers = [(status, headers)]
    with pytest.raises(kind) as error:
        KeyVault(local.client())("github-token")
    assert getattr(error.value, "retry_after", None) == wait
    assert "hunter2" not in str(error.value)
    assert error.value.__suppress_context__


def test_a_vault_that_is_away_is_an_outage(tmp_path: Path) -> None:
    with vault(tmp_path) as made:
        client = made.client()
    with pytest.raises(TransientError):
        KeyVault(client)("github-token")


def test_the_environment_has_the_name_in_capitals() -> None:
    store = EnvironmentSecrets({"GITHUB_TOKEN": " abcdefgh ", "SLACK_BOT_TOKEN": ""})

    assert (store.get("github-token"), store.get("slack-bot-token")) == ("abcdefgh", None)
    assert (store.renewed("github-token", "abcdefgh"), store.renewed("github-token", "older")) == (None, "abcdefgh")


def test_without_a_vault_no_credential_is_made() -> None:
    def credential() -> None:
        raise AssertionError

    assert isinstance(build(None, 300, credential), EnvironmentSecrets)  # type: ignore[arg-type]


def test_a_secret_that_was_read_is_masked_in_every_line(caplog: pytest.LogCaptureFixture) -> None:
    EnvironmentSecrets({"GITHUB_APP_PRIVATE_KEY": "-----BEGIN\nabc\n-----END"}).get("github-app-private-key")

    with caplog.at_level(logging.INFO, "aks_copilot"):
        logs.event("told", text="key: -----BEGIN\nabc\n-----END.")

    assert json.loads(caplog.records[0].message)["text"] == "key: ***."
