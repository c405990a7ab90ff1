"""The body of a pull request: report.md for GitHub, with the questions as a task list, cut where GitHub's limit demands it.

What does not fit is counted in its place: nobody takes a cut list for a whole one. Text of a manifest must not act on GitHub: a name in it
calls nobody, a number in it refers to no issue (https://docs.github.com/en/get-started/writing-on-github).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from shared.domain.decisions import drafts_of
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.document import summary
from shared.domain.report.escape import code, inline, link
from shared.domain.report.model_view import LEAD, TITLE, marked, notes, sentence, unlike_rules
from shared.domain.report.view import RuleGroup, Say, questions, resolved, size, suggested_by, target, verdict
from shared.domain.report.web import visible, web_links
from shared.domain.run import RunSetup

LIMIT = 65_536
"""Characters that GitHub takes as a body; more is a 422, "body is too long (maximum is 65536 characters)"."""
_TEXT = 600
_NAME = 200
_PATHS = 3
_PLACES = 5
_ACTING = re.compile(r"(?<=[@#])(?=\w)|(?<=\bGH)(?=-\d)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)
"""Inside what GitHub turns into mentions, references and links."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A title with what stands above its entries, and the entries: whole or not at all."""

    title: str
    lead: str
    noun: str
    entries: list[str]

    @property
    def head(self) -> str:
        return f"## {self.title}\n\n{self.lead}\n\n" if self.lead else f"## {self.title}\n\n"

    def left(self, number: int) -> str:
        """What stands in the place of the last `number` entries."""
        if not number:
            return "\n"
        return f"\n**{number} more {self.noun} not shown here (the body of a pull request has a limit); report.md has all.**\n\n"


def body(setup: RunSetup, outcomes: Iterable[FileOutcome], diffs: Mapping[str, str], *, limit: int = LIMIT, first_line: str = "") -> str:
    """The body, at most `limit` characters as GitHub counts them. `diffs` are masked, by path; only the size of each is told.

    `first_line` (trusted Markdown) comes before everything: DESIGN 10 wants it where the source cluster reads the base branch.
    Raises ValueError where not even the head and the counts fit; 10,000 characters beyond `first_line` always do.
    """
    files = sorted(outcomes, key=lambda o: o.path)
    head = (f"{first_line}\n\n" if first_line else "") + _head(setup, files)
    return _filled(head, [section for section in _sections(files, diffs) if section.entries], limit)


def _filled(head: str, sections: Sequence[_Section], limit: int) -> str:
    """As many whole entries as fit, section by section; room for the count of every section is kept from the start."""
    room = limit - length(head) - sum(length(s.head + s.left(len(s.entries))) for s in sections)
    if room < 0:
        raise ValueError(f"{limit} characters are too few for the body of a pull request")
    parts = [head]
    for section in sections:
        sizes = list(accumulate(length(entry) for entry in section.entries))
        shown = bisect_right(sizes, room)
        room -= sizes[shown - 1] if shown else 0
        parts += [section.head, *section.entries[:shown], section.left(len(section.entries) - shown)]
    return "".join(parts)


