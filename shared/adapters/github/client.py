"""The one way in which GitHub is called: one connection per thread, our errors, and a refused credential read again once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from github import Auth, Github

from shared.adapters.github.credentials import Credentials
from shared.adapters.github.errors import RefusedError, translated
from shared.domain.code_host import Repository
from shared.domain.errors import CriticalError
from shared.domain.ports import SecretStore

T = TypeVar("T")
_SECONDS = 20  # to connect, and to wait for an answer
_PAUSE = 1.0  # between writes, as GitHub asks: docs.github.com, best practices for using the REST API (read 2026-11)


class Client:
    """Safe to share between threads. `url` is the API's base: https://api.github.com, or https://<host>/api/v3."""

    def __init__(
        self, url: str, secrets: SecretStore, *, timeout: int = _SECONDS, clock: Callable[[], float] = time.time, pause: float = _PAUSE
    ) -> None:
        self._url, self._timeout, self._clock, self._pause = url.rstrip("/"), timeout, clock, pause
        self._credentials = Credentials(self._url, secrets, timeout, clock)
        self._local = threading.local()

    def request(self, repository: Repository, what: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request of the REST API, and its JSON answer; `path` is below `/repos/<owner>/<name>`. Raises as `call` does."""
        sent = None if body is None else dict(body)

        def action(github: Github) -> Any:
            return github.requester.requestJsonAndCheck(method, f"/repos/{repository.name}{path}", input=sent)[1]

        return self.call(repository, what, action)

    def call(self, repository: Repository, what: str, action: Callable[[Github], T]) -> T:
        """Do one thing on GitHub; `what` completes "cannot ..." in messages. Raises as shared.domain.code_host says.

        `action` may run twice: the second time with another token, where GitHub refused the first one at its first request.
        """
        token = self._credentials.token(repository)
        try:
            return self._attempt(repository, token, what, action)
        except RefusedError as refusal:
            renewed = self._credentials.renewed(repository, token)
            if renewed is None:
                raise CriticalError(refusal.reason) from None
        try:
            return self._attempt(repository, renewed, what, action)
        except RefusedError as refusal:
            raise CriticalError(refusal.reason) from None

    def _attempt(self, repository: Repository, token: str, what: str, action: Callable[[Github], T]) -> T:
        with translated(f"{what} of {repository.name}", self._clock):
            return action(self._connection(token))

    def _connection(self, token: str) -> Github:
        """This thread's connection: one of PyGithub's is not made for several threads at once."""
        held: tuple[str, Github] | None = getattr(self._local, "held", None)
        if held is None or held[0] != token:
            github = Github(
                auth=Auth.Token(token), base_url=self._url, timeout=self._timeout, retry=None, lazy=True,
                user_agent="aks-copilot", per_page=100, seconds_between_requests=None, seconds_between_writes=self._pause,
            )  # fmt: skip
            held = self._local.held = (token, github)
        return held[1]
