"""What a model's service knows us by: a token of the managed identity, or a key from the store of secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared import logs
from shared.domain.errors import AccessError, CriticalError, TransientError
from shared.domain.ports import SecretStore
from shared.model_settings import Auth

SECRET = "llm-api-key"  # noqa: S105 - the name of a secret
SCOPE = "https://cognitiveservices.azure.com/.default"


class Key(Protocol):
    """Gives the bearer token of a request."""

    def get(self) -> str:
        """The current one. Raises CriticalError where there is none, TransientError where its giver does not answer."""

    def renewed(self, refused: str) -> str | None:
        """Another one after the service refused one; None where there is no newer one."""


class NoKey:
    """A server of one's own that asks for none; the protocol wants a word all the same."""

    def get(self) -> str:
        return "none"

    def renewed(self, refused: str) -> str | None:  # noqa: ARG002 - the port's signature
        return None


class SecretKey:
    """The secret `llm-api-key`."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def get(self) -> str:
        key = self._secrets.get(SECRET)
        if not key:
            raise CriticalError(f"the secret {SECRET} is not set")
        return key

    def renewed(self, refused: str) -> str | None:
        return self._secrets.renewed(SECRET, refused)


class IdentityKey:
    """A token of Entra ID for Azure OpenAI; the role is *Cognitive Services OpenAI User*. The SDK renews it before it ends."""

    def __init__(self, credential: TokenCredential, scope: str = SCOPE, service: str = "Azure OpenAI") -> None:
        self._credential, self._scope, self._service = credential, scope, service

    def get(self) -> str:
        try:
            token = self._credential.get_token(self._scope).token
        except ClientAuthenticationError as error:
            raise AccessError(f"the identity gets no token for {self._service} ({type(error).__name__})") from None
        except AzureError as error:
            raise TransientError(f"Entra ID does not answer ({type(error).__name__})") from None
        logs.hide(token)
        return token

    def renewed(self, refused: str) -> str | None:  # noqa: ARG002 - a token that is refused is not bettered by another
        return None


def build(auth: Auth, secrets: SecretStore, credential: Callable[[], TokenCredential]) -> Key:
    """The key that the settings name; the credential is made only where it is used."""
    if auth == "identity":
        return IdentityKey(credential())
    return SecretKey(secrets) if auth == "key" else NoKey()
