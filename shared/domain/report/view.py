"""What the pages for people have in common (report.md, report.html, the body of a pull request): order, grouping, and secrets hidden.

Texts here are plain: each page escapes them for its own markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from shared.domain.model import SEVERITIES, FileOutcome, PatchOperation, Question, Resolution, Severity, Violation
from shared.domain.report.credentials import redact
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup

_EVIDENCE_SHOWN = 5
Found = tuple[FileOutcome, Violation]
Say = Callable[[Violation], str]


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """The findings of one rule; `why` is empty for a rule that is not in the rule book. `links`: the rule's own pages first."""

    rule_id: str
    title: str
    severity: Severity
    why: str
    links: tuple[str, ...]
    rows: tuple[Found, ...]

    def by_message(self, say: Say) -> dict[str, list[Found]]:
        """The rows below each distinct text, in order; texts are redacted."""
        told: dict[str, list[Found]] = {}
        for row in self.rows:
            told.setdefault(redact(say(row[1])), []).append(row)
        return told


def verdict(files: Sequence[FileOutcome], counts: Mapping[str, int]) -> str:
    """What is left, in half a line; `counts` is the summary of report.json."""
    failed = sum(o.status == "failed" for o in files)
    left = [
        f"{counts['needsHuman']} to decide" if counts["needsHuman"] else "",
        f"{counts['suggested']} suggested" if counts["suggested"] else "",
        f"{counts['refused']} refused" if counts["refused"] else "",
        f"{failed} failed" if failed else "",
    ]
    said = ", ".join(part for part in left if part)
    return said or ("ready for AKS" if counts["documents"] else "no Kubernetes manifest found")


def evidence(setup: RunSetup) -> str:
    """Why the source is taken for what it is; "" where it was told."""
    found = setup.source.evidence
    more = f"; and {len(found) - _EVIDENCE_SHOWN} more" if len(found) > _EVIDENCE_SHOWN else ""
    return "; ".join(redact(e) for e in found[:_EVIDENCE_SHOWN]) + more


def target(setup: RunSetup) -> str:
    """The target's title and what it enforces."""
    levels = {"safeguards": "safeguards", "podSecurity": "Pod Security"}
    told = [
        str(setup.target.get("title") or setup.target.get("name") or "default"),
        *(f"{said} {setup.target[k]}" for k, said in levels.items() if k in setup.target),
    ]
    return redact("; ".join(told))


def questions(files: Iterable[FileOutcome]) -> list[tuple[Question, list[str]]]:
    """Every open question once, by key, with the files that ask it."""
    found: dict[str, tuple[Question, list[str]]] = {}
    for outcome in files:
        for question in outcome.questions:
            _, paths = found.setdefault(question.key, (question, []))
            if outcome.path not in paths:
                paths.append(outcome.path)
    return [found[key] for key in sorted(found)]


def resolved(files: Iterable[FileOutcome], resolution: Resolution) -> list[RuleGroup]:
    """The findings of one resolution by rule, the worst first."""
    found = [(o, v) for o in files for v in o.violations if v.resolution == resolution]
    ordered = sorted(found, key=lambda row: (-SEVERITIES.index(row[1].severity), row[1].rule_id))
    return [_group(rule_id, tuple(rows)) for rule_id, rows in groupby(ordered, key=lambda row: row[1].rule_id)]


def _group(rule_id: str, rows: tuple[Found, ...]) -> RuleGroup:
    first, rule = rows[0][1], by_id().get(rule_id)
    pages = dict.fromkeys((*(rule.links if rule else ()), *(page for _, found in rows for page in found.links)))
    return RuleGroup(rule_id, first.title, first.severity, rule.why if rule else "", tuple(pages), rows)


def suggested_by(files: Iterable[FileOutcome], rule_id: str) -> list[tuple[FileOutcome, list[PatchOperation]]]:
    """What the suggestions of a rule would do, by file."""
    return _of_rule(((o, o.suggestions) for o in files), rule_id)


def applied_by(files: Iterable[FileOutcome], rule_id: str) -> list[tuple[FileOutcome, list[PatchOperation]]]:
    """What the fixes of a rule did, by file."""
    return _of_rule(((o, o.operations) for o in files), rule_id)


def _of_rule(
    files: Iterable[tuple[FileOutcome, tuple[PatchOperation, ...]]], rule_id: str
) -> list[tuple[FileOutcome, list[PatchOperation]]]:
    made = [(o, [op for op in operations if op.rule_id == rule_id]) for o, operations in files]
    return [(o, operations) for o, operations in made if operations]


def size(diff: str) -> tuple[int, int]:
    """Lines that a file's diff adds and removes."""
    lines = [line for line in diff.split("\n") if not line.startswith(("--- ", "+++ "))]
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
