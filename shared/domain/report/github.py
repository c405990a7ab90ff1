"""`--format github`: findings as workflow commands, which GitHub Actions shows beside the lines.

Escaping as the runner undoes it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.model import FileOutcome, Violation
from shared.domain.report.credentials import redact

_COMMAND = {"error": "error", "warning": "warning", "info": "notice"}


def github_annotations(outcomes: Iterable[FileOutcome]) -> list[str]:
    """One line for each finding that is left, and for each file that was refused or failed."""
    lines = []
    for outcome in sorted(outcomes, key=lambda o: o.path):
        if outcome.status in ("refused", "failed"):
            level = "error" if outcome.status == "failed" else "warning"
            lines.append(f"::{level} file={_property(outcome.path)},title={outcome.status}::{_data(outcome.reason or outcome.status)}")
        lines += [_annotation(outcome.path, v) for v in outcome.violations if v.resolution not in ("fixed", "ignored")]
    return lines


def _annotation(path: str, violation: Violation) -> str:
    place = f"file={_property(path)},line={violation.line},col={violation.column},title={_property(violation.rule_id)}"
    return f"::{_COMMAND[violation.severity]} {place}::{_data(violation.message)}"


def _data(text: str) -> str:
    return redact(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
