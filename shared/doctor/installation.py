"""What `aks-copilot doctor` looks at: the settings of an environment, its secrets, and what was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from shared.configuration import Parts, read_parts
from shared.domain.remedies import Identity, StoragePlace
from shared.environment import Environment, text
from shared.services import credential
from shared.settings import SearchSettings, StorageSettings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.domain.ports import SecretStore

_EMULATORS = ("127.0.0.1", "localhost", "UseDevelopmentStorage=true", "devstoreaccount1")
_ACCOUNT = re.compile(r"(?:AccountName=|https://)([a-z0-9]{3,24})(?=[;.]|$)")
_VAULT = re.compile(r"https://([A-Za-z0-9-]{3,24})\.vault\.")


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings as far as they can be used, the store of secrets, and options of the command."""

    parts: Parts
    secrets: SecretStore
    credential: Callable[[], TokenCredential]
    """Who we are to Azure; made where it is used."""
    event_grid: bool = False
    """Whether uploads are told by Event Grid."""
    url: str | None = None
    """The function app's address, where one is given."""
    ask_model: bool = False
    create: bool = False
    """Whether containers and queues that are missing are made."""

    @property
    def identity(self) -> Identity:
        """Who has to have the roles."""
        return Identity(self.parts.app.storage.client_id if self.parts.app else None)

    @property
    def by_identity(self) -> bool:
        """Whether Azure is asked as an identity, for anything at all."""
        app, model = self.parts.app, self.parts.model
        theirs = app is not None and (app.storage.connection_string is None or bool(app.key_vault_uri) or _as_identity(app.search))
        return theirs or (model is not None and model.mode != "off" and model.auth == "identity")

    @property
    def vault(self) -> str | None:
        """The name of the Key Vault; None without one."""
        uri = self.parts.app.key_vault_uri if self.parts.app else None
        if uri is None:
            return None
        found = _VAULT.match(uri)
        return found[1] if found else "<vault>"


def look_at(environment: Environment, *, url: str | None = None, ask_model: bool = False, create: bool = False) -> Installation:
    """The installation that an environment describes. Nothing is asked yet."""
    from shared.adapters.secrets import EnvironmentSecrets, build  # noqa: PLC0415 - the SDK is slow to import

    parts = read_parts(environment)
    who = cache(partial(credential, parts.app.storage.client_id if parts.app else None))
    vault = parts.app.key_vault_uri if parts.app else None
    secrets = build(vault, 60, who) if vault else EnvironmentSecrets(environment)
    events = text(environment, "BLOB_TRIGGER_SOURCE") == "EventGrid"
    return Installation(parts, secrets, who, events, url, ask_model, create)


def place_of(settings: StorageSettings) -> StoragePlace:
    """Where the account is, by its connection; its key is not looked at."""
    given = settings.connection_string or settings.blob_uri or ""
    found = _ACCOUNT.search(given)
    emulator = any(word in given for word in _EMULATORS)
    return StoragePlace(found[1] if found else "<account>", emulator, _shown(settings.connection_string), Identity(settings.client_id))


def _as_identity(search: SearchSettings) -> bool:
    return bool(search.endpoint) and search.auth == "identity"


def _shown(connection: str | None) -> Literal["identity", "key", "signature"]:
    if connection is None:
        return "identity"
    return "signature" if "SharedAccessSignature=" in connection else "key"
