"""Settings of the language model: off where nothing is set, and wrong ones told in one line without their values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.domain.errors import CriticalError
from shared.model_settings import ModelSettings, Prices, TokenLimits, load_model_settings

OWN = {"LLM_BASE_URL": "http://localhost:8080/v1/", "LLM_MODEL": "small"}


def test_nothing_set_is_off_whatever_other_tools_have_set() -> None:
    assert load_model_settings({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://api.openai.com/v1"}) == ModelSettings()


def test_off_is_off_although_a_model_is_set() -> None:
    assert load_model_settings(OWN | {"LLM_MODE": "off"}) == ModelSettings(mode="off")


def test_a_model_that_is_set_suggests_by_itself_and_applies_only_when_told() -> None:
    assert load_model_settings(OWN) == ModelSettings("suggest", "http://localhost:8080/v1", "small", "none")
    assert load_model_settings(OWN | {"LLM_MODE": "apply"}).mode == "apply"


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        ("https://acme.openai.azure.com/openai/v1", "identity"),
        ("https://acme.services.ai.azure.com/openai/v1/", "identity"),
        ("https://api.openai.com/v1", "key"),
        ("https://openai.azure.com.evil.example/v1", "key"),
        ("http://127.0.0.1:8000/v1", "none"),
    ],
)
def test_the_address_says_how_we_are_known_there(url: str, auth: str) -> None:
    assert load_model_settings({"LLM_BASE_URL": url, "LLM_MODEL": "m"}).auth == auth
    assert load_model_settings({"LLM_BASE_URL": url, "LLM_MODEL": "m", "LLM_AUTH": "key"}).auth == "key"


def test_numbers_and_prices() -> None:
    numbers = {"LLM_TOKENS_PER_RUN": "7", "LLM_TRIES": "1", "LLM_PRICE_PROMPT": "2.5", "LLM_PRICE_ANSWER": "10"}

    found = load_model_settings(OWN | numbers)

    assert (found.limits, found.tries, found.prices) == (TokenLimits(run=7), 1, Prices(2.5, 10.0))


def test_internal_hosts_are_names_and_domains() -> None:
    assert load_model_settings(OWN).hosts == ()
    found = load_model_settings(OWN | {"LLM_INTERNAL_HOSTS": "*.corp.example.com, db.lan  Git.corp.example.org.,db.lan"})
    assert found.hosts == ("corp.example.com", "db.lan", "git.corp.example.org")
    for wrong in ("https://db.lan", "db.lan/x", "a..b", "*"):
        with pytest.raises(CriticalError, match="LLM_INTERNAL_HOSTS must be host names or domains"):
            load_model_settings(OWN | {"LLM_INTERNAL_HOSTS": wrong})


def test_everything_that_is_wrong_is_said_at_once_without_its_value() -> None:
    wrong = {
        "LLM_MODE": "hunter2",
        "LLM_BASE_URL": "http://hunter2.example/v1",
        "LLM_AUTH": "hunter2",
        "LLM_TRIES": "0",
        "LLM_TOKENS_PER_DAY": "-1",
        "LLM_PRICE_ANSWER": "nan",
    }
    with pytest.raises(CriticalError) as error:
        load_model_settings(wrong)

    assert str(error.value) == (
        "settings: LLM_MODE must be off, suggest or apply; LLM_AUTH must be identity, key or none; LLM_MODEL is missing; "
        "LLM_BASE_URL must start with https:// (http:// for this machine alone); LLM_TRIES must be a whole number from 1 to 10; "
        "LLM_TOKENS_PER_DAY must be a whole number from 0 to 100000000000; LLM_PRICE_ANSWER must be a price for a million tokens"
    )


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "LLM_BASE_URL is missing"),
        ("https://user:pass@x.example/v1", "no login, query or fragment"),
        ("https://x.example/v1?key=1", "no login, query or fragment"),
        ("https://[x/v1", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("https://acme.openai.azure.com/", "must end with /openai/v1 on Azure"),
    ],
)
def test_an_address_that_cannot_be_used(url: str, complaint: str) -> None:
    with pytest.raises(CriticalError, match=complaint):
        load_model_settings({"LLM_BASE_URL": url, "LLM_MODEL": "m"})


def test_the_sample_settings_name_every_setting_with_its_default() -> None:
    values = json.loads((Path(__file__).parents[1] / "local.settings.sample.json").read_text())["Values"]

    assert load_model_settings(values) == ModelSettings()
    assert load_model_settings(values | OWN | {"LLM_MODE": ""}) == load_model_settings(OWN)
