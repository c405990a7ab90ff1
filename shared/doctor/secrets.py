"""Checks of the secrets: the vault can be read, what the settings call for is there, the webhook's secret is a good one. Names only."""

from __future__ import annotations

from collections.abc import Iterator

from shared.doctor.installation import Installation
from shared.domain import remedies
from shared.domain.doctor import Check, Finding, failed, guarded, ok, skipped
from shared.domain.errors import AccessError, AksCopilotError
from shared.setting_table import BY_NAME

WEBHOOK = "github-webhook-secret"
GITHUB = ("github-token", "github-app-id", "github-app-private-key")
_SHORTEST, _FEWEST = 24, 10
_STRONG = f"openssl rand -hex 32 | tr -d '\\n' > {WEBHOOK}"
_TELL_GITHUB = "then the same value as the secret of the webhook on GitHub (docs/github.md), and delete the file"


class SecretChecks:
    """All of them over one store."""

    def __init__(self, installation: Installation) -> None:
        self._installation, self._secrets, self._vault = installation, installation.secrets, installation.vault
        self.needs = ("key vault",) if self._vault else ()
        """What everything that has a secret needs."""

    def checks(self) -> list[Check]:
        """In the order in which they build upon each other."""
        return [
            Check("key vault", self._readable, ("identity",) if self._vault else ()),
            Check("secrets", self._complete, self.needs),
            Check("webhook secret", self._webhook, self.needs),
        ]

    def mend(self, name: str) -> str:
        """The line that sets a secret."""
        return remedies.secret(name, self._vault)

    def uses_github(self) -> bool:
        """Whether any credential of GitHub is set."""
        return any(self._secrets.get(name) for name in GITHUB)

    def _readable(self) -> Finding:
        if self._vault is None:
            return skipped("KEY_VAULT_URI is not set: secrets are in the environment")
        return guarded(self._read, self._refused)

    def _read(self) -> Finding:
        self._secrets.get(WEBHOOK)
        return ok("it gives secrets to who asks")

    def _refused(self, error: AksCopilotError) -> tuple[str, ...]:
        show = f"az keyvault show --name {self._vault} --query properties.networkAcls"
        if not isinstance(error, AccessError):
            return (show, "where the vault answers inside a private network alone, run this there")
        scope = f"$(az keyvault show --name {self._vault} --query id --output tsv)"
        return (*self._installation.identity.grants("vault", scope), show)

    def _complete(self) -> Finding:
        known = [setting.vault_name for setting in BY_NAME.values() if setting.secret]
        there = [name for name in known if self._secrets.get(name)]
        missing = [name for name in dict.fromkeys(self._wanted(there)) if name not in there]
        if missing:
            return failed(f"not set: {', '.join(missing)}", *(self.mend(name) for name in missing))
        return ok(f"set: {', '.join(there)}" if there else "none is set, and none is asked for")

    def _wanted(self, there: list[str]) -> Iterator[str]:
        parts = self._installation.parts
        if "github-app-id" in there or "github-app-private-key" in there:
            yield from ("github-app-id", "github-app-private-key")
        if parts.app and parts.app.slack.mode != "off":
            yield "slack-bot-token" if parts.app.slack.mode == "bot" else "slack-webhook-url"
        if parts.app and parts.app.search.endpoint and parts.app.search.auth == "key":
            yield "search-api-key"
        if parts.model and parts.model.mode != "off" and parts.model.auth == "key":
            yield "llm-api-key"

    def _webhook(self) -> Finding:
        value = self._secrets.get(WEBHOOK)
        if value is None:
            if not self.uses_github():
                return skipped("nothing of GitHub is set up (docs/github.md)")
            return failed(f"{WEBHOOK} is not set: every delivery is refused", _STRONG, self._set_from_file(), _TELL_GITHUB)
        weak = weakness(value)
        if weak:
            return failed(f"{WEBHOOK} {weak}", _STRONG, self._set_from_file(), _TELL_GITHUB)
        return ok("it is set and strong")

    def _set_from_file(self) -> str:
        return self.mend(WEBHOOK).replace("<file>", WEBHOOK)


def weakness(secret: str) -> str | None:
    """Why a secret could be guessed, or will not match; None for a good one."""
    if secret != secret.strip():
        return "begins or ends with white space, which GitHub's copy hardly has"
    if len(secret) < _SHORTEST:
        return f"is shorter than {_SHORTEST} characters"
    if len(set(secret)) < _FEWEST:
        return "is made of a few characters only"
    return None
