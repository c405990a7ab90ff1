"""Checks of the services outside of storage: GitHub, Slack, Azure AI Search, the language model, the function app itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.doctor.installation import Installation
from shared.doctor.secrets import SecretChecks
from shared.domain import remedies
from shared.domain.doctor import Check, Finding, failed, guarded, ok, skipped
from shared.domain.errors import AccessError, AksCopilotError, ValidationError
from shared.domain.language_model import Message, Usage
from shared.model_settings import ModelSettings, Prices
from shared.settings import SearchSettings, Settings, SlackSettings

if TYPE_CHECKING:
    from shared.adapters.model_key import Key

_QUESTION = (Message("user", 'Answer with the JSON object {"ok": true} and nothing else.'),)
_FORM = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
_COST = "one question of about 100 tokens"
_SECONDS = 30
_INCOMING = re.compile(r"https://hooks\.slack(?:-gov)?\.com/services/\S+")


class OutsiderChecks:
    """All of them for one installation."""

    def __init__(self, installation: Installation, secrets: SecretChecks) -> None:
        self._installation, self._secrets = installation, secrets

    def services(self, app: Settings) -> list[Check]:
        """GitHub, Slack and the knowledge base."""
        return [
            Check("github", lambda: self._github(app.github_url), self._secrets.needs),
            Check("slack", lambda: self._slack(app.slack), self._secrets.needs if app.slack.mode != "off" else ()),
            Check("search", lambda: self._search(app.search), self._needs(app.search.auth) if app.search.endpoint else ()),
        ]

    def model(self, settings: ModelSettings) -> Check:
        """The language model, which is asked only where the command says so."""
        return Check("model", lambda: self._model(settings), self._needs(settings.auth) if settings.mode != "off" else ())

    def app(self) -> Check:
        """The function app, where its address is given."""
        return Check("function app", self._app)

    def _needs(self, auth: str) -> tuple[str, ...]:
        return ("identity",) if auth == "identity" else self._secrets.needs if auth == "key" else ()

    def _github(self, url: str) -> Finding:
        from shared.adapters.github.probe import who  # noqa: PLC0415 - the SDKs here are slow to import

        if not self._secrets.uses_github():
            return skipped("nothing of GitHub is set up (docs/github.md)")
        store = self._installation.secrets
        return guarded(lambda: ok(who(url, store)), self._github_mend)

    def _github_mend(self, error: AksCopilotError) -> tuple[str, ...]:
        if isinstance(error, ValidationError):
            return ("on GitHub: Settings, Developer settings, GitHub Apps, the App, Install App (docs/github.md)",)
        if not isinstance(error, AccessError):
            return ("look at GITHUB_API_URL, and whether this machine reaches it",)
        app = bool(self._installation.secrets.get("github-app-id"))
        wanted = ("github-app-id", "github-app-private-key") if app else ("github-token",)
        return tuple(self._secrets.mend(name) for name in wanted)

    def _slack(self, settings: SlackSettings) -> Finding:
        from shared.adapters.slack import SlackBot  # noqa: PLC0415

        if settings.mode == "off":
            return skipped("SLACK is off")
        if settings.mode == "webhook":
            return self._slack_webhook()
        bot = SlackBot(self._installation.secrets, settings.channel, settings.api)
        return guarded(lambda: ok("the token of {} in {} is taken".format(*bot.who())), self._slack_mend)

    def _slack_webhook(self) -> Finding:
        name = "slack-webhook-url"
        if not _INCOMING.fullmatch(self._installation.secrets.get(name) or ""):
            return failed(f"{name} is no address of an incoming webhook", self._secrets.mend(name))
        return skipped("an incoming webhook cannot be tried without a message; its address has the right form")

    def _slack_mend(self, error: AksCopilotError) -> tuple[str, ...]:
        if not isinstance(error, AccessError):
            return ("look at SLACK_API_URL, and whether this machine reaches it",)
        return (self._secrets.mend("slack-bot-token"), "docs/slack.md says which scopes the bot needs")

    def _search(self, settings: SearchSettings) -> Finding:
        if not settings.endpoint:
            return skipped("SEARCH_ENDPOINT is not set: the index is in the container cache")
        return guarded(lambda: self._searched(settings), lambda error: self._search_mend(error, settings))

    def _searched(self, settings: SearchSettings) -> Finding:
        from shared.adapters.knowledge.search import Access  # noqa: PLC0415
        from shared.domain.retrieval.ports import NoIndexError  # noqa: PLC0415

        credential = self._installation.credential() if settings.auth == "identity" else None
        access = Access(settings.endpoint, settings.index, self._installation.secrets, credential, retries=0, seconds=_SECONDS)
        try:
            access.asked(lambda: access.indexes.get_index(settings.index))
        except NoIndexError:
            return ok(f"it answers; the index {settings.index} will be made when articles are indexed")
        return ok(f"the index {settings.index} is there")

    def _search_mend(self, error: AksCopilotError, settings: SearchSettings) -> tuple[str, ...]:
        if not isinstance(error, AccessError):
            return ("look at SEARCH_ENDPOINT; where it answers inside a private network alone, run this there",)
        return self._shown(settings.auth, "search-api-key", "search", _id_of("search service", settings.endpoint))

    def _model(self, settings: ModelSettings) -> Finding:
        asked = self._installation.ask_model
        if settings.mode == "off":
            return failed("LLM_MODE is off", *remedies.setting("LLM_MODE", "suggest")) if asked else skipped("LLM_MODE is off")
        if not asked:
            return skipped(f"not asked, since it costs {_COST}: --model asks")
        return guarded(lambda: self._answer(settings), lambda error: self._model_mend(error, settings))

    def _answer(self, settings: ModelSettings) -> Finding:
        from shared.adapters import model_key  # noqa: PLC0415
        from shared.adapters.openai_model import OpenAIModel  # noqa: PLC0415

        key = model_key.build(settings.auth, self._installation.secrets, self._installation.credential)
        quick = replace(settings, tries=1, timeout=min(settings.timeout, _SECONDS))
        said = OpenAIModel(quick, key).reply(_QUESTION, _FORM, settings.answer_tokens)
        return ok(f"{said.model} answers; {_cost(said.usage, settings.prices)}{self._embeds(quick, key)}")

    def _embeds(self, settings: ModelSettings, key: Key) -> str:
        """Embed one word too, where a deployment for that is set: a word costs next to nothing."""
        from shared.adapters.knowledge.openai_embeddings import OpenAIEmbedder  # noqa: PLC0415

        if not settings.embedding_model:
            return ""
        OpenAIEmbedder(settings, key).embed(["pod"])
        return "; the deployment for vectors answers too"

    def _model_mend(self, error: AksCopilotError, settings: ModelSettings) -> tuple[str, ...]:
        if not isinstance(error, AccessError):
            return ("look at LLM_BASE_URL and LLM_MODEL (docs/model.md)",)
        return self._shown(settings.auth, "llm-api-key", "model", _id_of("cognitiveservices account", settings.base_url))

    def _shown(self, auth: str, secret: str, resource: remedies.Resource, scope: str) -> tuple[str, ...]:
        """What to do where a service does not take what we show it."""
        return (self._secrets.mend(secret),) if auth == "key" else self._installation.identity.grants(resource, scope)

    def _app(self) -> Finding:
        from shared.adapters.app_health import health  # noqa: PLC0415

        base = self._installation.url
        if base is None:
            return skipped("no address is given (--url or AKS_COPILOT_URL)")
        try:
            parts = health(base)
        except AksCopilotError as error:
            return failed(str(error), 'az functionapp list --query "[].{name:name, state:state, host:defaultHostName}" --output table')
        wrong = [f"{name}: {said}" for name, said in parts.items() if said != "ok"]
        return failed("; ".join(wrong), "its own identity and settings are at fault: docs/azure.md") if wrong else ok(f"{base} works")


def _cost(usage: Usage, prices: Prices) -> str:
    cost = prices.of(usage)
    return f"this cost {usage.tokens} tokens" + (f", {cost:.6f} by LLM_PRICE_..." if cost else "")


def _id_of(kind: str, endpoint: str) -> str:
    """A command that prints the id of a service of Azure, by the first part of its host name."""
    name = (urlsplit(endpoint).hostname or "").partition(".")[0] or "<name>"
    return f"$(az {kind} show --name {name} --resource-group <group> --query id --output tsv)"
