"""What the program shows GitHub: a token, or installation tokens of a GitHub App, which last an hour and are renewed before that.

Both come from the secret store. A token that GitHub refuses is read again from there once, so that a rotation needs no restart.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from github import Auth, GithubIntegration

from shared import logs
from shared.adapters.github.errors import RefusedError, translated
from shared.domain.code_host import Repository
from shared.domain.errors import CriticalError
from shared.domain.ports import SecretStore

TOKEN, APP_ID, APP_KEY = "github-token", "github-app-id", "github-app-private-key"
UNSET = "no credentials for GitHub: set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"
_RENEW_BEFORE = 300.0  # seconds before an installation token ends


class Credentials:
    """Safe to share between threads. `clock` gives seconds since 1970."""

    def __init__(self, url: str, secrets: SecretStore, timeout: int, clock: Callable[[], float]) -> None:
        self._url, self._secrets, self._timeout, self._clock = url, secrets, timeout, clock
        self._minted: dict[int, tuple[str, float]] = {}
        self._installations: dict[str, int] = {}
        self._lock = threading.Lock()

    def token(self, repository: Repository) -> str:
        """The token to send. The App comes first where it is known to be installed; an installation is looked up where there is no token.

        Raises CriticalError where nothing is set, and what a call raises where a token is minted.
        """
        app, key, token = (self._secrets.get(name) for name in (APP_ID, APP_KEY, TOKEN))
        if app and key and (repository.installation is not None or not token):
            return self._installation_token(repository, app, key)
        if not token:
            raise CriticalError(UNSET)
        return token

    def renewed(self, repository: Repository, refused: str) -> str | None:
        """Another token after GitHub refused one; None where there is no other."""
        with self._lock:
            mine = [installation for installation, (token, _) in self._minted.items() if token == refused]
            for installation in mine:
                del self._minted[installation]
        return self.token(repository) if mine else self._secrets.renewed(TOKEN, refused)

    def _installation_token(self, repository: Repository, app: str, key: str) -> str:
        with self._lock:
            try:
                return self._mint(repository, app, key)
            except RefusedError as refusal:
                renewed = self._secrets.renewed(APP_KEY, key)
                if renewed is None:
                    raise CriticalError(refusal.reason) from None
            try:
                return self._mint(repository, app, renewed)
            except RefusedError as refusal:
                raise CriticalError(refusal.reason) from None

    def _mint(self, repository: Repository, app: str, key: str) -> str:
        """The kept token of an installation, or a new one."""
        installation = repository.installation or self._installations.get(repository.name)
        kept = self._minted.get(installation) if installation else None
        if kept is not None and kept[1] - self._clock() > _RENEW_BEFORE:
            return kept[0]
        with (
            translated(f"log in as the GitHub App for {repository.name}", self._clock),
            integration(self._url, app, key, self._timeout) as github,
        ):
            if installation is None:
                installation = self._installations[repository.name] = github.get_repo_installation(*repository.name.split("/", 1)).id
            # Not `get_access_token`: it sends `permissions: {}`, where leaving them out means all that the installation has.
            made = github.requester.requestJsonAndCheck("POST", f"/app/installations/{installation}/access_tokens", input={})[1]
        token = str(made["token"])
        logs.hide(token)
        self._minted[installation] = (token, datetime.fromisoformat(made["expires_at"]).timestamp())
        return token


def integration(url: str, app: str, key: str, timeout: int) -> GithubIntegration:
    """GitHub as the App itself. Raises CriticalError where the key is none."""
    auth = Auth.AppAuth(app, key.replace("\\n", "\n"))
    try:
        auth.create_jwt()
    except Exception:  # noqa: BLE001 - whatever the library says of a broken key may quote it
        raise CriticalError("GITHUB_APP_PRIVATE_KEY is no private key in PEM form") from None
    return GithubIntegration(auth=auth, base_url=url, timeout=timeout, retry=None, user_agent="aks-copilot", seconds_between_requests=None)
