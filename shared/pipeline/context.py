"""What every stage is given: the ports, the domain's steps, the limits and a clock. Nothing here knows Azure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.domain.advice import Mode
from shared.domain.archive import ArchiveLimits
from shared.domain.code_host import CodeReader
from shared.domain.deployment import DeployHost
from shared.domain.errors import CriticalError
from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome
from shared.domain.plan import FilePlan
from shared.domain.pointer import JsonValue
from shared.domain.ports import BlobStore, MessageQueue
from shared.domain.run import FileFindings, FinishedRun, PatchedFile, RunOptions, RunSetup, SourceFile

if TYPE_CHECKING:
    from shared.domain.retrieval.ports import KnowledgeBase
    from shared.pipeline.model_access import ModelAccess

Read = Callable[[str], bytes | None]
"""The bytes of a path of the run; None where there is no such file."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The domain's steps (shared.domain.run); the pipeline only moves their values between blobs and queues."""

    plan: Callable[[Sequence[SourceFile], RunOptions], RunSetup]
    inspect: Callable[[SourceFile, RunSetup], FileFindings]
    propose: Callable[[SourceFile, FileFindings, RunSetup], FilePlan]
    patch: Callable[[SourceFile, FileFindings, FilePlan, RunSetup], PatchedFile]
    finish: Callable[[RunSetup, Sequence[FileOutcome], Read, Read], FinishedRun]
    render: Callable[[RunSetup, Sequence[FileOutcome], Mapping[str, str], Inventory, Read], dict[str, bytes]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    batch_bytes: int = 256 * 1024
    upload_bytes: int = 100 * 1024 * 1024
    quiet_seconds: float = 10
    sweep_after: float = 60
    retry_seconds: float = 30
    """The same wait as host.json's visibilityTimeout."""
    give_up_after: float = 6 * 3600
    """How long a message may be put off by an outage that says how long it lasts."""
    stuck_after: float = 1800
    """How long a run may stand still before people are told; a known wait leaves a record at least every quarter of an hour."""
    abandon_after: float = 7 * 86_400
    """A queue message lives seven days; a run older than that with nothing finished cannot go on by itself."""
    state_bytes: int = 512 * 1024 * 1024


Publisher = Callable[["Context", str], Mapping[str, JsonValue] | None]
"""Tells outsiders of one run, idempotently: what to remember of it (ids, `url`), or None where this run has nothing for them."""


@dataclass(frozen=True, slots=True)
class Context:
    """The dependencies of a stage, wired by shared.services (or by a test, with fakes)."""

    blobs: BlobStore
    queue: MessageQueue
    engine: Engine
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.time
    publishers: Mapping[str, Publisher] = field(default_factory=dict)
    """By name, in the order in which they are asked (shared.pipeline.publish)."""
    alarm: Callable[[Context, str], None] | None = None
    """Tells people of a record of `lost/`, by its name, once."""
    code: Callable[[], CodeReader] | None = None
    """Makes the reader of repositories, the same one each time."""

    deploys: Callable[[], DeployHost] | None = None
    """Makes what starts deployments, the same one each time."""

    mode: Mode = "off"
    """What a language model may do in the runs that start now."""
    model: Callable[[], ModelAccess] | None = None
    """Connects to the language model, the same one each time."""
    knowledge: Callable[[], KnowledgeBase] | None = None
    """Opens what a language model is given to read, as it is now."""

    def code_reader(self) -> CodeReader:
        """Raises CriticalError where no host of repositories is set up."""
        if self.code is None:
            raise CriticalError("no host of repositories is set up")
        return self.code()

    def deploy_host(self) -> DeployHost:
        """Raises CriticalError where no host of repositories is set up."""
        if self.deploys is None:
            raise CriticalError("no host of repositories is set up")
        return self.deploys()
