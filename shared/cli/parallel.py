"""The files of a large application on all processors; a small one stays in this process, where there is nothing to start.

Results cross between processes in the JSON form that they have between the stages of the pipeline.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from typing import Any

from shared.domain.model import FileOutcome
from shared.domain.run import PatchedFile, RunSetup, SourceFile
from shared.logs import configure

Step = Callable[[SourceFile, RunSetup], PatchedFile]
Sent = tuple[dict[str, Any], bytes | None, str]

WORTH_IT_BYTES = 512 * 1024
"""A worker starts in about a second; less than this is done by then."""
RARELY = (100_000, 20, 50)
"""Thresholds of the gc module: parsed files are many objects and no cycles, and at the usual 700 looking took a fifth of the time."""
_CHUNK_BYTES = 64 * 1024
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
"""How workers start. A plain fork would copy the spinner's lock, but not its thread."""
_setup: RunSetup | None = None


def get_ready(files: Sequence[SourceFile]) -> None:
    """Begin to start what `each` will need for these files, while the caller plans the run."""
    if _METHOD == "forkserver" and _workers(files) > 1:
        multiprocessing.get_context(_METHOD).set_forkserver_preload(["shared.cli.worker"])
        forkserver.ensure_running()


def each(files: Sequence[SourceFile], setup: RunSetup, step: Step) -> list[PatchedFile]:
    """`step` of every file, in the order of the files. `step` must be a function of a module."""
    workers = _workers(files)
    if workers == 1:
        return [step(file, setup) for file in files]
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context(_METHOD), _start, (setup.to_json(),)) as pool:
            done = pool.map(_work, *zip(*((step, chunk) for chunk in _chunks(files)), strict=True))
            return [_received(item) for chunk in done for item in chunk]
    except (BrokenProcessPool, OSError, EOFError):  # killed from outside, for want of memory perhaps: one at a time needs less
        return [step(file, setup) for file in files]


def _workers(files: Sequence[SourceFile]) -> int:
    """How many processes these files are worth."""
    return 1 if sum(len(f.data) for f in files) < WORTH_IT_BYTES else min(os.cpu_count() or 1, 8)


def _start(setup: dict[str, Any]) -> None:
    global _setup  # noqa: PLW0603 (the worker's own)
    gc.set_threshold(*RARELY)
    configure(logging.WARNING)
    _setup = RunSetup.from_json(setup)


def _work(step: Step, files: list[SourceFile]) -> list[Sent]:
    assert _setup is not None  # noqa: S101 (set by the initializer)
    results = [step(file, _setup) for file in files]
    return [(r.outcome.to_payload(), r.data, r.diff) for r in results]


def _received(sent: Sent) -> PatchedFile:
    return PatchedFile(FileOutcome.from_payload(sent[0]), *sent[1:])


def _chunks(files: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """Neighbours together until they have some bytes, so that a message is worth its way."""
    chunk: list[SourceFile] = []
    for file in files:
        chunk.append(file)
        if sum(len(f.data) for f in chunk) >= _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
