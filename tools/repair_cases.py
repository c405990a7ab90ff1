"""The repair benchmark's cases (tests/data/repairs): findings that the rules leave open, what is right for each, and a witness answer.

A case of the corpus names its file and the SHA-256 of that, never its text; the others carry a small manifest of our own. What is right
is said by values at pointers and by all that may change, apart from the boundary that is measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from corpus_counts import CORPUS
from pydantic import BaseModel, ConfigDict

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.language_model import Answer, Message, Usage
from shared.domain.llm.case import Case, open_case
from shared.domain.llm.work import reading_for
from shared.domain.model import Violation
from shared.domain.patcher import patch
from shared.domain.retrieval.ports import KnowledgeBase
from shared.domain.run import RunOptions, RunSetup, SourceFile
from shared.domain.thinker import propose

CASES = Path(__file__).parents[1] / "tests" / "data" / "repairs"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Must(_Closed):
    """What stands at a pointer over the document afterwards: one of these values, or nothing where `absent` is given."""

    at: str
    one_of: tuple[Any, ...] = ()
    absent: bool = False


class Draft(_Closed):
    """A right answer to a question: one of these keys, with one of these values, a value that matches, or `amounts` within bounds."""

    keys: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    matches: str | None = None
    amounts: bool = False


class Right(_Closed):
    """Exactly one of: a repair (`must`, with all that `may` change), a `draft`, or `declined`: why nobody can know from the data."""

    must: tuple[Must, ...] = ()
    may: tuple[str, ...] = ()
    draft: Draft | None = None
    declined: str | None = None


class Given(_Closed):
    """The witness: an answer that gets through and is right. Operations are [op, pointer over the document, value]."""

    operations: tuple[tuple[Any, ...], ...] = ()
    decision: tuple[str, str] | None = None


class Task(_Closed):
    """One finding. `file` is relative to the corpus; else `manifest` is the file's text."""

    name: str
    file: str | None = None
    sha256: str | None = None
    manifest: str | None = None
    rule: str
    document: int = 0
    path: str
    right: Right
    answer: Given = Given()

    @property
    def sort(self) -> str:
        """`repair`, `draft` or `decline`."""
        return "draft" if self.right.draft else "decline" if self.right.declined else "repair"

    def data(self, corpus: Path = CORPUS) -> bytes:
        """The file's bytes. Raises OSError where the corpus is not there, ValueError where the file is another."""
        if self.manifest is not None:
            return self.manifest.encode()
        data = (corpus / str(self.file)).read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ValueError(f"{self.file} is not the file of this case")
        return data


@dataclass(frozen=True, slots=True)
class Opened:
    """A case as the rules leave it: the file after their fixes, the finding in it, and what a model is asked."""

    task: Task
    file: SourceFile
    violation: Violation
    setup: RunSetup
    case: Case


def read_tasks(folder: Path = CASES) -> list[Task]:
    """Every case of the folder's files, by name. Raises ValueError where two share one."""
    tasks = [
        Task.model_validate(case) for path in sorted(folder.glob("*.yaml")) for case in yaml.safe_load(path.read_text("utf-8"))["cases"]
    ]
    if len({t.name for t in tasks}) != len(tasks):
        raise ValueError(f"{folder}: two cases have one name")
    return tasks


def opened(task: Task, knowledge: KnowledgeBase | None = None, hosts: Sequence[str] = ()) -> Opened:
    """Raises ValidationError where no model is asked about the case, LookupError where its finding is not there any more."""
    file, setup, found = _after_rules(Path(task.file or "manifest.yaml").name, task.data())
    violation = next((v for v in found if v.key == (task.rule, task.document, task.path)), None)
    if violation is None:
        raise LookupError(f"{task.name}: {task.rule} does not fire at {task.document}{task.path}")
    case = open_case(file, violation, setup, hosts=hosts)
    return Opened(task, file, violation, setup, replace(case, snippets=reading_for(case, knowledge)))


@cache
def _after_rules(name: str, data: bytes) -> tuple[SourceFile, RunSetup, tuple[Violation, ...]]:
    file = SourceFile(name, data)
    setup = plan_run([file], RunOptions("app"))
    findings = inspect(file, setup)
    done = patch(file, findings, propose(file, findings, setup), setup)
    after = SourceFile(name, done.data or b"")
    return after, setup, inspect(after, setup).violations


@dataclass(frozen=True, slots=True)
class Witness:
    """A model that gives a case's own right answer: what it cannot get through the boundary, no model can."""

    opened: Opened

    def complete(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> Answer:  # noqa: ARG002 (the port's signature)
        """The witness of the case, whatever is asked."""
        given, base = self.opened.task.answer, self.opened.case.base
        operations = [
            {"op": o[0], "path": o[1].removeprefix(base), "value": json.dumps(o[2]) if len(o) > 2 else None} for o in given.operations
        ]
        decision = dict(zip(("key", "value"), given.decision, strict=True)) if given.decision else None
        value = {"operations": operations, "decision": decision, "explanation": "As the case says.", "sources": []}
        return Answer(value, None, Usage(), "witness")
