"""The composition root: settings, adapters and the domain's steps, wired once per process and only when first used.

Everything heavy (Azure SDK, PyYAML, the rule book) is imported here, inside functions, so that the triggers stay light to
import: a cold worker indexes the app before it needs any of it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from azure.core.credentials import TokenCredential

    from shared.adapters.knowledge.index import Index
    from shared.configuration import Configuration
    from shared.domain.ports import BlobStore, SecretStore
    from shared.domain.retrieval.changes import Changes
    from shared.domain.retrieval.passages import Document
    from shared.domain.retrieval.ports import DocumentIndex
    from shared.model_settings import ModelSettings
    from shared.pipeline.context import Context, Engine
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
    from shared.outsiders import with_outsiders
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
    context = with_outsiders(Context(storage, storage, build_engine(), limits), settings, store)

    @cache
    def library() -> DocumentIndex:
        from shared.library import build_library

        return build_library(storage, store, partial(credential, settings.storage.client_id), settings.search, model)

    if model is not None and model.mode != "off":
        access = partial(build_model, model, store, storage, settings.storage.client_id)
        context = replace(context, mode=model.mode, model=cache(access), knowledge=library)
    return Services(context, probe.check, ensure, store, library)


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
