"""A run as the stages share it: the files, the frozen setup, and the four steps' inputs and outputs.

The flow, the same in the CLI and in the pipeline (which only moves these values through blobs and queues):

    setup   = plan_run(files, options)                      Intake     once per run, sees every file
    found   = inspector.inspect(file, run)                  Inspector  per file
    plan    = thinker.propose(file, found, run)             Thinker    per file
    patched = patcher.patch(file, found, plan, run)         Patcher    per file
    result  = reporter.finish(run, outcomes, read)          Reporter   once per run, sees every outcome
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.domain.advice import Mode
from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome, SourceFinding, Violation
from shared.domain.pointer import JsonValue

APP_NAME = re.compile(r"[a-z0-9-]{1,40}")
"""DESIGN 3: the name of an application."""


def app_name(text: str) -> str:
    """An application's name made from a folder's: lower case, digits and dashes, at most 40; `app` where nothing is left."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:40] or "app"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a run: POSIX path relative to the application's root, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the caller chose. `target` is a target file's text, or the name of one of `knowledge`, the team's own files by path."""

    app: str
    source: str = "auto"
    target: str | None = None
    apply_unsafe: bool = False
    knowledge: Mapping[str, str] = field(default_factory=dict)
    today: str = ""
    """The day (ISO 8601) on which acceptances of findings are held against their last day; empty: none is over."""
    model: Mode = "off"
    """What a language model may do for what the rules leave."""


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What is frozen at a run's start; JSON between stages. `index` holds the cross-file facts that rules look up."""

    run_id: str
    app: str
    source: SourceFinding
    target: Mapping[str, JsonValue]
    decisions: Mapping[str, JsonValue]
    index: Mapping[str, JsonValue]
    apply_unsafe: bool = False
    knowledge: Mapping[str, str] = field(default_factory=dict)
    """Texts of the team's own rules, profiles and targets by path."""
    accepted: tuple[Mapping[str, JsonValue], ...] = ()
    """Entries of the baseline file."""
    today: str = ""
    model: Mode = "off"

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "runId": self.run_id, "app": self.app, "source": self.source.to_json(), "target": dict(self.target),
            "decisions": dict(self.decisions), "index": dict(self.index), "applyUnsafe": self.apply_unsafe,
            "knowledge": dict(self.knowledge), "accepted": [dict(entry) for entry in self.accepted], "today": self.today,
            "model": self.model,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSetup:
        return cls(data["runId"], data["app"], SourceFinding.from_json(data["source"]), data["target"], data["decisions"],
                   data["index"], data["applyUnsafe"], data["knowledge"], tuple(data["accepted"]), data["today"],
                   data.get("model", "off"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileFindings:
    """The Inspector's result for one file: the Violation payload. `status` is what the file is if nothing changes it."""

    path: str
    status: Literal["unchanged", "skipped", "refused"]
    reason: str | None
    documents: int
    violations: tuple[Violation, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        return {"path": self.path, "status": self.status, "reason": self.reason, "documents": self.documents,
                "violations": [v.to_json() for v in self.violations]}  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileFindings:
        violations = tuple(Violation.from_json(v) for v in data["violations"])
        return cls(data["path"], data["status"], data["reason"], data["documents"], violations)


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """The Patcher's result: the report entry, the bytes to write (None where the file ended empty), its masked diff."""

    outcome: FileOutcome
    data: bytes | None
    diff: str = ""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The Reporter's result: every entry of the report, and the files that the last step made or changed."""

    outcomes: tuple[FileOutcome, ...]
    written: Mapping[str, bytes]
    diffs: Mapping[str, str]
    """Masked diffs of the files in `written`."""
    after: Inventory = field(default_factory=Inventory)
    """The objects of the run as it leaves them."""
