"""report.md: for a platform engineer with forty applications and no wish to read a diff twice.

What needs a person comes first, grouped by rule so that one answer serves all its places; what was changed and why comes after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from shared.domain.model import SEVERITIES, FileOutcome, Question, Resolution, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.document import summary
from shared.domain.report.escape import code, inline, link
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup

_PLACES_SHOWN = 10
_OPERATIONS_SHOWN = 5
Found = tuple[FileOutcome, Violation]


def report_md(setup: RunSetup, outcomes: Iterable[FileOutcome], diffs: Mapping[str, str]) -> str:
    """The page. `diffs` are masked, by path; only the size of each is told here."""
    files = sorted(outcomes, key=lambda o: o.path)
    sections = [
        _headline(setup, files),
        _needs_human(files),
        _not_read(files),
        _suggested(files),
        _changed(files, diffs),
        _ignored(files),
        _untouched(files),
    ]
    return "\n".join(line for section in sections for line in section)


def _headline(setup: RunSetup, files: Sequence[FileOutcome]) -> Iterator[str]:
    counts = summary(files)
    yield f"# {inline(setup.app)}: {_verdict(files, counts)}"
    yield ""
    yield f"- **Source**: {inline(setup.source.profile)}{_evidence(setup.source.evidence)}"
    yield f"- **Target**: {_target(setup)}"
    yield f"- **Files**: {counts['files']} ({', '.join(f'{n} {s}' for s, n in _statuses(files))}), {counts['documents']} documents"
    yield (
        f"- **Findings**: {counts['violations']} ({counts['fixed']} fixed, {counts['suggested']} suggested, "
        f"{counts['needsHuman']} need a person)"
    )
    yield f"- **Run**: {code(setup.run_id)}"
    yield "- **The move**: [cutover.md](cutover.md) has it step by step, [resources.md](resources.md) what to create in Azure first"
    yield ""


def _verdict(files: Sequence[FileOutcome], counts: Mapping[str, int]) -> str:
    failed = sum(o.status == "failed" for o in files)
    left = [
        f"{counts['needsHuman']} to decide" if counts["needsHuman"] else "",
        f"{counts['suggested']} suggested" if counts["suggested"] else "",
        f"{counts['refused']} refused" if counts["refused"] else "",
        f"{failed} failed" if failed else "",
    ]
    said = ", ".join(part for part in left if part)
    return said or ("ready for AKS" if counts["documents"] else "no Kubernetes manifest found")


def _evidence(evidence: Sequence[str]) -> str:
    shown = "; ".join(inline(redact(e)) for e in evidence[:5])
    more = f"; and {len(evidence) - 5} more" if len(evidence) > 5 else ""
    return f" ({shown}{more})" if shown else ""


def _target(setup: RunSetup) -> str:
    target = setup.target
    levels = {"safeguards": "safeguards", "podSecurity": "Pod Security"}
    told = [
        str(target.get("title") or target.get("name") or "default"),
        *(f"{said} {target[k]}" for k, said in levels.items() if k in target),
    ]
    return inline(redact("; ".join(told)))


def _statuses(files: Sequence[FileOutcome]) -> list[tuple[str, int]]:
    return sorted(Counter(o.status for o in files).items())


def _needs_human(files: Sequence[FileOutcome]) -> Iterator[str]:
    found = _with(files, "needs-human")
    questions = _questions(files)
    if not found and not questions:
        return
    yield from ("## Needs a person first", "")
    if questions:
        yield "Answer these in `.aks-copilot.yaml` beside the manifests; the next run uses the answers and does not ask again."
        yield ""
        for question, paths in questions:
            yield f"- {inline(question.question)} Key {code(question.key)}, for example {code(question.example)} ({_listed(paths)})"
        yield ""
    yield from _by_rule(found, lambda v: v.reason or v.message)


def _questions(files: Sequence[FileOutcome]) -> list[tuple[Question, list[str]]]:
    found: dict[str, tuple[Question, list[str]]] = {}
    for outcome in files:
        for question in outcome.questions:
            _, paths = found.setdefault(question.key, (question, []))
            if outcome.path not in paths:
                paths.append(outcome.path)
    return [found[key] for key in sorted(found)]


def _suggested(files: Sequence[FileOutcome]) -> Iterator[str]:
    found = _with(files, "suggested")
    if found:
        yield from ("## Suggested, not applied", "")
        yield "These may change how the application behaves. `--unsafe` applies them; report.json has each operation."
        yield ""
        yield from _by_rule(found, lambda v: v.reason or v.message, partial(_would, files))


def _would(files: Sequence[FileOutcome], rule_id: str) -> Iterator[str]:
    """What the suggestions of a rule would do, by file."""
    for outcome in files:
        made = [op for op in outcome.suggestions if op.rule_id == rule_id]
        if made:
            more = f" and {len(made) - _OPERATIONS_SHOWN} more" if len(made) > _OPERATIONS_SHOWN else ""
            yield f"- It would, in {inline(outcome.path)}: {', '.join(code(f'{o.op} {o.path}') for o in made[:_OPERATIONS_SHOWN])}{more}"


def _changed(files: Sequence[FileOutcome], diffs: Mapping[str, str]) -> Iterator[str]:
    written = [o for o in files if o.status in ("patched", "created")]
    if not written:
        return
    yield from ("## Changed, and why", "")
    yield from _by_rule(_with(files, "fixed"), lambda v: v.message)
    yield from ("| File | What | Lines |", "|---|---|---|")
    for outcome in written:
        what = "not written any more: nothing is left in it" if outcome.removed else outcome.status
        yield f"| {inline(outcome.path)} | {what} | {_size(diffs.get(outcome.path, ''))} |"
    yield ""


def _size(diff: str) -> str:
    lines = [line for line in diff.split("\n") if not line.startswith(("--- ", "+++ "))]
    return f"+{sum(line.startswith('+') for line in lines)} -{sum(line.startswith('-') for line in lines)}"


def _not_read(files: Sequence[FileOutcome]) -> Iterator[str]:
    for status, title in (("failed", "Failed"), ("refused", "Refused: left exactly as they were")):
        rows = [o for o in files if o.status == status]
        if rows:
            yield from (f"## {title}", "")
            yield from (f"- {inline(o.path)}: {inline(redact(o.reason or 'no reason given'))}" for o in rows)
            yield ""


def _ignored(files: Sequence[FileOutcome]) -> Iterator[str]:
    found = _with(files, "ignored")
    if found:
        yield from ("## Ignored on purpose", "")
        yield from _by_rule(found, lambda v: v.reason or v.message)


def _untouched(files: Sequence[FileOutcome]) -> Iterator[str]:
    unchanged = sum(o.status == "unchanged" for o in files)
    skipped = sum(o.status == "skipped" for o in files)
    if unchanged or skipped:
        yield f"Untouched, byte for byte: {unchanged} manifest(s), {skipped} other file(s)."
        yield ""


def _with(files: Sequence[FileOutcome], resolution: Resolution) -> list[Found]:
    return [(o, v) for o in files for v in o.violations if v.resolution == resolution]


def _by_rule(found: Iterable[Found], say: Callable[[Violation], str], also: Callable[[str], Iterable[str]] = lambda _: ()) -> Iterator[str]:
    """One heading for each rule, the worst first; under it each distinct message once, with its places, and what `also` adds."""
    ordered = sorted(found, key=lambda row: (-SEVERITIES.index(row[1].severity), row[1].rule_id))
    for rule_id, rows in groupby(ordered, key=lambda row: row[1].rule_id):
        group = list(rows)
        first = group[0][1]
        title = f"{rule_id} {first.title}"
        yield f"### {link(title, first.links[0]) if first.links else inline(title)} ({first.severity}, {len(group)})"
        yield from ("", *_why(rule_id))
        for message, places in _by_message(group, say).items():
            yield f"- {inline(redact(message))}"
            yield from (f"  - {place}" for place in places[:_PLACES_SHOWN])
            if len(places) > _PLACES_SHOWN:
                yield f"  - and {len(places) - _PLACES_SHOWN} more places (report.json has them all)"
        yield from (*also(rule_id), "")


def _why(rule_id: str) -> Iterator[str]:
    rule = by_id().get(rule_id)
    if rule is not None:
        yield from (inline(rule.why), "")


def _by_message(group: Iterable[Found], say: Callable[[Violation], str]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for outcome, violation in group:
        said, place = say(violation), f"{inline(outcome.path)}:{violation.line}"
        named = _named(violation) if said == violation.message else f": {inline(redact(violation.message))}"
        places.setdefault(said, []).append(place + named)
    return places


def _named(violation: Violation) -> str:
    resource = violation.resource
    return "" if resource is None else " " + inline(f"{resource.kind} {resource.name or ''}")


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(inline(p) for p in paths[:3]) + more
