"""Settings from the environment, as one frozen value; everything that is wrong is reported at once.

The storage connection is prefix-based, as the Functions host reads it: `STORAGE` holds a connection string, or
`STORAGE__blobServiceUri` and `STORAGE__queueServiceUri` (or `STORAGE__accountName`) name an account that the managed identity
(`STORAGE__clientId` where it is user-assigned) may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.domain.errors import CriticalError

PREFIX = "STORAGE"
BLOB_SOURCES = ("LogsAndContainerScan", "EventGrid")
"""Values of BLOB_TRIGGER_SOURCE, which functions/intake.py reads when the app is indexed."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Either `connection_string`, or both service addresses; `client_id` picks a user-assigned identity."""

    connection_string: str | None = None
    blob_uri: str | None = None
    queue_uri: str | None = None
    client_id: str | None = None


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


_NUMBERS: tuple[tuple[str, str, int, int], ...] = (
    # setting, field, smallest, largest. A quiet period under a second would race with a listing's whole-second times.
    ("RUN_QUIET_SECONDS", "quiet_seconds", 1, 86_400),
    ("BATCH_BYTES", "batch_bytes", 1, 64 * 1024 * 1024),
    ("MAX_FILE_BYTES", "file_bytes", 1024, 100 * 1024 * 1024),
    ("MAX_RUN_BYTES", "run_bytes", 1024, 1024 * 1024 * 1024),
    ("MAX_UPLOAD_BYTES", "upload_bytes", 1024, 100 * 1024 * 1024),
    ("SWEEP_AFTER_SECONDS", "sweep_after_seconds", 0, 86_400),
    ("SECRET_CACHE_SECONDS", "secret_seconds", 0, 86_400),
)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises CriticalError naming every missing or wrong setting in one line, without its value."""
    env = os.environ if environment is None else environment
    problems: list[str] = []
    numbers = {field: value for name, field, low, high in _NUMBERS if (value := _number(env, name, low, high, problems.append)) is not None}
    storage = _storage(env, problems.append)
    if env.get("BLOB_TRIGGER_SOURCE", "") not in ("", *BLOB_SOURCES):
        problems.append(f"BLOB_TRIGGER_SOURCE must be {' or '.join(BLOB_SOURCES)}")
    vault = env.get("KEY_VAULT_URI", "").strip() or None
    if vault and not vault.startswith("https://"):
        problems.append("KEY_VAULT_URI must start with https://")
    if problems:
        raise CriticalError("settings: " + "; ".join(problems))
    return Settings(storage, key_vault_uri=vault, **numbers)


def _number(env: Mapping[str, str], name: str, low: int, high: int, problem: Callable[[str], None]) -> int | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        problem(f"{name} must be a whole number from {low} to {high}")
        return None
    return int(text)


def _storage(env: Mapping[str, str], problem: Callable[[str], None]) -> StorageSettings:
    text = env.get(PREFIX, "").strip()
    if text:
        return StorageSettings(connection_string=text)
    account = env.get(f"{PREFIX}__accountName", "").strip()
    uris = [env.get(f"{PREFIX}__{kind}ServiceUri", "").strip() or _public(account, kind) for kind in ("blob", "queue")]
    for kind, uri in zip(("blob", "queue"), uris, strict=True):
        if not uri:
            problem(f"{PREFIX} (a connection string) or {PREFIX}__{kind}ServiceUri is missing")
        elif not uri.startswith("https://"):
            problem(f"{PREFIX}__{kind}ServiceUri must start with https://")
    return StorageSettings(blob_uri=uris[0], queue_uri=uris[1], client_id=env.get(f"{PREFIX}__clientId", "").strip() or None)


def _public(account: str, kind: str) -> str:
    return f"https://{account}.{kind}.core.windows.net" if account else ""
