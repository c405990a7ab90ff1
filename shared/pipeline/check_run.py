"""The publisher `check`: one check run per application and commit, in progress while the run goes on, annotated when it is finished.

GitHub adds annotations up, so a retry goes on where the check run says the last one stopped. A token that may not write check runs
(only a GitHub App may) leaves a commit status instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.domain.check_run import BATCH, CheckReport, check_name, failed_check, finished_check
from shared.domain.code_host import CheckHost, CheckRun
from shared.domain.errors import CriticalError
from shared.pipeline import lock, names, origin, publish, results, state
from shared.pipeline.context import Context

NAME = "check"
_STATUS = {"success": "success", "neutral": "success", "failure": "failure"}
_DESCRIPTION = 140  # characters of a commit status


@dataclass(frozen=True, slots=True)
class CheckPublisher:
    """`report_url` has `{runId}` where the run's name goes; None where reports have no address."""

    host: CheckHost
    report_url: str | None = None

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context)."""
        source = origin.find(ctx, run)
        if source is None or source.results == "none":
            return None
        with lock.held(ctx, run, NAME):
            report, before = _report(ctx, run, source), publish.recall(ctx, run, NAME) or {}
            if before.get("digest") == _digest(report) and "error" not in before:
                return before
            return self._tell(_Place(run, source), report) | {"digest": _digest(report)}

    def _tell(self, place: _Place, report: CheckReport | None) -> dict[str, Any]:
        try:
            check = self.host.find(place.repository, place.sha, place.name, place.run)
            check = check or self.host.create(place.repository, self._created(place))
        except CriticalError:
            return self._status(place, report)
        return {"url": (check if report is None else self._complete(place, check, report)).url}

    def _created(self, place: _Place) -> dict[str, Any]:
        return {"name": place.name, "head_sha": place.sha, "external_id": place.run, "status": "in_progress"} | self._details(place)

    def _complete(self, place: _Place, check: CheckRun, report: CheckReport) -> CheckRun:
        done = {"status": "completed", "conclusion": report.conclusion}
        start = min(check.annotations, len(report.annotations))
        while True:
            batch = [dict(one) for one in report.annotations[start : start + BATCH]]
            start += len(batch)
            output: dict[str, Any] = {"title": report.title, "summary": report.summary} | ({"annotations": batch} if batch else {})
            last = start >= len(report.annotations)
            check = self.host.update(place.repository, check, {"output": output} | (done if last else {}))
            if last:
                return check

    def _status(self, place: _Place, report: CheckReport | None) -> dict[str, Any]:
        fields = {"context": place.name, "state": _STATUS[report.conclusion] if report else "pending"}
        fields["description"] = (report.title if report else "aks-copilot is at work")[:_DESCRIPTION]
        if self.report_url:
            fields["target_url"] = self.report_url.replace("{runId}", place.run)
        return {"url": self.host.set_status(place.repository, place.sha, fields)}

    def _details(self, place: _Place) -> dict[str, str]:
        return {"details_url": self.report_url.replace("{runId}", place.run)} if self.report_url else {}


class _Place:
    """Where a check belongs."""

    def __init__(self, run: str, source: origin.Origin) -> None:
        self.run, self.sha, self.repository = run, source.commit, source.repository
        self.name = check_name(names.app_of(run))


def _report(ctx: Context, run: str, source: origin.Origin) -> CheckReport | None:
    """What to say now; None while the run goes on."""
    failed, finished = state.find(ctx, names.failed(run)), results.finished(ctx, run)
    if failed is not None:
        return failed_check(names.app_of(run), str(failed["stage"]), str(failed["error"]))
    if finished is None:
        return None
    return finished_check(finished.setup, finished.outcomes, finished.diffs, folder=source.folder, fail_on=source.fail_on)


def _digest(report: CheckReport | None) -> str:
    return hashlib.sha256(json.dumps(report and asdict(report), sort_keys=True).encode()).hexdigest()[:16]
