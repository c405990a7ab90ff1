"""Batches of files by bytes: the unit of work of a message. Splitting is deterministic; a batch is one JSON blob."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.run import SourceFile
from shared.pipeline import names, state
from shared.pipeline.context import Context

_OVERHEAD = 1024  # what a file costs a stage however small it is, so that a batch has at most a few hundred files


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one message. `broken` says why none of them may be looked at (the run's own settings cannot be used)."""

    files: tuple[SourceFile, ...]
    broken: str | None = None


def split(files: Sequence[SourceFile], size: int) -> Iterator[tuple[SourceFile, ...]]:
    """Groups of at most `size` bytes (or one larger file) in path order; one empty group where there is no file."""
    group: list[SourceFile] = []
    total = 0
    for file in sorted(files, key=lambda file: file.path):
        weight = len(file.data) + _OVERHEAD
        if group and total + weight > size:
            yield tuple(group)
            group, total = [], 0
        group.append(file)
        total += weight
    if group or not files:
        yield tuple(group)


def encode_files(files: Iterable[tuple[str, bytes]]) -> list[dict[str, str]]:
    """[{"path", "data": Base64}], in the given order."""
    return [{"path": path, "data": base64.b64encode(data).decode("ascii")} for path, data in files]


def decode_files(items: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """The inverse of encode_files, as a mapping from path to bytes."""
    return {item["path"]: base64.b64decode(item["data"]) for item in items}


def save(ctx: Context, run: str, number: int, batch: Batch) -> None:
    """Store a batch under its number."""
    files = encode_files((file.path, file.data) for file in batch.files)
    state.save(ctx, names.batch(run, number), {"broken": batch.broken, "files": files})


def load(ctx: Context, run: str, number: int) -> Batch:
    """Raises CriticalError where the batch was never written."""
    value = state.load(ctx, names.batch(run, number))
    return Batch(tuple(SourceFile(path, data) for path, data in decode_files(value["files"]).items()), value["broken"])
