"""The Reporter's domain part: what needs the whole run, after every file is done.

The shared Gateway, the kustomizations that list or patch what changed, and the decisions file with the open questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.domain.decisions import FILE_NAME, read_decisions, skeleton
from shared.domain.model import FileOutcome, PatchOperation, Question
from shared.domain.report.masking import masked_diff
from shared.domain.run import FinishedRun, RunSetup

DECISIONS_RULE = "AKS0001"
"""The rule under which the decisions file is recorded."""

Read = Callable[[str], bytes | None]
"""The bytes of a path as the run has them after patching; None where there is no such file."""


def finish(setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read) -> FinishedRun:
    """Every entry of the report, and the files that only the whole run could write."""
    entries = {o.path: o for o in outcomes}
    written: dict[str, bytes] = {}
    diffs: dict[str, str] = {}
    if FILE_NAME not in entries:
        data = skeleton(setup.source.profile, open_questions(outcomes)).encode()
        recorded = PatchOperation("add", "/0", DECISIONS_RULE, read_decisions(data))
        written[FILE_NAME], diffs[FILE_NAME] = data, masked_diff(FILE_NAME, b"", data)
        entries[FILE_NAME] = FileOutcome(FILE_NAME, "created", None, 1, operations=(recorded,))
    return FinishedRun(tuple(entries[path] for path in sorted(entries)), written, diffs)


def open_questions(outcomes: Sequence[FileOutcome]) -> list[Question]:
    """Every question of the run once, in the order of the files."""
    return list(dict.fromkeys(q for o in sorted(outcomes, key=lambda o: o.path) for q in o.questions))
