"""What the Patcher made of a batch, kept under its own name for good: outcomes, masked diffs and the bytes that changed.

The blob is created once. Whoever comes second (a redelivery, or a rerun with another model answer) uses the first result, so
the patched files, the report and the diff of a batch always belong together. Unchanged bytes are those of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.domain.model import FileOutcome
from shared.domain.run import PatchedFile, RunSetup
from shared.pipeline import batches, names, state
from shared.pipeline.context import Context, Read


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Outcomes in path order; `changed` holds new bytes by path; a file whose outcome is `removed` has none."""

    outcomes: tuple[FileOutcome, ...]
    diffs: Mapping[str, str]
    changed: Mapping[str, bytes]


def find(ctx: Context, run: str, number: int) -> BatchResult | None:
    """The stored result of a batch, or None."""
    value = state.find(ctx, names.outcomes(run, number))
    return None if value is None else _decode(value)


def keep(ctx: Context, run: str, number: int, patched: Sequence[PatchedFile]) -> BatchResult:
    """Store a result unless there is one; the one that is there afterwards."""
    value = {
        "outcomes": [file.outcome.to_payload() for file in patched],
        "diffs": {file.outcome.path: file.diff for file in patched if file.diff},
        "changed": batches.encode_files((f.outcome.path, f.data) for f in patched if f.data is not None and f.outcome.status == "patched"),
    }
    state.save(ctx, names.outcomes(run, number), value, if_absent=True)
    return _decode(state.load(ctx, names.outcomes(run, number)))


def bytes_of(batch: batches.Batch, result: BatchResult) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every file of a batch that has any after patching."""
    removed = {outcome.path for outcome in result.outcomes if outcome.removed}
    for file in batch.files:
        if file.path not in removed:
            yield file.path, result.changed.get(file.path, file.data)


@dataclass(frozen=True, slots=True)
class RunResults:
    """All batches of a run: `read(path)` gives the bytes as the Patcher left them, `original(path)` as they came, or None."""

    outcomes: tuple[FileOutcome, ...]
    diffs: Mapping[str, str]
    read: Read
    original: Read


def load_all(ctx: Context, run: str, count: int) -> RunResults:
    """Raises CriticalError where a batch has no result."""
    outcomes: list[FileOutcome] = []
    diffs: dict[str, str] = {}
    changed: dict[str, bytes] = {}
    home: dict[str, int] = {}
    for number in range(count):
        result = _decode(state.load(ctx, names.outcomes(run, number)))
        outcomes += result.outcomes
        diffs |= result.diffs
        changed |= result.changed
        home |= {outcome.path: number for outcome in result.outcomes}
    original = _originals(ctx, run, home)
    gone = {outcome.path for outcome in outcomes if outcome.removed}

    def read(path: str) -> bytes | None:
        return None if path in gone else changed[path] if path in changed else original(path)

    return RunResults(tuple(outcomes), diffs, read, original)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run after its Reporter: every outcome in path order, the masked diffs of the files that changed."""

    setup: RunSetup
    outcomes: tuple[FileOutcome, ...]
    diffs: Mapping[str, str]


def keep_finished(ctx: Context, run: str, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str]) -> None:
    """Store what the Reporter made of the run."""
    state.save(ctx, names.finished(run), {"outcomes": [o.to_payload() for o in outcomes], "diffs": dict(diffs)})


def finished(ctx: Context, run: str) -> Finished | None:
    """What the Reporter made of a run; None before it has."""
    value = state.find(ctx, names.finished(run))
    if value is None:
        return None
    outcomes = sorted(map(FileOutcome.from_payload, value["outcomes"]), key=lambda o: o.path)
    return Finished(state.load_setup(ctx, run), tuple(outcomes), value["diffs"])


def _originals(ctx: Context, run: str, home: Mapping[str, int]) -> Read:
    @lru_cache(maxsize=4)
    def batch(number: int) -> Mapping[str, bytes]:
        return {file.path: file.data for file in batches.load(ctx, run, number).files}

    return lambda path: batch(home[path])[path] if path in home else None


def _decode(value: Any) -> BatchResult:
    outcomes = tuple(FileOutcome.from_payload(item) for item in value["outcomes"])
    return BatchResult(outcomes, value["diffs"], batches.decode_files(value["changed"]))
