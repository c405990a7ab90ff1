"""Azure Key Vault and the environment behind the SecretStore port; the only module that knows the Key Vault SDK.

A vault's values are kept for a while and read again when an outsider refuses one, at most twice a minute, so that a rotation
needs no restart and a wrong secret does not make every message a request to the vault.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from shared import logs
from shared.domain.errors import AccessError, TransientError
from shared.domain.ports import SecretStore

_AGAIN_AFTER = 30.0  # seconds between two reads of one secret that outsiders refuse
_BUSY = (408, 429)


class Reader(Protocol):
    """Reads one secret now."""

    def __call__(self, name: str) -> str | None:
        """The value, None where it is not set."""


class EnvironmentSecrets:
    """`github-token` is the variable GITHUB_TOKEN. An app setting may be a Key Vault reference, which the platform resolves."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, name: str) -> str | None:
        value = self._environment.get(name.upper().replace("-", "_"), "").strip() or None
        if value:
            logs.hide(value)
        return value

    def renewed(self, name: str, refused: str) -> str | None:
        value = self.get(name)
        return None if value == refused else value


class CachedSecrets:
    """A store that keeps what it read for `seconds`. Safe to share between threads."""

    def __init__(self, read: Reader, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._seconds, self._clock = read, seconds, clock
        self._kept: dict[str, tuple[str | None, float]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> str | None:
        return self._within(name, self._seconds)

    def renewed(self, name: str, refused: str) -> str | None:
        value = self.get(name)
        value = self._within(name, min(_AGAIN_AFTER, self._seconds)) if value == refused else value
        return None if value == refused else value

    def _within(self, name: str, age: float) -> str | None:
        with self._lock:
            found = self._kept.get(name)
            if found is None or self._clock() - found[1] >= age:
                found = (self._read(name), self._clock())
                self._kept[name] = found
        if found[0]:
            logs.hide(found[0])
        return found[0]


class KeyVault:
    """Reads secrets of one vault by name, their newest version. Raises TransientError, or AccessError where the vault says no."""

    def __init__(self, client: SecretClient) -> None:
        self._client = client

    def __call__(self, name: str) -> str | None:
        try:
            return self._client.get_secret(name).value
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            status = error.status_code or 0
            if status in _BUSY or status >= 500:
                raise TransientError(f"Key Vault is busy ({status})", _wait(error)) from None
            raise AccessError(f"Key Vault refuses to give {name} ({status or type(error).__name__})") from None
        except AzureError as error:
            raise TransientError(f"Key Vault does not answer ({type(error).__name__})") from None


def build(vault: str | None, seconds: float, credential: Callable[[], TokenCredential]) -> SecretStore:
    """The store that the settings name; the credential is made only where there is a vault."""
    if vault is None:
        return EnvironmentSecrets()
    client = SecretClient(vault, credential(), retry_total=2, connection_timeout=5, read_timeout=10)
    return CachedSecrets(KeyVault(client), seconds)


def _wait(error: HttpResponseError) -> float | None:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
