"""The baseline of a run against its findings as a whole: those of no single object are waived here, and entries without use are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from shared.domain.acceptance import FILE_NAME, Acceptance, Entry
from shared.domain.model import FileOutcome, Violation
from shared.domain.rulebook import by_id
from shared.domain.yaml_lines import line_of

UNUSED_RULE = "AKS0014"
OPEN = ("needs-human", "suggested")


def waive(entries: Mapping[str, FileOutcome], acceptance: Acceptance, read: Callable[[str], bytes | None]) -> dict[str, FileOutcome]:
    """The entries of a report, each open finding that the baseline covers ignored, each baseline entry that covers none reported."""
    if not acceptance.entries:
        return dict(entries)
    settled = {path: replace(e, violations=tuple(_settled(path, v, acceptance) for v in e.violations)) for path, e in entries.items()}
    own, data = settled.get(FILE_NAME), read(FILE_NAME)
    if own is not None and data is not None:
        found = [(path, v) for path, e in settled.items() for v in e.violations]
        unused = [(n, acceptance.entries[n]) for n in acceptance.unused(found)]
        settled[FILE_NAME] = replace(own, violations=(*own.violations, *_reported(unused, data.decode("utf-8-sig"))))
    return settled


def _settled(path: str, violation: Violation, acceptance: Acceptance) -> Violation:
    verdict = acceptance.of(path, violation) if violation.resolution in OPEN else None
    return violation.resolved(*verdict) if verdict and verdict[0] == "ignored" else violation


def _reported(unused: list[tuple[int, Entry]], text: str) -> Iterator[Violation]:
    rule = by_id()[UNUSED_RULE]
    for number, entry in unused:
        place = f"{entry.file}, {entry.resource}" if entry.resource else entry.file
        message = f"Nothing of {entry.rule} is found any more at {place}, which {entry.by} accepted on {entry.date}."
        line = line_of(text, ["accepted", number])
        yield Violation(
            rule.id, rule.title, rule.severity, 0, f"/accepted/{number}", line, 1, None, message, rule.links, "ignored", rule.advice
        )
