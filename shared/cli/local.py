"""A run on this machine: the same domain functions as the pipeline, with a loop in place of queues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from shared.cli.model import Advise
from shared.cli.parallel import each, get_ready
from shared.cli.tree import Tree
from shared.domain.errors import ValidationError
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.inventory import Inventory, as_it_came
from shared.domain.knowledge import FOLDERS, belongs, decoded
from shared.domain.model import SEVERITIES, FileOutcome, Severity
from shared.domain.patcher import patch
from shared.domain.reporter import finish, survey
from shared.domain.run import PatchedFile, RunOptions, RunSetup, SourceFile, app_name
from shared.domain.target import built_in_targets, read_target
from shared.domain.thinker import propose
from shared.logs import describe, failure


@dataclass(frozen=True, slots=True)
class LocalRun:
    """What a run found and made: outcomes in path order; by path new bytes, masked diffs, bytes as they came; files that ended empty."""

    setup: RunSetup
    outcomes: tuple[FileOutcome, ...]
    changed: Mapping[str, bytes]
    diffs: Mapping[str, str]
    removed: frozenset[str]
    after: Inventory
    originals: Mapping[str, bytes]


def options_for(path: Path, source: str, target: Path | None, knowledge: Path | None = None, *, unsafe: bool = False) -> RunOptions:
    """The options of a run on a path; the application is named after the folder or file.

    `target` is a file, or the name of one among the team's `knowledge` or of a built-in one.
    Raises ValidationError where a file cannot be used.
    """
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    own = knowledge_in(knowledge) if knowledge else {}
    text = _target_text(target, own) if target else None
    return RunOptions(app_name(name), source, text, unsafe, own, datetime.now(UTC).date().isoformat())


def _target_text(target: Path, own: Mapping[str, str]) -> str:
    known = {path.partition("/")[2].rpartition(".")[0] for path in own if path.startswith("targets/")}
    if str(target) in known or (str(target) in built_in_targets() and not target.is_file()):
        return str(target)
    try:
        text = target.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"{target}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    read_target(text, str(target))
    return text


def knowledge_in(folder: Path) -> dict[str, str]:
    """The texts of rules/, profiles/ and targets/ of a folder by path; none where it holds only articles/.

    Raises ValidationError where one cannot be read, or there is nothing of all these.
    """
    if not folder.is_dir():
        raise ValidationError(f"{folder}: no such folder")
    paths = sorted(path for name in FOLDERS for path in (folder / name).glob("*") if belongs(f"{name}/{path.name}"))
    if not paths and not (folder / "articles").is_dir():
        raise ValidationError(f"{folder}: holds no rules/*.yaml, profiles/*.yaml, targets/*.yaml or articles/")
    try:
        return decoded((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)
    except OSError as error:
        raise ValidationError(f"{error.filename}: {error.strerror}") from error


def inspect_tree(tree: Tree, options: RunOptions) -> LocalRun:
    """Find and plan, change nothing: what `fix` would apply is `suggested`, with its operations. Raises ValidationError."""
    files, unread = tree.read()
    get_ready(files)
    setup = plan_run(files, options)
    outcomes = [done.outcome for done in each(files, setup, inspected)]
    originals = {file.path: file.data for file in files}
    return LocalRun(setup, survey(setup, [*outcomes, *unread], originals.get), {}, {}, frozenset(), as_it_came(setup.index), originals)


def fix_tree(tree: Tree, options: RunOptions, advise: Advise | None = None) -> LocalRun:
    """The whole run but the writing. One file that fails is an entry of the report. Raises ValidationError for bad options.

    `advise` puts what the rules leave to a language model, as `options.model` says.
    """
    files, unread = tree.read()
    get_ready(files)
    originals = {file.path: file.data for file in files}
    setup = plan_run(files, options)
    patched = {done.outcome.path: done for done in each(files, setup, patched_file)}
    if advise is not None:
        patched |= _advised([file for file in files if patched[file.path].outcome.askable], setup, advise)

    def read(path: str) -> bytes | None:
        return patched[path].data if path in patched else None

    finished = finish(setup, [p.outcome for p in patched.values()] + unread, read, originals.get)
    outcomes = _in_order(finished.outcomes)
    removed = frozenset(o.path for o in outcomes if o.removed)
    new = {p: d.data for p, d in patched.items() if d.data is not None} | dict(finished.written)
    changed = {p: data for p, data in new.items() if p not in removed and data != originals.get(p)}
    diffs = {p: d.diff for p, d in patched.items()} | dict(finished.diffs)
    return LocalRun(setup, outcomes, changed, {p: diff for p, diff in diffs.items() if diff}, removed, finished.after, originals)


def _advised(files: Sequence[SourceFile], setup: RunSetup, advise: Advise) -> dict[str, PatchedFile]:
    """What a model adds to files of which the rules leave something, by path."""
    from shared.pipeline.model_run import Job  # noqa: PLC0415 (heavy; only where a model is used)

    found = [(file, inspect(file, setup)) for file in files]
    jobs = {file.path: Job(file, findings, propose(file, findings, setup)) for file, findings in found}
    plans = advise(setup, list(jobs.values())) if jobs else {}
    return {path: patch(jobs[path].file, jobs[path].findings, plan, setup) for path, plan in plans.items() if plan.repairs}


def is_left(outcomes: Iterable[FileOutcome], level: Severity) -> bool:
    """Is something left for a person: a finding of this level or worse, or a file that was refused or failed?"""
    floor = SEVERITIES.index(level)
    return any(
        o.status in ("refused", "failed")
        or any(v.resolution not in ("fixed", "ignored") and SEVERITIES.index(v.severity) >= floor for v in o.violations)
        for o in outcomes
    )


def inspected(file: SourceFile, setup: RunSetup) -> PatchedFile:
    """What `inspect` says of one file; its bytes as they are."""
    try:
        findings = inspect(file, setup)
        plan = propose(file, findings, setup)
    except Exception as error:  # noqa: BLE001 (one file never stops the run)
        return PatchedFile(_failed(file, error), file.data)
    violations = [
        replace(v, resolution="suggested", reason="`aks-copilot fix` mends it.") if v.resolution == "fixed" else v
        for v in plan.violations or findings.violations
    ]
    outcome = FileOutcome(
        file.path, findings.status, findings.reason, findings.documents, tuple(violations), (), (*plan.operations, *plan.suggestions),
        resources=plan.resources, questions=plan.questions, askable=plan.askable,
    )  # fmt: skip
    return PatchedFile(outcome, file.data)


def patched_file(file: SourceFile, setup: RunSetup) -> PatchedFile:
    """What `fix` makes of one file."""
    try:
        findings = inspect(file, setup)
        return patch(file, findings, propose(file, findings, setup), setup)
    except Exception as error:  # noqa: BLE001 (one file never stops the run)
        return PatchedFile(_failed(file, error), file.data)


def _failed(file: SourceFile, error: Exception) -> FileOutcome:
    failure("a file failed", error, path=file.path)
    return FileOutcome(file.path, "failed", describe(error))


def _in_order(outcomes: Iterable[FileOutcome]) -> tuple[FileOutcome, ...]:
    return tuple(sorted(outcomes, key=lambda o: o.path))