def length(text: str) -> int:
    """Characters as JavaScript and GitHub count them at most: UTF-16 units."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _head(setup: RunSetup, files: Sequence[FileOutcome]) -> str:
    counts = summary(files)
    return (
        f"**{_name(setup.app)}: {verdict(files, counts)}.** From {_name(setup.source.profile)} to {_name(target(setup))}.\n\n"
        f"{counts['files']} files, {counts['violations']} findings: {counts['fixed']} fixed, {counts['suggested']} suggested, "
        f"{counts['needsHuman']} need a person. Run {code(setup.run_id)}.\n\n"
    )


def _sections(files: Sequence[FileOutcome], diffs: Mapping[str, str]) -> list[_Section]:
    ask = "Answer in `.aks-copilot.yaml` beside the manifests; the next run uses the answers and does not ask again."
    would = (
        "They may change how the application behaves, so somebody has to want them: `unsafe: true` under `repository` in "
        "`.aks-copilot.yaml` applies them from the next run on, `aks-copilot fix --unsafe` in a checkout." + unlike_rules(files)
    )
    unread = [o for o in files if o.status in ("failed", "refused")]
    written = [o for o in files if o.status in ("patched", "created")]
    return [
        _Section("Questions", ask, "questions", _questions(files)),
        _Section("Refused or failed: left exactly as they were", "", "files", [_unread(o) for o in unread]),
        _Section("Needs a person", "", "rules", [_rule(g, _reason) for g in resolved(files, "needs-human")]),
        _Section("Changed, and why", "", "rules", [_rule(g, marked) for g in resolved(files, "fixed")]),
        _Section("Suggested, not applied", would, "rules", [_rule(g, _reason, _would(files, g)) for g in resolved(files, "suggested")]),
        _Section(TITLE, LEAD, "findings", [f"{sentence(row, said, _code)}\n" for row in notes(files)]),
        _Section("Changed files", "", "files", [_changed(o, diffs) for o in written]),
        _Section("Ignored on purpose", "", "rules", [_rule(g, _reason) for g in resolved(files, "ignored")]),
    ]


def _reason(violation: Violation) -> str:
    """What was found, and why it was left."""
    said, reason = violation.message, violation.reason
    return f"{said} {reason}" if reason and reason != said else said


def _questions(files: Sequence[FileOutcome]) -> list[str]:
    """Tasks; a question that names its key and an example can be answered from the pull request alone."""
    drafted = drafts_of(files)
    return [
        f"- [ ] {said(question.question)} Key {_code(question.key)}, for example {_code(question.example)} ({_listed(paths)})"
        f"{_drafted(drafted.get(question.key))}\n"
        for question, paths in questions(files)
    ]


def _drafted(value: str | None) -> str:
    return "" if value is None else f". A language model would answer {_code(redact(value))}; nobody has taken it"


def _unread(outcome: FileOutcome) -> str:
    return f"- {said(outcome.path)} ({outcome.status}): {said(redact(outcome.reason or 'no reason given'))}\n"


def _changed(outcome: FileOutcome, diffs: Mapping[str, str]) -> str:
    added, removed = size(diffs.get(outcome.path, ""))
    what = "not written any more: nothing is left in it" if outcome.removed else outcome.status
    return f"- {said(outcome.path)}: {what}, +{added} -{removed}\n"


def _rule(group: RuleGroup, say: Say, more: str = "") -> str:
    """A rule's heading, its reason, and the first of its messages, each with its places."""
    title, links = f"{group.rule_id} {group.title}", web_links(group.links)
    head = link(visible(title), links[0]) if links else said(title)
    told = group.by_message(say)
    lines = [f"- {said(text)} ({_listed([f'{o.path}:{v.line}' for o, v in rows])})" for text, rows in list(told.items())[:_PLACES]]
    if len(told) > _PLACES:
        lines.append(f"- and {len(told) - _PLACES} more of this rule: report.md")
    return (
        "\n".join([f"### {head} ({group.severity}, {len(group.rows)})", "", *([said(group.why), ""] if group.why else []), *lines])
        + f"\n{more}\n"
    )


def _would(files: Sequence[FileOutcome], group: RuleGroup) -> str:
    """What it would do, each operation once, with the files it is for."""
    places: dict[str, list[str]] = {}
    for outcome, made in suggested_by(files, group.rule_id):
        for op in made:
            places.setdefault(f"{op.op} {op.path}", []).append(outcome.path)
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    told = [f"{_code(text)} ({_listed(paths)})" for text, paths in list(places.items())[:_PLACES]]
    return f"- It would: {', '.join(told)}{more}\n" if told else ""


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _PATHS} more" if len(paths) > _PATHS else ""
    return ", ".join(said(p) for p in paths[:_PATHS]) + more


def said(text: str) -> str:
    """Text in the middle of a line that acts on nothing, cut where it is very long."""
    return "<!-- -->".join(_ACTING.split(inline(_short(text, _TEXT))))


def _name(text: str) -> str:
    return said(_short(text, _NAME))


def _code(text: str) -> str:
    return code(_short(text, _TEXT))


def _short(text: str, most: int) -> str:
    flat: str = visible(" ".join(text.split()))
    return flat if len(flat) <= most else f"{flat[:most]}…"
