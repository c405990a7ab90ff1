"""What a check run on GitHub says: conclusion, title, summary, and an annotation at each line that a finding is about.

Limits are GitHub's (https://docs.github.com/en/rest/checks/runs, read 2026-11): 65 535 characters of summary, 50 annotations a request,
255 characters in an annotation's title, 64 KB in its other texts; columns only where an annotation is one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.model import SEVERITIES, FileOutcome, Severity, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.document import operations_json, summary
from shared.domain.report.pull_request import body
from shared.domain.report.view import verdict
from shared.domain.repository import FailOn
from shared.domain.run import RunSetup

BATCH = 50
MOST = 1000
"""Annotations of one check: a reader is lost long before."""
_SUMMARY, _TITLE, _TEXT = 65_000, 255, 8_000
_LEVEL = {"error": "failure", "warning": "warning", "info": "notice"}
_OPEN = ("suggested", "needs-human")
_FIXED = {"fixed": "Fixed in the result. ", "suggested": "A change is suggested. "}
Conclusion = Literal["success", "neutral", "failure"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A finished check, apart from who and where. Annotations are in GitHub's form, the gravest first."""

    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Mapping[str, Any], ...]


def check_name(app: str) -> str:
    """One check per application and commit."""
    return f"aks-copilot / {app}"


def finished_check(
    setup: RunSetup, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str], *, folder: str = "", fail_on: FailOn = "error"
) -> CheckReport:
    """The check of a finished run. `folder` is where the application lies in its repository ("" for the root)."""
    found = _ordered(_annotations(outcomes, f"{folder}/" if folder else ""))
    left_out = max(0, len(found) - MOST)
    first = f"**{left_out} findings have no annotation: {MOST} are shown, the gravest first. The report has all.**" if left_out else ""
    title = f"{setup.app}: {verdict(outcomes, summary(outcomes))}"
    text = body(setup, outcomes, diffs, limit=_SUMMARY, first_line=first)
    return CheckReport(conclusion(outcomes, fail_on), title[:_TITLE], text, tuple(found[:MOST]))


def failed_check(app: str, stage: str, error: str) -> CheckReport:
    """The check of a run that could not be finished: nothing is known of the manifests."""
    why = f"The run failed at the {stage}: {redact(error)}\n\nNothing is said about the manifests."
    return CheckReport("failure", f"{app}: the run failed", why, ())


def conclusion(outcomes: Iterable[FileOutcome], fail_on: FailOn) -> Conclusion:
    """As the command line's exit code: failure where something of level `fail_on` is left, or a file could not be read or finished."""
    files = list(outcomes)
    left = [v.severity for o in files for v in o.violations if v.resolution in _OPEN]
    unread = any(o.status in ("refused", "failed") for o in files)
    grave = fail_on != "never" and (unread or any(_rank(s) >= _rank(fail_on) for s in left))
    return "failure" if grave else "neutral" if left or unread else "success"


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def _annotations(outcomes: Iterable[FileOutcome], prefix: str) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        if outcome.status in ("refused", "failed"):
            why = redact(outcome.reason or "no reason given")
            yield _annotation(prefix + outcome.path, 1, None, "warning" if outcome.status == "refused" else "failure", outcome.status, why)
        if outcome.status != "created":
            yield from (_of(prefix, outcome, v) for v in outcome.violations if v.resolution != "ignored")


def _of(prefix: str, outcome: FileOutcome, violation: Violation) -> dict[str, Any]:
    level = "notice" if violation.resolution == "fixed" else _LEVEL[violation.severity]
    title = f"{violation.rule_id} {violation.title}"
    reason = f"\n{violation.reason}" if violation.reason and violation.reason != violation.message else ""
    text = _FIXED.get(violation.resolution, "") + violation.message + reason
    made = _annotation(prefix + outcome.path, violation.line, violation.column, level, title, redact(text))
    details = _operations(outcome, violation.rule_id)
    return made | ({"raw_details": details} if details else {})


def _annotation(path: str, line: int, column: int | None, level: str, title: str, message: str) -> dict[str, Any]:
    place = {"path": path, "start_line": line, "end_line": line}
    columns = {} if column is None else {"start_column": column, "end_column": column}
    return place | columns | {"annotation_level": level, "title": title[:_TITLE], "message": _cut(message)}


def _operations(outcome: FileOutcome, rule_id: str) -> str:
    """What the rule changes in this file, applied or suggested, as RFC 6902 operations; secrets hidden."""
    made = [op for op in (*outcome.operations, *outcome.suggestions) if op.rule_id == rule_id]
    return _cut("\n".join(json.dumps(one, ensure_ascii=False) for one in operations_json(outcome, made)))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"


def _ordered(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    levels = ("failure", "warning", "notice")
    return sorted(found, key=lambda a: (levels.index(a["annotation_level"]), a["path"], a["start_line"], a["title"], a["message"]))
