"""A rule explained by itself: what it is about, an example before and after, what it asks, and its articles."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.articles import ArticlesOf
from shared.domain.decision_keys import GROUPS, asked_by
from shared.domain.explain.finding import reading_json
from shared.domain.explain.passage import Reading, readings, words_of
from shared.domain.pointer import JsonValue
from shared.domain.rulebook import Example, Rule


@dataclass(frozen=True, slots=True)
class RulePage:
    """`example` shows what fires, with the fix where there is one; `groups` are names in `.aks-copilot.yaml` with what they answer."""

    rule: Rule
    example: Example | None
    groups: tuple[tuple[str, str], ...]
    readings: tuple[Reading, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """The form of `aks-copilot explain RULE --format json`."""
        rule, example = self.rule, self.example
        return {
            "id": rule.id, "title": rule.title, "severity": rule.severity, "kinds": list(rule.kinds), "why": rule.why,
            "fix": rule.fix.disposition if rule.fix else None, "harmless": rule.harmless, "advice": rule.advice,
            "question": rule.ask.question if rule.ask else None,
            "decisions": [{"name": name, "about": about} for name, about in self.groups],
            "example": {"bad": example.bad, "fixed": example.fixed, "note": example.note} if example else None,
            "links": list(rule.links), "readings": [reading_json(r) for r in self.readings],
        }  # fmt: skip


def rule_page(rule: Rule, articles: ArticlesOf) -> RulePage:
    """The page of a rule: an example with a fix is preferred, the shortest first."""
    bad = [e for e in rule.examples if e.bad is not None]
    example = min(bad, key=lambda e: (e.fixed is None, len(e.bad or "")), default=None)
    groups = tuple((name, GROUPS[name].about if name in GROUPS else "") for name in sorted(asked_by([rule])))
    return RulePage(rule, example, groups, tuple(readings(articles(rule.id), words_of(rule))))
