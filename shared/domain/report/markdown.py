"""report.md: for a platform engineer with forty applications and no wish to read a diff twice.

What needs a person comes first, grouped by rule so that one answer serves all its places; what was changed and why comes after.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from shared.domain.decisions import drafts_of
from shared.domain.model import FileOutcome, PatchOperation, Violation
from shared.domain.pointer import MISSING, JsonValue
from shared.domain.report.credentials import redact
from shared.domain.report.document import operations_json, summary
from shared.domain.report.escape import code, inline, link
from shared.domain.report.model_view import LEAD, SHOWN, TITLE, headline, marked, notes, offer, sentence, tally, unlike_rules
from shared.domain.report.reading import Contexts, Excerpts, context_md
from shared.domain.report.view import Found, RuleGroup, Say, applied_by, evidence, questions, resolved, size, suggested_by, target, verdict
from shared.domain.run import RunSetup

_PLACES_SHOWN = 10
_OPERATIONS_SHOWN = 5
_VALUE_SHOWN = 60


def report_md(setup: RunSetup, outcomes: Iterable[FileOutcome], diffs: Mapping[str, str], excerpts: Excerpts | None = None) -> str:
    """The page. `diffs` are masked, by path; only the size of each is told here."""
    files, contexts = sorted(outcomes, key=lambda o: o.path), Contexts(excerpts)
    sections = [
        _headline(setup, files),
        _needs_human(files, contexts),
        _not_read(files),
        _suggested(files, contexts),
        _model(setup, files),
        _changed(files, diffs, contexts),
        _ignored(files),
        _untouched(files),
    ]
    return "\n".join(line for section in sections for line in section)


def _headline(setup: RunSetup, files: Sequence[FileOutcome]) -> Iterator[str]:
    counts = summary(files)
    yield f"# {inline(setup.app)}: {verdict(files, counts)}"
    yield ""
    yield f"- **Source**: {inline(setup.source.profile)}{f' ({inline(evidence(setup))})' if setup.source.evidence else ''}"
    yield f"- **Target**: {inline(target(setup))}"
    yield f"- **Files**: {counts['files']} ({', '.join(f'{n} {s}' for s, n in _statuses(files))}), {counts['documents']} documents"
    yield (
        f"- **Findings**: {counts['violations']} ({counts['fixed']} fixed, {counts['suggested']} suggested, "
        f"{counts['needsHuman']} need a person)"
    )
    yield f"- **Run**: {code(setup.run_id)}"
    yield "- **In context**: `aks-copilot explain FILE:LINE` shows a place with its lines, what the fix does or waits for, and what to read"
    if said := offer(setup, files):
        yield f"- **Language model**: {said}"
    yield "- **The move**: [cutover.md](cutover.md) has it step by step, [resources.md](resources.md) what to create in Azure first"
    yield ""


def _statuses(files: Sequence[FileOutcome]) -> list[tuple[str, int]]:
    return sorted(Counter(o.status for o in files).items())


def _needs_human(files: Sequence[FileOutcome], contexts: Contexts) -> Iterator[str]:
    found = resolved(files, "needs-human")
    asked = questions(files)
    if not found and not asked:
        return
    yield from ("## Needs a person first", "")
    if asked:
        yield "Answer these in `.aks-copilot.yaml` beside the manifests; the next run uses the answers and does not ask again."
        yield ""
        drafted = drafts_of(files)
        for question, paths in asked:
            more = (
                f". A language model would answer {code(redact(drafted[question.key]))}; nobody has taken it"
                if question.key in drafted
                else ""
            )
            yield f"- {inline(question.question)} Key {code(question.key)}, for example {code(question.example)} ({_listed(paths)}){more}"
        yield ""
    yield from _by_rule(found, lambda v: v.reason or v.message, contexts=contexts)


def _suggested(files: Sequence[FileOutcome], contexts: Contexts) -> Iterator[str]:
    found = resolved(files, "suggested")
    if found:
        yield from ("## Suggested, not applied", "")
        yield "These may change how the application behaves. `--unsafe` applies them; report.json has each operation." + unlike_rules(files)
        yield ""
        yield from _by_rule(found, lambda v: v.reason or v.message, partial(_would, files), contexts)


def _would(files: Sequence[FileOutcome], rule_id: str) -> Iterator[str]:
    for outcome, made in suggested_by(files, rule_id):
        yield f"- It would, in {inline(outcome.path)}: {_operations(outcome, made)}"


def _did(files: Sequence[FileOutcome], rule_id: str) -> Iterator[str]:
    for outcome, made in applied_by(files, rule_id)[:1]:
        yield f"- For example in {inline(outcome.path)}: {_operations(outcome, made)}"


def _operations(outcome: FileOutcome, made: Sequence[PatchOperation]) -> str:
    """The first operations in words, with values that are short; masked."""
    shown = operations_json(outcome, made[:_OPERATIONS_SHOWN])
    more = f" and {len(made) - _OPERATIONS_SHOWN} more" if len(made) > _OPERATIONS_SHOWN else ""
    return ", ".join(_operation(o) for o in shown if isinstance(o, dict)) + more


def _operation(operation: Mapping[str, JsonValue]) -> str:
    value = operation.get("value", MISSING)
    short = value is not MISSING and not isinstance(value, (dict, list)) and len(str(value)) <= _VALUE_SHOWN
    return code(f"{operation['op']} {operation['path']}") + (f" with {code(json.dumps(value, ensure_ascii=False))}" if short else "")


def _model(setup: RunSetup, files: Sequence[FileOutcome]) -> Iterator[str]:
    found = tally(setup, files)
    if found is None:
        return
    yield from (f"## {TITLE}", "", inline(headline(found)), "", LEAD, "")
    rows = notes(files)
    yield from (sentence(row, inline, code) for row in rows[:SHOWN])
    yield from ([f"- and {len(rows) - SHOWN} more: report.json has them all"] if len(rows) > SHOWN else [])
    yield from ([""] if rows else [])


def _changed(files: Sequence[FileOutcome], diffs: Mapping[str, str], contexts: Contexts) -> Iterator[str]:
    written = [o for o in files if o.status in ("patched", "created")]
    if not written:
        return
    yield from ("## Changed, and why", "")
    yield from _by_rule(resolved(files, "fixed"), marked, partial(_did, files), contexts)
    yield from ("| File | What | Lines |", "|---|---|---|")
    for outcome in written:
        what = "not written any more: nothing is left in it" if outcome.removed else outcome.status
        added, removed = size(diffs.get(outcome.path, ""))
        yield f"| {inline(outcome.path)} | {what} | +{added} -{removed} |"
    yield ""


def _not_read(files: Sequence[FileOutcome]) -> Iterator[str]:
    for status, title in (("failed", "Failed"), ("refused", "Refused: left exactly as they were")):
        rows = [o for o in files if o.status == status]
        if rows:
            yield from (f"## {title}", "")
            yield from (f"- {inline(o.path)}: {inline(redact(o.reason or 'no reason given'))}" for o in rows)
            yield ""


def _ignored(files: Sequence[FileOutcome]) -> Iterator[str]:
    found = resolved(files, "ignored")
    if found:
        yield from ("## Ignored on purpose", "")
        yield from _by_rule(found, lambda v: v.reason or v.message)


def _untouched(files: Sequence[FileOutcome]) -> Iterator[str]:
    unchanged = sum(o.status == "unchanged" for o in files)
    skipped = sum(o.status == "skipped" for o in files)
    if unchanged or skipped:
        yield f"Untouched, byte for byte: {unchanged} manifest(s), {skipped} other file(s)."
        yield ""


def _by_rule(
    groups: Iterable[RuleGroup], say: Say, also: Callable[[str], Iterable[str]] = lambda _: (), contexts: Contexts | None = None
) -> Iterator[str]:
    """One heading for each rule; under it each distinct message once, with its places, what `also` adds, and once what to read."""
    for group in groups:
        title = f"{group.rule_id} {group.title}"
        yield f"### {link(title, group.links[0]) if group.links else inline(title)} ({group.severity}, {len(group.rows)})"
        yield from ("", *((inline(group.why), "") if group.why else ()))
        for message, rows in group.by_message(say).items():
            yield f"- {inline(message)}{_page(rows[0][1], group)}"
            yield from (f"  - {_place(row, say)}" for row in rows[:_PLACES_SHOWN])
            if len(rows) > _PLACES_SHOWN:
                yield f"  - and {len(rows) - _PLACES_SHOWN} more places (report.json has them all)"
        yield from (*also(group.rule_id), "")
        context = contexts.first(group.rows) if contexts else None
        yield from context_md(context) if context else ()


def _page(violation: Violation, group: RuleGroup) -> str:
    """The finding's own page, where it is not the one of the heading: a loss has the page of the fix that loses it."""
    return f" ({link('page', violation.links[0])})" if violation.links and violation.links[0] != group.links[0] else ""


def _place(row: Found, say: Say) -> str:
    outcome, violation = row
    named = _named(violation) if say(violation) in (violation.message, marked(violation)) else f": {inline(redact(violation.message))}"
    return f"{inline(outcome.path)}:{violation.line}{named}"


def _named(violation: Violation) -> str:
    resource = violation.resource
    return "" if resource is None else " " + inline(f"{resource.kind} {resource.name or ''}")


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(inline(p) for p in paths[:3]) + more
