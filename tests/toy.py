"""A toy engine with the domain's signatures: `BAD` is its only violation and `GOOD` its only fix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from shared.domain.errors import ValidationError
from shared.domain.model import FileOutcome, PatchOperation, SourceFinding, Violation
from shared.domain.plan import FilePlan
from shared.domain.run import FileFindings, FinishedRun, PatchedFile, RunOptions, RunSetup, SourceFile
from shared.pipeline.context import Engine, Read


def _toy_plan(files: Sequence[SourceFile], options: RunOptions) -> RunSetup:
    if any(file.path == ".aks-copilot.yaml" and b"BROKEN" in file.data for file in files):
        raise ValidationError(".aks-copilot.yaml cannot be used")
    index = {"files": len(list(files))}
    return RunSetup("toy", options.app, SourceFinding("k3s", ("toy",)), {"name": "toy"}, {}, index, options.apply_unsafe)


def _toy_inspect(file: SourceFile, setup: RunSetup) -> FileFindings:
    text = file.data.decode()  # a file that is not UTF-8 is this toy's bug
    bad = [n for n, line in enumerate(text.splitlines(), start=1) if "BAD" in line]
    found = tuple(Violation("TOY1", "bad", "error", 0, "", n, 1, None, "is bad") for n in bad)
    return FileFindings(file.path, "unchanged" if file.path.endswith(".yaml") else "skipped", None, 1, found)


def _toy_propose(file: SourceFile, findings: FileFindings, setup: RunSetup) -> FilePlan:
    return FilePlan(file.path, tuple(PatchOperation("replace", f"/0/{v.line}", "TOY1", "GOOD") for v in findings.violations))


def _toy_patch(file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup) -> PatchedFile:
    if not plan.operations:
        return PatchedFile(FileOutcome(file.path, findings.status, findings.reason, findings.documents), file.data)
    fixed = tuple(v.resolved("fixed") for v in findings.violations)
    if b"REMOVE" in file.data:
        return PatchedFile(FileOutcome(file.path, "patched", None, 0, fixed, plan.operations, removed=True), None)
    data = file.data.replace(b"BAD", b"GOOD")
    return PatchedFile(FileOutcome(file.path, "patched", None, 1, fixed, plan.operations), data, f"--- {file.path}\n")


def _toy_finish(setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read, _: Read) -> FinishedRun:
    """Appends a line to every kustomization.yaml, so that finishing twice on its own output would show."""
    touched = {o.path: (read(o.path) or b"") + b"# finished\n" for o in outcomes if o.path.endswith("kustomization.yaml")}
    extra = FileOutcome("made.yaml", "created", None, 1)
    return FinishedRun((*outcomes, extra), touched | {"made.yaml": b"made: true\n"}, dict.fromkeys(touched, "--- k\n"))


def _toy_render(setup: RunSetup, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str], *_: object) -> dict[str, bytes]:
    report = {"runId": setup.run_id, "files": [o.to_json() for o in outcomes]}
    return {"report.json": json.dumps(report).encode(), "changes.diff": "".join(diffs[p] for p in sorted(diffs)).encode()}


TOY = Engine(_toy_plan, _toy_inspect, _toy_propose, _toy_patch, _toy_finish, _toy_render)
