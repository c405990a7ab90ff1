"""The Thinker's second half: what the rules leave open in a file is put to a model, one finding at a time, and kept with the plan.

The rules' plan is carried out in memory first, so that a model sees what would be written. In a run of mode `apply` each accepted repair
builds on the one before; in mode `suggest` each stands alone, as the suggestions of the rules do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.domain.advice import Advice, Snippet
from shared.domain.errors import CriticalError, ValidationError
from shared.domain.inspector import inspect
from shared.domain.language_model import Model, Usage
from shared.domain.llm.bench import Bench
from shared.domain.llm.case import Case
from shared.domain.llm.prompt import MAX_SNIPPETS, redactor_of
from shared.domain.llm.repair import Repair, repair
from shared.domain.model import ModelRepair
from shared.domain.patcher import patch
from shared.domain.plan import FilePlan, UnitKey
from shared.domain.retrieval.ports import KnowledgeBase
from shared.domain.run import FileFindings, PatchedFile, RunSetup, SourceFile
from shared.domain.thinker import places_left, propose


def _no_price(_: Usage) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class Adviser:
    """Who is asked: `model` gives the port for one violation by a name that is its own within the run."""

    model: Callable[[str], Model]
    knowledge: KnowledgeBase | None = None
    hosts: tuple[str, ...] = ()
    """Internal hosts, which do not leave."""
    price: Callable[[Usage], float | None] = _no_price
    """What tokens cost, None where no price is set."""


def mended(file: SourceFile, setup: RunSetup, adviser: Adviser) -> PatchedFile:
    """What rules and model together make of a file. Raises TransientError or CriticalError of the model."""
    findings = inspect(file, setup)
    plan = advised(file, findings, propose(file, findings, setup), setup, adviser)
    return patch(file, findings, plan, setup)


def advised(file: SourceFile, findings: FileFindings, plan: FilePlan, setup: RunSetup, adviser: Adviser) -> FilePlan:
    """The plan with what a model answers on each violation that it leaves open. Raises TransientError or CriticalError of the model.

    A question to a human is put to a model once for a file. Other files are not looked at: a batch of the pipeline does not know them.
    """
    if setup.model == "off" or not plan.askable:
        return plan
    blocked: dict[UnitKey, str] = {}
    done = patch(file, findings, replace(plan, repairs=()), setup, blocked)
    if done.data is None:
        return plan
    left = {v.key for v in done.outcome.violations if v.resolution == "needs-human"}
    places = {key: place for key, place in places_left(file, findings, setup, blocked).items() if key in left}
    asking = _Asking(Bench(SourceFile(file.path, done.data), places, setup), adviser)
    return replace(plan, repairs=tuple(found for key in asking.bench.askable() if (found := asking.ask(key))))


class _Asking:
    def __init__(self, bench: Bench, adviser: Adviser) -> None:
        self.bench, self.adviser, self.asked = bench, adviser, set[str]()

    def ask(self, key: UnitKey) -> ModelRepair | None:
        """What a model makes of a violation; None where none is asked by now."""
        try:
            case, prove = self.bench.case(key, hosts=self.adviser.hosts)
        except ValidationError:
            return None
        questions = {q.key for q in case.questions}
        if questions and questions <= self.asked:
            return None
        self.asked |= questions
        case = replace(case, snippets=reading_for(case, self.adviser.knowledge))
        found = repair(case, self.adviser.model(_name(self.bench.file.path, key)), prove)
        if found.data is not None and self.bench.setup.model == "apply":
            self.bench.take(found.operations, found.data)
        return ModelRepair(*key, self._advice(found), found.operations, found.grounds)

    def _advice(self, found: Repair) -> Advice:
        usage = found.usage
        return Advice(
            found.status if found.tries or found.status != "refused" else "not-asked", _plain(found.model), found.tries, found.explanation,
            _named(found.sources), found.draft, found.reasons, usage.prompt_tokens, usage.completion_tokens,
            self.adviser.price(usage) if found.tries else None,
        )  # fmt: skip


def _plain(name: str) -> str:
    """A service's name for its model, which goes to terminals and pages."""
    return re.sub(r"[^\w./:@+-]", "?", name, flags=re.ASCII)[:100]


def reading_for(case: Case, knowledge: KnowledgeBase | None) -> tuple[Snippet, ...]:
    """What the knowledge base has on a finding; what may not leave is not searched for either."""
    if knowledge is None:
        return ()
    query = redactor_of(case).hide_text(f"{case.rule.title}. {case.violation.message}")
    try:
        hits = knowledge.explaining(case.rule.id, query, MAX_SNIPPETS)
    except (CriticalError, ValidationError):
        return ()
    found = (hit.passage for hit in hits)
    return tuple(Snippet(": ".join(filter(None, (p.title, p.heading))), p.source, p.text) for p in found)


def _named(snippets: Sequence[Snippet]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((s.title, s.source) for s in snippets))


def _name(path: str, key: UnitKey) -> str:
    rule, document, place = key
    return f"{path}#{document}{place} {rule}"
