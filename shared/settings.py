"""Settings from the environment, as one frozen value; everything that is wrong is reported at once.

The storage connection is prefix-based, as the Functions host reads it: `STORAGE` holds a connection string, or
`STORAGE__blobServiceUri` and `STORAGE__queueServiceUri` (or `STORAGE__accountName`) name an account that the managed identity
(`STORAGE__clientId` where it is user-assigned) may use.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from shared.environment import Environment, Problem, SettingsError, choice, numbers, text
from shared.setting_table import GITHUB, RUNS, VAULT, bounds

PREFIX = "STORAGE"
GITHUB_API = "https://api.github.com"
BLOB_SOURCES = ("LogsAndContainerScan", "EventGrid")
"""Values of BLOB_TRIGGER_SOURCE, which functions/intake.py reads when the app is indexed."""
SLACK_MODES = ("off", "bot", "webhook")
SLACK_API = "https://slack.com/api/"
SEARCH_AUTHS = ("identity", "key")
SEARCH_INDEX = "aks-copilot"
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
"""The name that the platform gives it, and the Functions host reads."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Either `connection_string`, or both service addresses; `client_id` picks a user-assigned identity."""

    connection_string: str | None = None
    blob_uri: str | None = None
    queue_uri: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """`mode` is one of SLACK_MODES; a bot writes to `channel` (its id, so that it can look there too)."""

    mode: str = "off"
    channel: str = ""
    api: str = SLACK_API


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Azure AI Search, where the knowledge base is kept in it; without an `endpoint` it is kept in the container `cache`."""

    endpoint: str = ""
    index: str = SEARCH_INDEX
    auth: str = SEARCH_AUTHS[0]
    """One of SEARCH_AUTHS; `key` is the secret `search-api-key`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; sizes in bytes, times in seconds."""

    storage: StorageSettings
    quiet_seconds: int = 10
    batch_bytes: int = 256 * 1024
    file_bytes: int = 20_000_000
    run_bytes: int = 200_000_000
    upload_bytes: int = 100 * 1024 * 1024
    sweep_after_seconds: int = 60
    key_vault_uri: str | None = None
    """Where secrets are; None: in the environment."""
    secret_seconds: int = 300
    """How long a secret that was read from the vault is used before it is read again."""
    slack: SlackSettings = SlackSettings()
    search: SearchSettings = SearchSettings()
    github_url: str = GITHUB_API
    """The base of GitHub's API: https://<host>/api/v3 where the host is an Enterprise Server."""
    github_pause: int = 1
    """Between two writes: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api (read 2026-11)."""
    report_url: str | None = None
    """Where people read a report; `{runId}` stands for the run."""
    stuck_after_seconds: int = 1800
    insights: str | None = None
    """The connection string of Application Insights; None: nobody measures."""


def load_settings(environment: Environment | None = None) -> Settings:
    """Read the environment. Raises SettingsError naming every missing or wrong setting in one line, without its value."""
    env = os.environ if environment is None else environment
    problems: list[str] = []
    limits = numbers(env, bounds(RUNS, VAULT, GITHUB), problems.append)
    storage = _storage(env, problems.append)
    if env.get("BLOB_TRIGGER_SOURCE", "") not in ("", *BLOB_SOURCES):
        problems.append(f"BLOB_TRIGGER_SOURCE must be {' or '.join(BLOB_SOURCES)}")
    vault = text(env, "KEY_VAULT_URI") or None
    if vault and not vault.startswith("https://"):
        problems.append("KEY_VAULT_URI must start with https://")
    slack, report = _slack(env, problems.append), _report_url(env, problems.append)
    github, search = _github_url(env, problems.append), _search(env, problems.append)
    insights = text(env, INSIGHTS) or None
    if problems:
        raise SettingsError(problems)
    return Settings(
        storage, key_vault_uri=vault, slack=slack, report_url=report, github_url=github, search=search, insights=insights, **limits
    )


def _github_url(env: Environment, problem: Problem) -> str:
    url = text(env, "GITHUB_API_URL").rstrip("/") or GITHUB_API
    if not url.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        problem("GITHUB_API_URL must start with https://")
    return url


def _slack(env: Environment, problem: Problem) -> SlackSettings:
    mode, channel = choice(env, "SLACK", SLACK_MODES, "off", problem), text(env, "SLACK_CHANNEL")
    if mode == "bot" and not channel:
        problem("SLACK_CHANNEL is missing (SLACK is bot)")
    return SlackSettings(mode, channel, text(env, "SLACK_API_URL") or SLACK_API)


def _search(env: Environment, problem: Problem) -> SearchSettings:
    endpoint, index = text(env, "SEARCH_ENDPOINT").rstrip("/"), text(env, "SEARCH_INDEX") or SEARCH_INDEX
    if endpoint and not re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1):\d+", endpoint):
        problem("SEARCH_ENDPOINT must be https:// and a host, with nothing after it")
    if not re.fullmatch(r"[a-z0-9](-?[a-z0-9]){1,126}", index):
        problem("SEARCH_INDEX must be lower-case letters, digits and single dashes")
    return SearchSettings(endpoint, index, choice(env, "SEARCH_AUTH", SEARCH_AUTHS, SEARCH_AUTHS[0], problem))


def _report_url(env: Environment, problem: Problem) -> str | None:
    given, host = text(env, "REPORT_URL"), text(env, "WEBSITE_HOSTNAME")  # Azure sets the latter
    if given and ("{runId}" not in given or not given.startswith(("https://", "http://localhost"))):
        problem("REPORT_URL must start with https:// and have {runId} in it")
    scheme = "http" if host.startswith(("localhost:", "127.0.0.1:")) else "https"  # the development host has no TLS
    return given or (f"{scheme}://{host}/api/runs/{{runId}}/report?format=html" if host else None)


def _storage(env: Environment, problem: Problem) -> StorageSettings:
    if connection := text(env, PREFIX):
        return StorageSettings(connection_string=connection)
    account = text(env, f"{PREFIX}__accountName")
    uris = [text(env, f"{PREFIX}__{kind}ServiceUri") or _public(account, kind) for kind in ("blob", "queue")]
    for kind, uri in zip(("blob", "queue"), uris, strict=True):
        if not uri:
            problem(f"{PREFIX} (a connection string) or {PREFIX}__{kind}ServiceUri is missing")
        elif not uri.startswith("https://"):
            problem(f"{PREFIX}__{kind}ServiceUri must start with https://")
    return StorageSettings(blob_uri=uris[0], queue_uri=uris[1], client_id=text(env, f"{PREFIX}__clientId") or None)


def _public(account: str, kind: str) -> str:
    return f"https://{account}.{kind}.core.windows.net" if account else ""
