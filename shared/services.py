"""The composition root: settings, adapters and the domain's steps, wired once per process and only when first used.

Everything heavy (Azure SDK, PyYAML, the rule book) is imported here, inside functions, so that the triggers stay light to
import: a cold worker indexes the app before it needs any of it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from azure.core.credentials import TokenCredential

    from shared.adapters.github.client import Client
    from shared.adapters.knowledge.index import Index
    from shared.configuration import Configuration
    from shared.domain.code_host import CodeReader
    from shared.domain.deployment import DeployHost
    from shared.domain.pointer import JsonValue
    from shared.domain.ports import BlobStore, SecretStore
    from shared.domain.retrieval.changes import Changes
    from shared.domain.retrieval.passages import Document
    from shared.domain.retrieval.ports import DocumentIndex
    from shared.model_settings import ModelSettings
    from shared.pipeline.context import Context, Engine, Publisher
    from shared.pipeline.delivery import Step
    from shared.pipeline.model_access import ModelAccess
    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What triggers and the command line call. A stage takes (message text, dequeue count) and raises what the host shall retry."""

    context: Context
    check: Callable[[], dict[str, str]]
    ensure: Callable[[], None]
    secrets: SecretStore
    library: Callable[[], DocumentIndex]
    """The knowledge base, the same one each time."""

    def uploaded(self, name: str) -> None:
        """A new blob `manifests/<name>`."""
        from shared.pipeline import intake

        intake.uploaded(self.context, name)

    def delivered(self, body: bytes, **headers: str | None) -> tuple[int, dict[str, str]]:
        """A delivery of GitHub's webhook (shared.pipeline.github_webhook.Delivery): the status and the answer."""
        from shared.pipeline import github_webhook

        return github_webhook.receive(self.context, self.secrets, github_webhook.Delivery(body, **headers))

    def knowledge_changed(self) -> None:
        """A new blob in `knowledge`, or the timer: the index is brought up to date. Raises what the host shall retry."""
        from shared.adapters.knowledge.documents import Files
        from shared.pipeline import knowledge_index

        knowledge_index.refresh(self.context.blobs, self.library(), Files())

    def deliver(self, queue: str, text: str, dequeue_count: int = 1) -> None:
        """One message of a work queue."""
        from shared.pipeline import delivery

        delivery.deliver(self.context, queue, _steps()[queue], text, dequeue_count)

    def poisoned(self, queue: str, text: str) -> None:
        """One message of `<queue>-poison`; never raises."""
        from shared.pipeline import upkeep

        upkeep.poisoned(self.context, queue, text)

    def sweep(self) -> None:
        """The timer."""
        from shared.pipeline import upkeep

        upkeep.sweep(self.context)


def _steps() -> dict[str, Step]:
    from shared.pipeline import intake, names, reporter, stages

    return {
        names.INTAKE: intake.handle,
        names.INSPECTIONS: stages.inspect,
        names.VIOLATIONS: stages.think,
        names.PATCHES: stages.patch,
        names.OUTCOMES: reporter.handle,
    }


def build_services(settings: Settings, model: ModelSettings | None = None) -> Services:
    """Wire the real adapters. Raises CriticalError where the storage connection cannot be used."""
    from shared.adapters import secrets
    from shared.adapters.storage import AzureStorage
    from shared.domain.archive import ArchiveLimits
    from shared.pipeline import names
    from shared.pipeline.context import Context, Limits

    if settings.insights:
        _observe(settings.insights)
    storage = AzureStorage(settings.storage)
    limits = Limits(
        archive=ArchiveLimits(file_bytes=settings.file_bytes, total_bytes=settings.run_bytes),
        batch_bytes=settings.batch_bytes,
        upload_bytes=settings.upload_bytes,
        quiet_seconds=settings.quiet_seconds,
        sweep_after=settings.sweep_after_seconds,
        stuck_after=settings.stuck_after_seconds,
    )
    ensure = partial(storage.ensure, names.CONTAINERS, names.QUEUES)
    probe = AzureStorage(settings.storage, retries=0)  # a health probe wants an answer now
    store = secrets.build(settings.key_vault_uri, settings.secret_seconds, partial(credential, settings.storage.client_id))
    client = _github_client(settings, store)
    context = Context(storage, storage, build_engine(), limits, code=partial(_code_reader, client), deploys=partial(_deployments, client))
    if settings.key_vault_uri or store.get("github-token") or store.get("github-app-id"):
        context = replace(context, publishers=_github_publishers(settings, client))

    @cache
    def library() -> DocumentIndex:
        from shared.library import build_library

        return build_library(storage, store, partial(credential, settings.storage.client_id), settings.search, model)

    if model is not None and model.mode != "off":
        access = partial(build_model, model, store, storage, settings.storage.client_id)
        context = replace(context, mode=model.mode, model=cache(access), knowledge=library)
    return Services(_with_slack(context, settings, store), probe.check, ensure, store, library)


