"""Follows a run stage by stage until it is done or failed: bars on a terminal, one line per finished stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from shared.cli.console import output, say

STAGES = ("intake", "inspector", "thinker", "patcher", "reporter")
POLL_SECONDS = 0.5
Status = Mapping[str, Any]


class View(Protocol):
    """Shows how far each stage is."""

    def show(self, stage: str, finished: int, total: int | None) -> None:
        """`finished` of `total` batches; None while the number is not known."""


class Bars:
    """One bar per stage, on a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:10}"), BarColumn(bar_width=30), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
        self.progress = Progress(*columns, console=output())
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self.progress.start()
        self.tasks = {stage: self.progress.add_task(stage, total=1) for stage in STAGES}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def show(self, stage: str, finished: int, total: int | None) -> None:
        self.progress.update(self.tasks[stage], completed=finished, total=total or 1)


class Lines:
    """A line when a stage has finished all its batches."""

    def __init__(self) -> None:
        self.said: set[str] = set()
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to close."""

    def show(self, stage: str, finished: int, total: int | None) -> None:
        if total is not None and finished >= total and stage not in self.said:
            self.said.add(stage)
            say(f"{stage:10} {finished}/{total}  {time.monotonic() - self.started:.1f} s")


def follow(read: Callable[[], Status | None], timeout: float | None = None) -> Status | None:
    """Poll until the run is done or failed, or `timeout` seconds are over; gives the last status (None: never known)."""
    deadline = None if timeout is None else time.monotonic() + timeout
    status: Status | None = None
    with Bars() if sys.stdout.isatty() else Lines() as view:
        while True:
            status = read() or status
            if status is not None:
                _show(view, status)
            if (status is not None and status["state"] in ("done", "failed")) or (deadline is not None and time.monotonic() > deadline):
                return status
            time.sleep(POLL_SECONDS)


def _show(view: View, status: Status) -> None:
    batches = status.get("batches")
    view.show("intake", int(batches is not None), 1)
    for stage in STAGES[1:]:
        view.show(stage, status["stages"].get(stage, 0), batches)


def print_outcome(status: Status) -> None:
    """How a run ended, in two lines at most and one for each error."""
    say((f"{status['runId']} {status['state']}", "bold"))
    if status.get("summary"):
        counts = [f"{count} {word}" for part in ("statuses", "resolutions") for word, count in sorted(status["summary"][part].items())]
        say(f"{status['summary']['files']} files: ", ", ".join(counts))
    for error in status.get("errors", []):
        say(("error ", "red"), f"{error.get('stage')}: {error.get('error')}")
