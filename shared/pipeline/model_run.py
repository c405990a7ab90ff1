"""A language model asked about the files of one batch of a run, several at a time; a run is never lost because of it.

An outage is waited for by the queue, a few times; then the run goes on without the model and says so at each finding, as it does at once
where the set-up is wrong. Answers that came before are known by their questions, so nothing is paid twice.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared import logs
from shared.domain.errors import AksCopilotError, CriticalError, TransientError, ValidationError, patient
from shared.domain.language_model import Answer, Message, Model
from shared.domain.llm.work import Adviser, advised
from shared.domain.messages import Envelope
from shared.domain.plan import FilePlan
from shared.domain.pointer import JsonValue
from shared.domain.run import FileFindings, RunSetup, SourceFile
from shared.pipeline.context import Context
from shared.pipeline.model_access import ModelAccess

if TYPE_CHECKING:
    from shared.domain.retrieval.ports import KnowledgeBase

TRIES = 6
"""The try in which a run goes on without a model that is down: after two and a half minutes, or the pauses that the service asks for."""
LONGEST_PAUSE = 900.0
"""Seconds; a run whose model asks for a longer pause goes on without it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file with what the rules found and plan."""

    file: SourceFile
    findings: FileFindings
    plan: FilePlan


def with_model(ctx: Context, envelope: Envelope, setup: RunSetup, jobs: Sequence[Job]) -> dict[str, FilePlan]:
    """The plans of a batch by path, with what the run's model answers. Raises TransientError, always with a delay."""
    wanted = [job for job in jobs if job.plan.askable]
    if setup.model == "off" or ctx.model is None or not wanted:
        return {}
    try:
        return ModelRun(ctx.model(), ctx.knowledge, setup, waits=envelope.attempt < TRIES).plans(wanted)
    except TransientError as error:
        raise patient(error, envelope.attempt) from error
    except AksCopilotError as error:
        logs.failure("no model", error)
        return {}


class ModelRun:
    """`waits`: whether an outage is raised, for somebody who comes again later; else the files go on without the model."""

    def __init__(self, access: ModelAccess, knowledge: Callable[[], KnowledgeBase] | None, setup: RunSetup, *, waits: bool = False) -> None:
        self._access, self._knowledge, self._setup, self._waits = access, knowledge, setup, waits
        self._turn = threading.Lock()
        self._outage: TransientError | None = None
        self._down: str | None = None

    def plans(self, jobs: Sequence[Job]) -> dict[str, FilePlan]:
        """The jobs' plans by path, with the answers. Raises TransientError where it waits."""
        adviser = Adviser(self._port, self._open(), self._access.settings.hosts, self._access.settings.prices.of)
        with ThreadPoolExecutor(max(1, min(self._access.settings.concurrency, len(jobs)))) as pool:
            asked = [pool.submit(contextvars.copy_context().run, self._one, job, adviser) for job in jobs]
        return {job.file.path: done.result() for job, done in zip(jobs, asked, strict=True)}

    def _open(self) -> KnowledgeBase | None:
        """The knowledge base; without one the model has the rule and the object."""
        try:
            return self._knowledge() if self._knowledge else None
        except TransientError as error:
            if self._waits:
                raise
            logs.failure("no knowledge base", error)
        except AksCopilotError as error:
            logs.failure("no knowledge base", error)
        return None

    def _one(self, job: Job, adviser: Adviser) -> FilePlan:
        """One file. The domain works on one file at a time; while a question is out, the others go on."""
        with self._turn:
            try:
                return advised(job.file, job.findings, job.plan, self._setup, adviser)
            except TransientError as error:
                if self._waits:
                    raise
                logs.failure("knowledge base is down", error)
                return advised(job.file, job.findings, job.plan, self._setup, replace(adviser, knowledge=None))
            except Exception as error:  # noqa: BLE001 - a bug here costs the file no fix of the rules
                logs.failure("model left out", error, path=job.file.path)
                return job.plan

    def _port(self, violation: str) -> Model:
        return _Port(self, self._access.for_violation(self._setup.run_id, violation))

    def ask(self, model: Model, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        """A question, while other files have their turn. Once the model is down nobody asks any more."""
        if self._outage:
            raise self._outage
        if self._down:
            raise ValidationError(self._down)
        self._turn.release()
        try:
            return model.complete(messages, schema)
        except (TransientError, CriticalError) as error:
            raise self._lost(error) from error
        finally:
            self._turn.acquire()

    def _lost(self, error: TransientError | CriticalError) -> AksCopilotError:
        if self._waits and isinstance(error, TransientError) and (error.retry_after or 0) <= LONGEST_PAUSE:
            self._outage = error
            return error
        if self._down is None:  # others may have asked at the same time
            logs.failure("model is down", error)
        self._down = logs.describe(error)
        return ValidationError(self._down)


@dataclass(frozen=True, slots=True)
class _Port:
    run: ModelRun
    model: Model

    def complete(self, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        return self.run.ask(self.model, messages, schema)