def _observe(connection: str) -> None:
    """Send traces and metrics to Application Insights. Without them everything works, so what is wrong there is only told."""
    from shared import logs, telemetry

    if telemetry.is_on():
        return
    try:
        from shared.adapters.telemetry import connect

        telemetry.install(connect(connection))
    except Exception as error:  # noqa: BLE001 - an import that fails, a connection string that is none
        logs.failure("no telemetry", error, level=logging.WARNING)


def build_model(settings: ModelSettings, secrets: SecretStore, blobs: BlobStore, client_id: str | None = None) -> ModelAccess:
    """The language model that the settings name; their mode is not `off`."""
    from shared.adapters import model_key
    from shared.adapters.openai_model import OpenAIModel
    from shared.pipeline.model_access import ModelAccess

    key = model_key.build(settings.auth, secrets, partial(credential, client_id))
    return ModelAccess(OpenAIModel(settings, key), blobs, settings)


def build_local_model(settings: ModelSettings, folder: Path) -> ModelAccess:
    """The same for the command line: answers and sums are kept in a folder of this machine."""
    from shared.adapters import secrets
    from shared.adapters.local_store import LocalStore

    store = secrets.build(None, 0, partial(credential, None))
    return build_model(settings, store, LocalStore(folder / "model.sqlite3"))


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


def _with_slack(context: Context, settings: Settings, store: SecretStore) -> Context:
    """Slack is the last publisher: it says what the others did."""
    if settings.slack.mode == "off":
        return context
    from shared.adapters.slack import SlackBot, SlackWebhook
    from shared.pipeline.slack import SlackPublisher

    bot = settings.slack.mode == "bot"
    chat = SlackBot(store, settings.slack.channel, settings.slack.api) if bot else SlackWebhook(store)
    told = SlackPublisher(chat, settings.report_url)
    return replace(context, publishers={**context.publishers, "slack": told}, alarm=told.lost)


def _github_client(settings: Settings, store: SecretStore) -> Callable[[], Client]:
    """GitHub, connected when it is first needed: most messages never need it."""

    @cache
    def make() -> Client:
        from shared.adapters.github.client import Client

        return Client(settings.github_url, store, pause=settings.github_pause)

    return make


def _code_reader(client: Callable[[], Client]) -> CodeReader:
    from shared.adapters.github.read import GitHubReader

    return GitHubReader(client())


def _deployments(client: Callable[[], Client]) -> DeployHost:
    from shared.adapters.github.deploy import GitHubDeployments

    return GitHubDeployments(client())


def credential(client_id: str | None) -> TokenCredential:
    """The managed identity in Azure, the developer's own login elsewhere."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=client_id)


def build_engine() -> Engine:
    """The real domain steps, the same that the command line calls."""
    from shared.domain import inspector, patcher, reporter, thinker
    from shared.domain.intake import plan_run
    from shared.domain.report import render_all
    from shared.pipeline.context import Engine

    return Engine(plan_run, inspector.inspect, thinker.propose, patcher.patch, reporter.finish, render_all)


def read_articles(team: Path) -> list[Document]:
    """The program's articles and those of a team's folder. Raises ValidationError where one cannot be used."""
    from shared.adapters.knowledge.documents import documents

    return [document for document in documents(team) if document.name.startswith("articles/")]


def load_knowledge(kept: Path | None = None, team: Path | None = None) -> Index:
    """The knowledge base of this machine (shared.adapters.knowledge.local): from the folder `kept`, else in memory."""
    from shared.adapters.knowledge import local

    return local.load(kept, team)


def build_knowledge(kept: Path, team: Path | None = None) -> tuple[Index, Changes, list[str]]:
    """Bring the index in the folder `kept` up to date; the index, what was done, and a line for each file that could not be used."""
    from shared.adapters.knowledge import local

    return local.build(kept, team)


_lock = threading.Lock()
_current: Services | None = None


def services() -> Services:
    """The process's services, built on first use. Raises SettingsError where settings are missing or wrong, with a log line for each."""
    global _current  # noqa: PLW0603 - one per process; sync triggers run in several threads
    with _lock:
        if _current is None:
            from shared import logs

            logs.configure()
            configuration = _configured()
            _current = build_services(configuration.app, configuration.model)
        return _current


def _configured() -> Configuration:
    from shared import logs
    from shared.configuration import load_configuration
    from shared.environment import SettingsError
    from shared.setting_table import how_to_set

    try:
        return load_configuration()
    except SettingsError as error:
        for problem in error.problems:
            logs.event("setting cannot be used", level=logging.ERROR, problem=how_to_set(problem))
        raise


def install(replacement: Services | None) -> None:
    """Use other services from now on (a test's), or None to build them anew."""
    global _current  # noqa: PLW0603
    with _lock:
        _current = replacement
