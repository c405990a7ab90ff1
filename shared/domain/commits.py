"""A run's changes as a list of commits, one for each family of rules, each saying why.

A file with changes of several families goes through a state after each. Whether that is possible is tried, not believed: its operations
in the order of the families must give the same bytes as in their own order. Where they do not, the file goes whole into the commit of
its last family, so that the last tree always is what the run made, byte for byte.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from shared.domain import editor
from shared.domain.decision_file import FILE_NAME
from shared.domain.errors import AksCopilotError
from shared.domain.families import FAMILIES, family_of
from shared.domain.inspector import manifest_of
from shared.domain.ledger import Read
from shared.domain.model import FileOutcome, PatchOperation
from shared.domain.report.credentials import redact
from shared.domain.report.model_view import MARK
from shared.domain.report.web import visible
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup, SourceFile
from shared.domain.webhook import RUN_TRAILER

ANSWERS = "answers"
"""The family of the decisions file: its commit is the last one."""
FOLLOWING = "00"
"""General rules: kustomizations and references follow what the others changed."""
_SUBJECT, _WIDTH, _FILES, _SAID, _RULES = 72, 72, 10, 200, 20
_SUBJECTS = {ANSWERS: "Questions and answers for AKS", FOLLOWING: "What follows from the changes for AKS"}
_ACTING = re.compile(r"(?<=[@#])(?=\w)|(?<=\bGH)(?=-\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit: the files as it leaves them (None: the file goes), and for each rule the files that it changes, with what was wrong."""

    family: str
    files: Mapping[str, bytes | None]
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)


def steps(outcomes: Iterable[FileOutcome], original: Read, final: Read) -> list[Step]:
    """The commits of a run in their order. `original` and `final` give bytes by path; None where there is no such file."""
    files: dict[str, dict[str, bytes | None]] = {}
    rules: dict[str, dict[str, list[str]]] = {}
    for outcome in outcomes:
        if outcome.status not in ("patched", "created"):
            continue
        states = _states(outcome, original(outcome.path), None if outcome.removed else final(outcome.path))
        for family, data in states.items():
            files.setdefault(family, {})[outcome.path] = data
        for rule in sorted({op.rule_id for op in outcome.operations}):
            family = _family(outcome.path, rule)
            named = rules.setdefault(family if family in states else max(states, key=_rank), {})
            named.setdefault(rule, []).append(_changed(outcome, rule))
    return [Step(family, files[family], rules.get(family, {})) for family in sorted(files, key=_rank)]


def _changed(outcome: FileOutcome, rule_id: str) -> str:
    """A file, and what the rule found wrong in it; and who mended it with which sources, where that was a language model."""
    model = _by_model(outcome, rule_id)
    found = list(dict.fromkeys(v.message for v in outcome.violations if v.rule_id == rule_id and v.resolution == "fixed"))
    if not found:
        return outcome.path + model
    said = redact(found[0])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{outcome.path}: {said if len(said) <= _SAID else said[:_SAID] + '…'}{more}{model}"


def _by_model(outcome: FileOutcome, rule_id: str) -> str:
    mended = [v.advice for v in outcome.violations if v.rule_id == rule_id and v.resolution == "fixed" and v.advice]
    if not mended:
        return ""
    read = "; ".join(dict.fromkeys(source for advice in mended for _, source in advice.sources))
    return f" {MARK}{f', which read {redact(read)[:_SAID]}' if read else ''}"


def message(step: Step, setup: RunSetup) -> str:
    """Subject, the reason of each rule with its files, and the trailer by which the program knows its own commits."""
    told = [_told(rule, changed) for rule, changed in sorted(step.rules.items())]
    if step.family == ANSWERS:
        told = ["Answers that were given stay; questions that are open stand there with\nan example. The next run uses what is answered."]
    return "\n\n".join([subject(_SUBJECTS.get(step.family) or f"{FAMILIES[step.family]} for AKS", setup.app), *told, trailer(setup.run_id)])


def whole_message(what: str, found: Sequence[Step], setup: RunSetup) -> str:
    """The message of one commit that has all steps: on top of what others committed, or where there are no states in between."""
    rules = [_told(rule, changed) for step in found if step.family != ANSWERS for rule, changed in sorted(step.rules.items())]
    more = [f"and {len(rules) - _RULES} more rules: the pull request has them all"] if len(rules) > _RULES else []
    return "\n\n".join([subject(what, setup.app), *rules[:_RULES], *more, trailer(setup.run_id)])


def subject(text: str, app: str) -> str:
    """At most 72 characters; the application is named where there is room."""
    whole = f"{text} ({app})"
    return whole if len(whole) <= _SUBJECT else text[:_SUBJECT]


def trailer(run_id: str) -> str:
    """The last line of every commit of the program."""
    return f"{RUN_TRAILER}: {run_id}"


def _told(rule_id: str, changed: Sequence[str]) -> str:
    rule = by_id().get(rule_id)
    said = f"{rule_id} {rule.title}. {' '.join(rule.why.split())}" if rule else rule_id
    more = [f"and {len(changed) - _FILES} more files"] if len(changed) > _FILES else []
    lines = [line for one in changed[:_FILES] for line in _wrapped(f"- {harmless(one)}", "  ")]
    return "\n".join([*_wrapped(said), *lines, *more])


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def harmless(text: str) -> str:
    """A path in a commit message: one line, that calls nobody and closes no issue."""
    return "\u200b".join(_ACTING.split(visible(" ".join(text.split()))))


def _states(outcome: FileOutcome, before: bytes | None, after: bytes | None) -> dict[str, bytes | None]:
    """What the file is after the commit of each family that it is in."""
    ordered = sorted(outcome.operations, key=lambda op: _rank(_family(outcome.path, op.rule_id)))
    families = [family for family, _ in groupby(ordered, key=lambda op: _family(outcome.path, op.rule_id))]
    if len(families) > 1 and before is not None and outcome.status == "patched":
        found = _tried(SourceFile(outcome.path, before), ordered)
        if found and (found[families[-1]] or None) == (after or None):
            return found | {families[-1]: after}
    return {families[-1] if families else _family(outcome.path, ""): after}


def _tried(file: SourceFile, ordered: Sequence[PatchOperation]) -> dict[str, bytes | None] | None:
    """The file after each family's operations; None where an order other than the run's own cannot be."""
    states: dict[str, bytes | None] = {}
    done: list[PatchOperation] = []
    try:
        manifest = manifest_of(file)
        for family, operations in groupby(ordered, key=lambda op: _family(file.path, op.rule_id)):
            done += operations
            states[family] = editor.apply_operations(manifest, done)
    except (AksCopilotError, LookupError):
        return None
    return states


def _family(path: str, rule_id: str) -> str:
    return ANSWERS if path == FILE_NAME else family_of(rule_id)


def _rank(family: str) -> tuple[int, str]:
    return (2 if family == ANSWERS else 1 if family == FOLLOWING else 0, family)
