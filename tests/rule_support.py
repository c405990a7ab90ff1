"""One manifest through Inspector, Thinker and Patcher, for the tests of checks and fixes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from shared.domain.decisions import FILE_NAME
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.model import Violation
from shared.domain.patcher import patch
from shared.domain.reporter import finish
from shared.domain.run import FinishedRun, PatchedFile, RunOptions, SourceFile
from shared.domain.thinker import propose


def mended(
    text: str, *, source: str = "generic", decisions: str | None = None, unsafe: bool = False, others: dict[str, str] | None = None
) -> PatchedFile:
    """What the program makes of one file; `others` are the rest of the run."""
    file = SourceFile("app.yaml", textwrap.dedent(text).encode())
    files = [file, *(SourceFile(path, textwrap.dedent(t).encode()) for path, t in (others or {}).items())]
    if decisions is not None:
        files.append(SourceFile(FILE_NAME, textwrap.dedent(decisions).encode()))
    setup = plan_run(files, RunOptions("test", source, apply_unsafe=unsafe))
    found = inspect(file, setup)
    return patch(file, found, propose(file, found, setup), setup)


def finished(files: Mapping[str, str]) -> tuple[FinishedRun, dict[str, bytes]]:
    """A whole run over these files: its end, and every file as it leaves them."""
    sources = {path: SourceFile(path, text.encode()) for path, text in files.items()}
    setup = plan_run(sources.values(), RunOptions("app"))
    done = {}
    for path, file in sources.items():
        seen = inspect(file, setup)
        done[path] = patch(file, seen, propose(file, seen, setup), setup)
    data = {path: p.data for path, p in done.items() if p.data is not None}
    end = finish(setup, [p.outcome for p in done.values()], data.get, {p: f.data for p, f in sources.items()}.get)
    return end, data | dict(end.written)


def text_of(patched: PatchedFile) -> str:
    """The patched file's text; "" where the file is gone."""
    return (patched.data or b"").decode()


def found(patched: PatchedFile, rule: str) -> list[Violation]:
    """The violations of one rule."""
    return [v for v in patched.outcome.violations if v.rule_id == rule]


def rules_of(text: str, **more: object) -> set[str]:
    """The ids of the rules that fire on a manifest."""
    return {v.rule_id for v in mended(text, **more).outcome.violations}  # type: ignore[arg-type]
