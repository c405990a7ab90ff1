"""What `inspect` and `fix` say on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from shared.cli.console import SEVERITY_STYLE, paragraph, say
from shared.domain.model import FileOutcome, Violation
from shared.domain.report import summary
from shared.domain.report.credentials import redact
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup

_STATUS_STYLE = {"patched": "green", "created": "green", "refused": "yellow", "failed": "bold red"}


def print_inspection(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> None:
    """Findings by file, each rule's why and link once, and a summary line."""
    print_source(setup)
    explained: set[str] = set()
    for outcome in outcomes:
        _print_file(outcome, [v for v in outcome.violations if v.resolution != "ignored"], explained)
    print_summary(outcomes)


def print_fixes(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> None:
    """What was changed, then what is left, by file, and a summary line."""
    print_source(setup)
    for outcome in outcomes:
        if outcome.status in ("patched", "created"):
            _print_patched(outcome)
    explained: set[str] = set()
    for outcome in outcomes:
        _print_file(outcome, [v for v in outcome.violations if v.resolution in ("needs-human", "suggested")], explained)
    print_summary(outcomes)


def print_source(setup: RunSetup) -> None:
    """Where the manifests come from, and why the program thinks so."""
    because = f" ({redact('; '.join(setup.source.evidence[:2]))})" if setup.source.evidence else ""
    say("source ", (setup.source.profile, "bold"), because)


def print_summary(outcomes: Sequence[FileOutcome]) -> None:
    """The counts of report.json as one line."""
    counts = summary(outcomes)
    failed = sum(o.status == "failed" for o in outcomes)
    parts = [
        _many(counts["files"], "file"), _many(counts["violations"], "finding"), f"{counts['fixed']} fixed",
        f"{counts['suggested']} suggested", f"{counts['needsHuman']} need a person", f"{counts['refused']} refused",
    ]  # fmt: skip
    say((", ".join(parts + ([f"{failed} failed"] if failed else [])), "bold"))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _print_patched(outcome: FileOutcome) -> None:
    done = "removed (nothing is left in it)" if outcome.removed else outcome.status
    rules = ", ".join(dict.fromkeys(o.rule_id for o in outcome.operations))
    say((f"{done:8} ", _STATUS_STYLE[outcome.status]), outcome.path, (f"  {rules}" if rules else "", "dim"))


def _print_file(outcome: FileOutcome, violations: Sequence[Violation], explained: set[str]) -> None:
    troubled = outcome.status in ("refused", "failed")
    if not violations and not troubled:
        return
    say("")
    say((outcome.path, "bold"))
    if troubled:
        say("  ", (outcome.status, _STATUS_STYLE[outcome.status]), f" {redact(outcome.reason or '')}")
    for violation in violations:
        _print_violation(outcome.path, violation, explained)


def _print_violation(path: str, violation: Violation, explained: set[str]) -> None:
    place = f"{path}:{violation.line}:{violation.column} "
    style = SEVERITY_STYLE[violation.severity]
    say("  ", place, (violation.severity, style), f" {violation.rule_id} ", redact(violation.message))
    if violation.reason and violation.reason != violation.message:
        paragraph(f"{violation.resolution}: {redact(violation.reason)}", "      ")
    if violation.rule_id in explained:
        return
    explained.add(violation.rule_id)
    rule = by_id().get(violation.rule_id)
    if rule is not None:
        paragraph(rule.why, "      ")
    if violation.links:
        say("      ", (violation.links[0], "dim"))
