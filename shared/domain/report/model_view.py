"""What a language model did in a run, as the pages for people tell it; and where there was none, what it could have been asked.

A model's words are untrusted: here they are plain text with credentials hidden, and each page escapes them for its own markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared.domain.advice import Advice, Tally
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.escape import link
from shared.domain.report.web import visible, web_links
from shared.domain.run import RunSetup

TITLE = "What the language model did"
LEAD = "Nothing that it says is trusted: what is accepted keeps within limits and is proven like a fix of the rules. Nobody reviewed it."
MARK = "(by a language model)"
SHOWN = 100
"""Findings that a page lists; report.json has all."""
_ORDER = ("accepted", "drafted", "refused", "not-asked")


@dataclass(frozen=True, slots=True)
class Note:
    """What came of one finding; `what` is one or two words, `changes` are operations without their values.

    `sources` are (title, where to read on, whether that is a web page).
    """

    path: str
    line: int
    rule: str
    what: str
    changes: tuple[str, ...]
    explanation: str
    sources: tuple[tuple[str, str, bool], ...]
    draft: tuple[str, str] | None
    because: str
    """Why answers were refused, or nothing was asked; "" where there is nothing to say."""


def tally(setup: RunSetup, files: Iterable[FileOutcome]) -> Tally | None:
    """The sums of a run with a model, None for one without."""
    if setup.model == "off":
        return None
    found = [(v, advice) for _, v, advice in _advised(files)]
    counts = Counter(advice.status for _, advice in found)
    unasked = Counter(reason for _, a in found if a.status == "not-asked" for reason in a.reasons[:1])
    costs = [advice.cost for _, advice in found if advice.cost is not None]
    return Tally(
        tuple(sorted({advice.model for _, advice in found} - {""})), counts, sum(_applied(v) for v, _ in found),
        sum(a.prompt_tokens for _, a in found), sum(a.answer_tokens for _, a in found), round(sum(costs), 6) if costs else None,
        redact(unasked.most_common(1)[0][0]) if unasked else "",
    )  # fmt: skip


def headline(found: Tally) -> str:
    """The sums as one sentence or two."""
    of, because = found.counts.get, f" ({found.why.rstrip('.')})" if found.why else ""
    if not found.asked:
        unasked = of("not-asked", 0)
        left = f"{unasked} finding{'' if unasked == 1 else 's'} could not be put to it{because}" if unasked else "nothing was left to ask"
        return f"The language model was not asked: {left}."
    suggested = of("accepted", 0) - found.applied
    told = [
        f"{found.applied} changed" if found.applied else "", f"{suggested} suggested" if suggested else "",
        f"{of('drafted', 0)} drafted as an answer" if of("drafted") else "", f"{of('refused', 0)} refused" if of("refused") else "",
    ]  # fmt: skip
    asked = f"{', '.join(found.names) or 'The language model'} was asked about {found.asked} finding{'' if found.asked == 1 else 's'}"
    more = f"; {of('not-asked', 0)} not put to it{because}" if of("not-asked") else ""
    price = f", cost {found.cost:g}" if found.cost is not None else ""
    said = ", ".join(part for part in told if part) or "nothing came of it"
    return f"{asked}: {said}{more}. {found.prompt_tokens} tokens in, {found.answer_tokens} out{price}."


def offer(setup: RunSetup, files: Iterable[FileOutcome]) -> str:
    """What a model would add to a run without one; "" where it would add nothing."""
    count = sum(o.askable for o in files)
    if setup.model != "off" or not count:
        return ""
    return f"{count} of the findings left could be put to a language model: see docs/model.md"


def notes(files: Sequence[FileOutcome]) -> list[Note]:
    """What came of each finding, the accepted first."""
    return [_note(*row) for row in sorted(_advised(files), key=lambda row: _ORDER.index(row[2].status))]


def sentence(row: Note, said: Callable[[str], str], code: Callable[[str], str]) -> str:
    """A finding as one item of a Markdown list. Every text goes through the page's own escapes; the model's words stand in quotes."""
    read = (link(visible(title), place) if page else f"{said(title)} ({said(place)})" for title, place, page in row.sources)
    parts = [
        f"- {said(f'{row.path}:{row.line}')} {said(row.rule)}: {row.what}",
        f": {', '.join(map(code, row.changes))}" if row.changes else "",
        f": {code(row.draft[0])} would be {code(row.draft[1])}, which nobody has taken" if row.draft else "",
        ".",
        f' It says: "{said(row.explanation)}"' if row.explanation else "",
        f" It read: {', '.join(read)}." if row.sources else "",
        f" {said(row.because)}" if row.because else "",
    ]
    return "".join(parts)


def _advised(files: Iterable[FileOutcome]) -> list[tuple[FileOutcome, Violation, Advice]]:
    """Each answer once: several findings of a rule may be at one place, and were asked about together."""
    found = {(o.path, *v.key): (o, v, v.advice) for o in files for v in o.violations if v.advice}
    return [(outcome, violation, advice) for outcome, violation, advice in found.values() if advice]


def marked(violation: Violation) -> str:
    """A finding's message, with a word on who mended it where that was a model."""
    return f"{violation.message} {MARK}" if _applied(violation) else violation.message


def unlike_rules(files: Iterable[FileOutcome]) -> str:
    """What stands below suggestions, where some are a model's; `--unsafe` applies those of the rules alone."""
    found = any(op.origin == "llm" for o in files for op in o.suggestions)
    return " What a language model suggests is applied where LLM_MODE is apply, and not by that." if found else ""


def _because(advice: Advice) -> str:
    word = {"refused": "Refused", "not-asked": "Why"}.get(advice.status, "Refused before")
    return f"{word}: {' '.join(dict.fromkeys(map(redact, advice.reasons)))}" if advice.reasons else ""


def _applied(violation: Violation) -> bool:
    return violation.resolution == "fixed" and violation.advice is not None and violation.advice.status == "accepted"


def _note(outcome: FileOutcome, violation: Violation, advice: Advice) -> Note:
    made = next((r.operations for r in outcome.repairs if r.key == violation.key), ()) if advice.status == "accepted" else ()
    words = {"accepted": "changed" if _applied(violation) else "suggested", "drafted": "answer drafted", "not-asked": "not asked"}
    tries = f" after {advice.tries} tries" if advice.tries > 1 else ""
    drafted = (redact(advice.draft.key), redact(advice.draft.value)) if advice.draft else None
    return Note(
        outcome.path, violation.line, f"{violation.rule_id} {violation.title}", f"{words.get(advice.status, 'refused')}{tries}",
        tuple(f"{o.op} {o.path}" for o in made), redact(advice.explanation),
        tuple((redact(title), source, bool(web_links((source,)))) for title, source in advice.sources), drafted,
        _because(advice),
    )  # fmt: skip
