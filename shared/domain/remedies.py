"""What a person does about an installation that does not work: roles by their Azure names, and the commands that grant, make or set.

The roles are those of infra/rbac.bicep; a test compares them. Codes of storage:
https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes and
https://learn.microsoft.com/en-us/rest/api/storageservices/sas-error-codes (read 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import AccessError, AksCopilotError, TransientError

Resource = Literal["blob", "queue", "vault", "model", "search"]
APP_ROLES: dict[Resource, tuple[str, ...]] = {
    "blob": ("Storage Blob Data Owner",),
    "queue": ("Storage Queue Data Contributor",),
    "vault": ("Key Vault Secrets User",),
    "model": ("Cognitive Services OpenAI User",),
    "search": ("Search Index Data Contributor", "Search Service Contributor"),
}
"""Of the identity that the app works under."""
PERSON_ROLES = APP_ROLES | {"blob": ("Storage Blob Data Contributor",), "vault": ("Key Vault Secrets Officer",)}
"""Of somebody who runs the command line with a login of their own."""
LOG_IN = "az login"
_ME = "$(az ad signed-in-user show --query id --output tsv)"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the client id of a user-assigned identity, or nothing for the login of this machine."""

    client_id: str | None = None

    def grants(self, resource: Resource, scope: str) -> tuple[str, ...]:
        """The lines that give every role which the resource asks for; `scope` is its id, or a command that prints it."""
        roles = (APP_ROLES if self.client_id else PERSON_ROLES)[resource]
        who = self.client_id or _ME
        return tuple(f'az role assignment create --role "{role}" --assignee "{who}" --scope "{scope}"' for role in roles)


@dataclass(frozen=True, slots=True)
class StoragePlace:
    """The account as far as its connection tells: its name, whether it is an emulator here, and what shows who we are."""

    account: str
    emulator: bool
    shown: Literal["identity", "key", "signature"]
    identity: Identity = Identity()

    @property
    def scope(self) -> str:
        """A command that prints the account's id."""
        return f"$(az storage account show --name {self.account} --query id --output tsv)"


def storage(error: AksCopilotError, place: StoragePlace, service: Literal["blob", "queue"]) -> tuple[str, ...]:
    """What to do where the account does not answer, or says no."""
    if isinstance(error, TransientError):
        return _no_answer(place)
    if not isinstance(error, AccessError):
        return ("look at STORAGE: docs/settings.md",)
    if place.emulator and place.shown == "key":
        return ("STORAGE=UseDevelopmentStorage=true has the emulator's key in it",)
    return _identity_refused(error.code, place, service) if place.shown == "identity" else _connection_refused(error.code, place)


def _connection_refused(code: str, place: StoragePlace) -> tuple[str, ...]:
    if code == "KeyBasedAuthenticationNotPermitted":
        return (f"the account takes no keys: STORAGE__accountName={place.account} in the place of STORAGE, and {LOG_IN}",)
    if place.shown == "signature":
        allowed = "--services bq --resource-types sco --permissions rwdlacup --expiry <date>"
        return (
            "the shared access signature in STORAGE has ended, is broken or allows too little; a new one:",
            f"az storage account generate-sas --account-name {place.account} {allowed}",
        )
    return (f"az storage account show-connection-string --name {place.account} --query connectionString --output tsv",)


def _no_answer(place: StoragePlace) -> tuple[str, ...]:
    if place.emulator:
        return ("aks-copilot up",)
    return (
        f"az storage account show --name {place.account} --query primaryEndpoints",
        "where the account answers inside a private network alone, run this there",
    )


def _identity_refused(code: str, place: StoragePlace, service: Literal["blob", "queue"]) -> tuple[str, ...]:
    grants = place.identity.grants(service, place.scope)
    if code == "AuthorizationFailure":  # a missing role is AuthorizationPermissionMismatch
        return (f"az storage account show --name {place.account} --query networkRuleSet", *grants)
    return grants


def secret(name: str, vault: str | None) -> str:
    """The line that sets a secret from a file, so that no shell keeps it in its history; or where it stands without a vault."""
    if vault is None:
        return f"set {name.upper().replace('-', '_')} in local.settings.json or in the environment"
    return f"az keyvault secret set --vault-name {vault} --name {name} --file <file>"


def setting(name: str, value: str) -> tuple[str, ...]:
    """The lines that set a setting, here and in Azure."""
    pair = f"{name}={value}"
    return (
        f"here: {pair} in local.settings.json",
        f"az functionapp config appsettings set --settings {pair} --name <app> --resource-group <group>",
    )
