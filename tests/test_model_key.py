"""What a model's service knows us by: keys that rotate, identities without a token, and nothing of other tools."""

from __future__ import annotations

from typing import Any

import pytest
from model_server import ModelServer, fails
from model_support import GOOD, ask

from shared.adapters.model_key import IdentityKey, SecretKey
from shared.adapters.secrets import CachedSecrets, EnvironmentSecrets
from shared.domain.errors import CriticalError, TransientError


def test_a_key_that_was_rotated_is_read_again_and_never_shown() -> None:
    values = iter(["old-key-12345", "new-key-12345"])
    key = SecretKey(CachedSecrets(lambda name: next(values), 0))
    with ModelServer(fails(401), GOOD) as there:
        ask(there, key=key)

    assert [seen.headers["authorization"] for seen in there.asked] == ["Bearer old-key-12345", "Bearer new-key-12345"]

    with ModelServer(fails(401, message="bad key old-key-12345")) as there, pytest.raises(CriticalError) as error:
        ask(there, key=SecretKey(EnvironmentSecrets({"LLM_API_KEY": "old-key-12345"})))
    assert "old-key" not in str(error.value)


def test_a_key_that_is_not_set_is_said_by_name() -> None:
    with ModelServer(GOOD) as there, pytest.raises(CriticalError, match="the secret llm-api-key is not set"):
        ask(there, key=SecretKey(EnvironmentSecrets({})))


def test_the_environment_of_other_tools_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-another-tool")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer of-another-tool\nX-Api-Key: of-another-tool")
    with ModelServer(GOOD) as there:
        ask(there, key=SecretKey(EnvironmentSecrets({"LLM_API_KEY": "our-own-key"})))

    assert "of-another-tool" not in str(there.asked[0].headers)
    assert there.asked[0].headers["authorization"] == "Bearer our-own-key"


class Identity:
    """A managed identity that gives a token, or fails as the SDK's does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.scopes = error, list[str]()

    def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        self.scopes += scopes
        if self.error:
            raise self.error
        return AccessToken("token-of-the-identity", 2**31)


def test_the_managed_identity_is_shown_by_its_token() -> None:
    identity = Identity()
    with ModelServer(GOOD) as there:
        ask(there, key=IdentityKey(identity))

    assert there.asked[0].headers["authorization"] == "Bearer token-of-the-identity"
    assert identity.scopes == ["https://cognitiveservices.azure.com/.default"]


def test_an_identity_without_a_token_is_said() -> None:
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    with ModelServer(GOOD) as there:
        with pytest.raises(CriticalError, match="gets no token for Azure OpenAI"):
            ask(there, key=IdentityKey(Identity(ClientAuthenticationError("tenant-secret"))))
        with pytest.raises(TransientError, match="Entra ID does not answer"):
            ask(there, key=IdentityKey(Identity(ServiceRequestError("host"))), tries=1)

    assert there.asked == []
