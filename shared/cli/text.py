"""What `inspect` and `fix` say on a terminal: every finding at its place, what repeats itself once, and a table by rule at the end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from shared.cli.console import SEVERITY_STYLE, paragraph, say
from shared.domain.decision_keys import GROUPS
from shared.domain.model import SEVERITIES, FileOutcome, Violation
from shared.domain.report import summary
from shared.domain.report.credentials import redact
from shared.domain.report.model_view import headline, offer, tally
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup

_STATUS_STYLE = {"patched": "green", "created": "green", "refused": "yellow", "failed": "bold red"}
_TROUBLES = ("refused", "failed")
_DETAIL = re.compile(r" \((?:line \d+|holds [^)]*)\)")
"""What differs in the reasons of files that are refused alike."""
_KEY = re.compile(rf"\b(?:{'|'.join(GROUPS)})\.\S+")
"""The key of a Decision in a reason: findings that differ in nothing else are alike."""
_IN_FULL = 3
"""How many findings of one rule and outcome a file shows in full where there are more than one above this."""
_PLACES = 10
"""How many lines are named of those that are not shown in full."""
_MANY = 10
"""From this number of findings on the table by rule is worth its lines."""


def print_inspection(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> None:
    """Findings by file, each rule's why and link once, a table by rule, and a summary line."""
    print_source(setup)
    _print_findings([(o, [v for v in o.violations if v.resolution != "ignored"]) for o in outcomes])
    print_summary(outcomes)


def print_fixes(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> None:
    """What was changed, then what is left, by file and by rule, and a summary line."""
    print_source(setup)
    for outcome in outcomes:
        if outcome.status in ("patched", "created"):
            _print_patched(outcome)
    _print_findings([(o, [v for v in o.violations if v.resolution in ("needs-human", "suggested")]) for o in outcomes])
    print_summary(outcomes)
    told = tally(setup, outcomes)
    said = headline(told) if told else offer(setup, outcomes)
    if said:
        say(said)


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


def _print_findings(found: Sequence[tuple[FileOutcome, Sequence[Violation]]]) -> None:
    said: set[tuple[str, str]] = set()
    for outcome, violations in found:
        if violations:
            _print_file(outcome, violations, said)
    _print_troubles([outcome for outcome, violations in found if not violations])
    _print_table([(outcome.path, violation) for outcome, violations in found for violation in violations])


def _print_troubles(outcomes: Iterable[FileOutcome]) -> None:
    """The files that were refused, or failed, with their reasons; of many alike in one folder (a chart's templates) some."""
    alike: dict[tuple[str, str, str], list[FileOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.status in _TROUBLES:
            alike[outcome.status, _DETAIL.sub("", outcome.reason or ""), str(PurePosixPath(outcome.path).parent)].append(outcome)
    if alike:
        say("")
    for (status, _, folder), group in alike.items():
        shown = len(group) if len(group) <= _IN_FULL + 1 else _IN_FULL
        for outcome in group[:shown]:
            _print_trouble(outcome, f"{outcome.path} ")
        if group[shown:]:
            say("  ", (status, _STATUS_STYLE[status]), f" {len(group) - shown} more files in {folder}, for the same reason")


def _print_trouble(outcome: FileOutcome, path: str = "") -> None:
    say("  ", (outcome.status, _STATUS_STYLE[outcome.status]), f" {path}{redact(outcome.reason or '')}")


def _print_file(outcome: FileOutcome, violations: Sequence[Violation], said: set[tuple[str, str]]) -> None:
    """The gravest first. `said` holds what was explained already, by rule: its why (under "") and each outcome with its reason."""
    say("")
    say((outcome.path, "bold"))
    if outcome.status in _TROUBLES:
        _print_trouble(outcome)
    alike: dict[tuple[str, str, str], list[Violation]] = defaultdict(list)
    for violation in sorted(violations, key=lambda v: -SEVERITIES.index(v.severity)):
        alike[violation.rule_id, violation.resolution, _KEY.sub("", violation.reason or "")].append(violation)
    for group in alike.values():
        _print_group(outcome.path, group, said)


def _print_group(path: str, group: Sequence[Violation], said: set[tuple[str, str]]) -> None:
    """Findings of one rule and outcome in one file: some in full, the lines of the others."""
    shown = len(group) if len(group) <= _IN_FULL + 1 else _IN_FULL
    for number, violation in enumerate(group[:shown]):
        place = f"{path}:{violation.line}:{violation.column} "
        style = SEVERITY_STYLE[violation.severity]
        say("  ", place, (violation.severity, style), f" {violation.rule_id} ", redact(violation.message))
        _explain(violation, said, first=number == 0)
    rest = group[shown:]
    if rest:
        lines = list(dict.fromkeys(str(v.line) for v in rest))
        more = ", ... (--format json has all)" if len(lines) > _PLACES else ""
        where = f"line{'s' if len(lines) > 1 else ''} {', '.join(lines[:_PLACES])}{more}"
        say("  ", f"{path}: {len(rest)} more of {group[0].rule_id}, the same otherwise, in {where}")


def _explain(violation: Violation, said: set[tuple[str, str]], *, first: bool) -> None:
    """What becomes of a finding, and once the rule's why and link; of the second of a group only what is new."""
    if violation.reason and violation.reason != violation.message:
        outcome = f"{violation.resolution}: {redact(violation.reason)}"
        known = (violation.rule_id, outcome) in said
        if first or not known:
            paragraph(f"{violation.resolution}, as above" if known else outcome, "      ")
        said.add((violation.rule_id, outcome))
    if (violation.rule_id, "") in said:
        return
    said.add((violation.rule_id, ""))
    rule = by_id().get(violation.rule_id)
    if rule is not None:
        paragraph(rule.why, "      ")
    if violation.links:
        say("      ", (violation.links[0], "dim"))


def _print_table(found: Iterable[tuple[str, Violation]]) -> None:
    """One line per rule, the gravest and most frequent first; nothing where the findings fit on a screen anyway."""
    rules: dict[str, list[tuple[str, Violation]]] = defaultdict(list)
    for path, violation in found:
        rules[violation.rule_id].append((path, violation))
    if sum(map(len, rules.values())) < _MANY:
        return
    say("")
    for rule, places in sorted(rules.items(), key=lambda r: (-SEVERITIES.index(r[1][0][1].severity), -len(r[1]), r[0])):
        first = places[0][1]
        files = _many(len({path for path, _ in places}), "file")
        say((f"{first.severity:8}", SEVERITY_STYLE[first.severity]), f"{rule} {len(places):4} in {files:10} {first.title}")
