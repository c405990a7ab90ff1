"""Trying the credentials of GitHub out, for `aks-copilot doctor`: who we are there, and how many requests are left."""

from __future__ import annotations

import time

from github import Auth, Github

from shared.adapters.github.credentials import APP_ID, APP_KEY, TOKEN, UNSET, integration
from shared.adapters.github.errors import RefusedError, translated
from shared.domain.errors import AccessError, CriticalError, ValidationError
from shared.domain.ports import SecretStore

_SECONDS = 10


def who(url: str, secrets: SecretStore) -> str:
    """What GitHub says to the App where there is one, else to the token. Raises AccessError where it takes neither, ValidationError where
    the App is installed nowhere, else as Client.call."""
    app, key, token = (secrets.get(name) for name in (APP_ID, APP_KEY, TOKEN))
    if not (app and key) and not token:
        raise CriticalError(UNSET)
    try:
        return _app(url, app, key) if app and key else _token(url, token or "")
    except RefusedError as refusal:
        raise AccessError(refusal.reason) from None


def _app(url: str, app: str, key: str) -> str:
    with translated("log in as the GitHub App", time.time), integration(url, app, key, _SECONDS) as github:
        said = github.requester.requestJsonAndCheck("GET", "/app")[1]
        slug, installations, allowed = said["slug"], said.get("installations_count"), said.get("permissions") or {}
        writes = sorted(name for name, level in allowed.items() if level == "write")
    if installations == 0:
        raise ValidationError(f"the App {slug} is installed on no repository")
    return f"the App {slug} logs in; it may write {', '.join(writes) or 'nothing'}"


def _token(url: str, token: str) -> str:
    with (
        translated("ask for the rate limit", time.time),
        Github(auth=Auth.Token(token), base_url=url, timeout=_SECONDS, retry=None) as github,
    ):
        core = github.requester.requestJsonAndCheck("GET", "/rate_limit")[1]["resources"]["core"]
    return f"the token is taken; {int(core['remaining'])} of {int(core['limit'])} requests are left this hour"
