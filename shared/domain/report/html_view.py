"""What report.html shows, as plain values that its template only lays out. The same facts as in report.md, and the diffs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from shared.domain.convert.base import split_decision_key
from shared.domain.decisions import drafts_of, sample_answers
from shared.domain.model import SEVERITIES, FileOutcome, Question, Resolution, Severity, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.document import operations_json
from shared.domain.report.model_view import LEAD, SHOWN, TITLE, Note, headline, marked, notes, tally, unlike_rules
from shared.domain.report.reading import ContextBlock, Contexts, Excerpts, context_html
from shared.domain.report.view import RuleGroup, questions, resolved, size, suggested_by
from shared.domain.report.web import web_links
from shared.domain.run import RunSetup

DIFF_LINES = 400
"""Lines of one file's diff that the page shows."""
PAGE_LINES = 6000
"""Lines of all diffs together: what a browser lays out within a second."""
PLACES = 200
"""Places of one message that the page lists."""
OPERATIONS = 20
_VALUE = 300
_DIFF_KINDS = {"+": "add", "-": "del", "@": "hunk", "\\": "note"}
_SECTIONS: tuple[tuple[Resolution, str, str], ...] = (
    ("needs-human", "Needs a person", "The program does not guess: each of these waits for an answer or for a change by hand."),
    ("suggested", "Suggested, not applied", "These may change how the application behaves. Run fix with --unsafe to apply them."),
    ("fixed", "Changed, and why", "Applied and proven: the rest of the text stays byte for byte, and a second run changes nothing."),
    ("ignored", "Ignored on purpose", "Harmless on AKS, or accepted by the team with a reason."),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message holds."""

    path: str
    line: int
    resource: str
    severity: Severity
    detail: str


@dataclass(frozen=True, slots=True)
class Message:
    """One text of a rule, its places, and how many more there are."""

    text: str
    places: list[Place]
    more: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule's suggestions would do in one file; `operations` are (operation, path, value as JSON or "")."""

    path: str
    operations: list[tuple[str, str, str]]
    more: int


@dataclass(frozen=True, slots=True)
class RuleBlock:
    """One rule of a section."""

    group: RuleGroup
    links: list[str]
    messages: list[Message]
    proposals: list[Proposal]
    context: ContextBlock | None = None
    """One of its places and what to read, where the page shows the rule for the first time."""


@dataclass(frozen=True, slots=True)
class Section:
    """All findings of one resolution."""

    resolution: Resolution
    title: str
    lead: str
    rules: list[RuleBlock]
    count: int


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that was written or removed; `lines` are (kind, text), `more` the lines of its diff that are not shown."""

    path: str
    what: str
    added: int
    removed: int
    lines: list[tuple[str, str]]
    more: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The open questions of one name in .aks-copilot.yaml, by text with the files that wait for each, and the lines that answer them."""

    name: str
    questions: dict[str, list[str]]
    lines: str
    drafts: dict[str, str]
    """What a language model would answer, by key."""


@dataclass(frozen=True, slots=True)
class ModelBlock:
    """What a language model did in the run; `found` counts the findings, `more` those that are not in `rows`."""

    title: str
    headline: str
    lead: str
    rows: list[Note]
    found: int
    more: int


def sections(files: Sequence[FileOutcome], excerpts: Excerpts | None = None) -> list[Section]:
    """The findings by resolution; sections without any are left out."""
    contexts = Contexts(excerpts)
    return [made for made in (_section(files, contexts, *head) for head in _SECTIONS) if made.count]


def _section(files: Sequence[FileOutcome], contexts: Contexts, kind: Resolution, title: str, lead: str) -> Section:
    rules = [_rule(files, kind, group, contexts) for group in resolved(files, kind)]
    lead += unlike_rules(files) if kind == "suggested" else ""
    return Section(kind, title, lead, rules, sum(len(r.group.rows) for r in rules))


def _rule(files: Sequence[FileOutcome], kind: Resolution, group: RuleGroup, contexts: Contexts) -> RuleBlock:
    def say(violation: Violation) -> str:
        return marked(violation) if kind == "fixed" else violation.reason or violation.message

    messages = [
        Message(text, [_place(o, v, said=say(v)) for o, v in rows[:PLACES]], max(0, len(rows) - PLACES))
        for text, rows in group.by_message(say).items()
    ]
    proposals = _proposals(files, group.rule_id) if kind == "suggested" else []
    context = contexts.first(group.rows) if kind != "ignored" else None
    return RuleBlock(group, web_links(group.links), messages, proposals, context_html(context) if context else None)


def _place(outcome: FileOutcome, violation: Violation, *, said: str) -> Place:
    found = violation.resource
    resource = f"{found.kind} {found.name or ''}".strip() if found else ""
    detail = "" if said in (violation.message, marked(violation)) else redact(violation.message)
    return Place(outcome.path, violation.line, resource, violation.severity, detail)


def _proposals(files: Sequence[FileOutcome], rule_id: str) -> list[Proposal]:
    return [
        Proposal(o.path, [_operation(op) for op in operations_json(o, made[:OPERATIONS])], max(0, len(made) - OPERATIONS))
        for o, made in suggested_by(files, rule_id)
    ]


def _operation(operation: object) -> tuple[str, str, str]:
    """A masked operation in report form; a long value is cut, report.json has it whole."""
    assert isinstance(operation, dict)  # noqa: S101 - operations_json makes nothing else
    value = json.dumps(operation["value"], ensure_ascii=False) if "value" in operation else ""
    return str(operation["op"]), str(operation["path"]), value if len(value) <= _VALUE else f"{value[:_VALUE]}…"


def matrix(files: Sequence[FileOutcome]) -> list[tuple[Severity, list[int]]]:
    """Findings by severity, the worst first; columns are the resolutions in the order of the sections."""
    found = [(v.severity, v.resolution) for o in files for v in o.violations]
    return [(severity, [found.count((severity, kind)) for kind, _, _ in _SECTIONS]) for severity in reversed(SEVERITIES)]


def asked(files: Sequence[FileOutcome]) -> tuple[list[Asked], str]:
    """The open questions by name, and the lines that answer all of them together, with the questions as comments."""
    found = questions(files)
    places = {question.key: paths for question, paths in found}
    named = groupby(found, key=lambda row: split_decision_key(row[0].key)[0])
    drafts = drafts_of(files)
    return [_asked(name, list(rows), drafts) for name, rows in named], sample_answers([q for q, _ in found], places)


def _asked(name: str, rows: list[tuple[Question, list[str]]], drafts: Mapping[str, str]) -> Asked:
    texts: dict[str, dict[str, None]] = {}
    for question, paths in rows:
        texts.setdefault(question.question, {}).update(dict.fromkeys(paths))
    lines = sample_answers([question for question, _ in rows]).splitlines()
    return Asked(
        name,
        {text: list(paths) for text, paths in texts.items()},
        "\n".join(line for line in lines if line and not line.lstrip().startswith("#")),
        {question.key: redact(drafts[question.key]) for question, _ in rows if question.key in drafts},
    )


def model(setup: RunSetup, files: Sequence[FileOutcome]) -> ModelBlock | None:
    """What a language model did; None in a run without one."""
    found = tally(setup, files)
    if found is None:
        return None
    told = notes(files)
    return ModelBlock(TITLE, headline(found), LEAD, told[:SHOWN], len(told), max(0, len(told) - SHOWN))


def changed(files: Sequence[FileOutcome], diffs: Mapping[str, str]) -> list[ChangedFile]:
    """The written files with their diffs, cut so that the page of a large application still opens."""
    made, left = [], PAGE_LINES
    for outcome in files:
        if outcome.status not in ("patched", "created"):
            continue
        diff = diffs.get(outcome.path, "")
        lines = _diff_lines(diff)
        shown = lines[: min(DIFF_LINES, left)]
        left -= len(shown)
        what = "not written any more: nothing is left in it" if outcome.removed else outcome.status
        made.append(ChangedFile(outcome.path, what, *size(diff), shown, len(lines) - len(shown)))
    return made


def _diff_lines(diff: str) -> list[tuple[str, str]]:
    """The hunks of a unified diff, line by line; the header says only what the page says already."""
    start = diff.find("\n@@ ")
    lines = diff[start + 1 :].rstrip("\n").split("\n") if start >= 0 else []
    return [(_DIFF_KINDS.get(line[:1], ""), line.removesuffix("\r")) for line in lines]
