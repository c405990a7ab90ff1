"""One finding explained from its rule and its article; the words of a model, where there are any, stand beside that and replace nothing."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.articles import ArticlesOf
from shared.domain.decisions import sample_answers
from shared.domain.explain.change import Step, Waiting, steps_of, waiting_for
from shared.domain.explain.excerpt import Line, excerpt
from shared.domain.explain.passage import Reading, readings, words_of
from shared.domain.inspector import facts_of, manifest_of
from shared.domain.model import FileOutcome, Violation
from shared.domain.pointer import JsonValue
from shared.domain.report.credentials import redact
from shared.domain.rulebook import Rule
from shared.domain.run import RunSetup, SourceFile
from shared.domain.thinker import LOSS_RULE


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that a model was given and relied on; `number` is the one in its text."""

    number: int
    title: str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """A model's explanation: plain text of one line with citations `[1]`, untrusted. `model` is the service's name of it."""

    text: str
    cited: tuple[Cited, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A finding in context. `steps` is what its fix does, `waiting` what it waits for, `readings` the articles, the best first."""

    violation: Violation
    path: str
    now: tuple[Line, ...]
    why: str
    steps: tuple[Step, ...]
    waiting: Waiting
    readings: tuple[Reading, ...]
    told: Told | None = None

    @property
    def outlook(self) -> str:
        """What becomes of the finding, in one sentence or two."""
        said = redact(self.violation.reason or "")
        if self.violation.resolution == "fixed":
            return "`aks-copilot fix` mends it."
        return said or ("Nothing is to be done." if self.violation.resolution == "ignored" else "A person decides what becomes of it.")

    @property
    def answer(self) -> str:
        """The lines of `.aks-copilot.yaml` that would answer its questions, with samples as values; "" where nothing is asked."""
        return sample_answers(self.waiting.questions) if self.waiting.questions else ""

    def to_json(self) -> dict[str, JsonValue]:
        """The form of `aks-copilot explain --format json`; secrets masked."""
        found = self.violation.to_json() | {"message": redact(self.violation.message), "outlook": self.outlook}
        return found | {
            "file": self.path,
            "now": [{"line": line.number, "text": line.text, "here": line.here} for line in self.now],
            "why": self.why,
            "steps": [{"op": s.op, "path": s.path, "before": s.before, "after": s.after} for s in self.steps],
            "questions": [q.to_json() for q in self.waiting.questions],
            "answer": self.answer,
            "resources": [r.to_json() for r in self.waiting.resources],
            "readings": [reading_json(r) for r in self.readings],
            "model": told_json(self.told),
        }


def explain(file: SourceFile, outcome: FileOutcome, violation: Violation, setup: RunSetup, articles: ArticlesOf) -> Explanation:
    """A violation of a file's outcome (of `fix`, nothing of which need be written), explained without a model."""
    manifest, rule = manifest_of(file), rule_of(violation, setup)
    document = manifest.documents[violation.document] if violation.document < len(manifest.documents) else None
    return Explanation(
        violation,
        file.path,
        tuple(excerpt(manifest.text, violation, document)),
        rule.why if rule else "",
        tuple(steps_of(file, outcome, violation, setup)),
        waiting_for(file, outcome, violation, setup),
        tuple(_readings(outcome, violation, rule, articles)),
    )


def _readings(outcome: FileOutcome, violation: Violation, rule: Rule | None, articles: ArticlesOf) -> list[Reading]:
    """The articles of a finding's rule; of a loss those of the rules whose fix of the same object has the loss's pages."""
    if violation.rule_id != LOSS_RULE:
        return readings(articles(violation.rule_id), f"{words_of(rule) if rule else violation.title} {violation.message}")
    lost_by = dict.fromkeys(
        v.rule_id for v in outcome.violations if (v.document, v.links, v.resolution) == (violation.document, violation.links, "fixed")
    )
    found = {document.name: document for rule_id in lost_by for document in articles(rule_id)}
    return readings(list(found.values()), violation.message)


def rule_of(violation: Violation, setup: RunSetup) -> Rule | None:
    """The rule of a violation, a team's own included."""
    return next((r for r in facts_of(setup).knowledge.rulebook.rules if r.id == violation.rule_id), None)


def reading_json(reading: Reading) -> dict[str, JsonValue]:
    """An article's part in JSON; links with the day on which they were read."""
    return {
        "article": reading.document.slug, "title": reading.title, "passage": reading.passage, "decide": reading.decide,
        "commands": list(reading.commands), "links": [{"url": url, "read": day or None} for url, day in reading.links],
    }  # fmt: skip


def told_json(told: Told | None) -> JsonValue:
    """A model's words in JSON, None where it was not asked or said nothing that can be used."""
    if told is None:
        return None
    cited = [{"number": c.number, "title": c.title, "source": c.source} for c in told.cited]
    return {"name": told.model, "text": told.text, "cited": cited}
