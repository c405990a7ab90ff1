"""What came of asking a language model about findings, as it travels with plans, outcomes and reports. Data only: the loop is in llm/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from shared.domain.pointer import JsonValue

Mode = Literal["off", "suggest", "apply"]
"""Of a run: no model, its repairs as suggestions, its repairs applied after the rules' fixes."""
Status = Literal["accepted", "drafted", "refused", "not-asked"]
"""`not-asked`: something outside of the finding was in the way (the budget, an outage)."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage of the knowledge base; `source` is where a person reads on."""

    title: str
    source: str
    text: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"title": self.title, "source": self.source, "text": self.text}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Snippet:
        return cls(data["title"], data["source"], data["text"])


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that a model proposes to a question; a human takes it over or does not."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What came of one finding. Every text but `status` and `reasons` is the model's: untrusted, one line, escaped where it is shown.

    `sources` are (title, where to read on) of the passages that it used, `reasons` those of every refused try in order, tokens and cost
    what the answers cost when they were given (a replay says the same); `cost` is in the currency of the prices, None without prices.
    """

    status: Status
    model: str = ""
    tries: int = 0
    explanation: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    draft: Draft | None = None
    reasons: tuple[str, ...] = ()
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float | None = None

    def refused(self, reason: str) -> Advice:
        """The same, where what was accepted did not hold later on."""
        return replace(self, status="refused", reasons=(*self.reasons, reason))

    def to_json(self) -> dict[str, JsonValue]:
        """The `model` block of a violation in report.json."""
        return {
            "status": self.status, "name": self.model, "tries": self.tries, "explanation": self.explanation,
            "sources": [{"title": title, "source": source} for title, source in self.sources],
            "decision": {"key": self.draft.key, "value": self.draft.value} if self.draft else None,
            "reasons": list(self.reasons), "tokens": {"prompt": self.prompt_tokens, "answer": self.answer_tokens}, "cost": self.cost,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Advice:
        drafted = data["decision"]
        return cls(
            data["status"], data["name"], data["tries"], data["explanation"],
            tuple((s["title"], s["source"]) for s in data["sources"]),
            Draft(drafted["key"], drafted["value"]) if drafted else None,
            tuple(data["reasons"]), data["tokens"]["prompt"], data["tokens"]["answer"], data["cost"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums of a run; `names` are the models that answered."""

    names: tuple[str, ...] = ()
    counts: Mapping[Status, int] = field(default_factory=dict)
    applied: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float | None = None
    why: str = ""
    """The most frequent reason why nothing was asked of a finding."""

    @property
    def asked(self) -> int:
        """Findings that were put to a model."""
        return sum(n for status, n in self.counts.items() if status != "not-asked")

    def to_json(self) -> dict[str, JsonValue]:
        """The `model` block of the summary in report.json."""
        of = self.counts.get
        return {
            "name": ", ".join(self.names) or None, "asked": self.asked, "accepted": of("accepted", 0), "applied": self.applied,
            "drafted": of("drafted", 0), "refused": of("refused", 0), "notAsked": of("not-asked", 0),
            "tokens": {"prompt": self.prompt_tokens, "answer": self.answer_tokens}, "cost": self.cost,
        }  # fmt: skip
