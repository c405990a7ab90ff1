"""GitHub and Slack, wired: who reads code there, starts deployments and is told of a run. shared.services imports this when it is needed.

Each connects when it is first asked: most messages never need one, and the SDKs are slow to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from shared.domain.ports import SecretStore
from shared.pipeline.context import Context, Publisher
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.adapters.github.client import Client
    from shared.domain.code_host import CodeReader
    from shared.domain.deployment import DeployHost
    from shared.domain.pointer import JsonValue


def with_outsiders(context: Context, settings: Settings, secrets: SecretStore) -> Context:
    """The context with GitHub, which tells of runs where a credential of it may be, and with Slack where it is switched on."""
    client = _github_client(settings, secrets)
    context = replace(context, code=partial(_code_reader, client), deploys=partial(_deployments, client))
    if settings.key_vault_uri or secrets.get("github-token") or secrets.get("github-app-id"):
        context = replace(context, publishers=_github_publishers(settings, client))
    return _with_slack(context, settings, secrets)


def _github_client(settings: Settings, secrets: SecretStore) -> Callable[[], Client]:
    """GitHub, connected when it is first needed: most messages never need it."""

    @cache
    def make() -> Client:
        from shared.adapters.github.client import Client

        return Client(settings.github_url, secrets, pause=settings.github_pause)

    return make


def _github_publishers(settings: Settings, client: Callable[[], Client]) -> dict[str, Publisher]:
    """What is told on GitHub, in this order; each connects when it is first asked."""

    def pull_request(ctx: Context, run: str) -> Mapping[str, JsonValue] | None:
        from shared.adapters.github.write import GitHubWriter
        from shared.pipeline.pull_request import PullRequestPublisher

        return PullRequestPublisher(GitHubWriter(client()), settings.report_url)(ctx, run)

    def check(ctx: Context, run: str) -> Mapping[str, JsonValue] | None:
        from shared.adapters.github.checks import GitHubChecks
        from shared.pipeline.check_run import CheckPublisher

        return CheckPublisher(GitHubChecks(client()), settings.report_url)(ctx, run)

    def sarif(ctx: Context, run: str) -> Mapping[str, JsonValue] | None:
        from shared.adapters.github.scanning import GitHubScanning
        from shared.pipeline.code_scanning import CodeScanningPublisher

        return CodeScanningPublisher(GitHubScanning(client()))(ctx, run)

    def suggestions(ctx: Context, run: str) -> Mapping[str, JsonValue] | None:
        from shared.adapters.github.reviews import GitHubReviews
        from shared.pipeline.suggestions import SuggestionsPublisher

        return SuggestionsPublisher(GitHubReviews(client()))(ctx, run)

    return {"pull-request": pull_request, "check": check, "sarif": sarif, "suggestions": suggestions}


def _code_reader(client: Callable[[], Client]) -> CodeReader:
    from shared.adapters.github.read import GitHubReader

    return GitHubReader(client())


def _deployments(client: Callable[[], Client]) -> DeployHost:
    from shared.adapters.github.deploy import GitHubDeployments

    return GitHubDeployments(client())


def _with_slack(context: Context, settings: Settings, secrets: SecretStore) -> Context:
    """Slack is the last publisher: it says what the others did."""
    if settings.slack.mode == "off":
        return context
    from shared.adapters.slack import SlackBot, SlackWebhook
    from shared.pipeline.slack import SlackPublisher

    bot = settings.slack.mode == "bot"
    chat = SlackBot(secrets, settings.slack.channel, settings.slack.api) if bot else SlackWebhook(secrets)
    told = SlackPublisher(chat, settings.report_url)
    return replace(context, publishers={**context.publishers, "slack": told}, alarm=told.lost)
