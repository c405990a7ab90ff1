"""What the Thinker proposes for one file: the Patch payload of the queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.model import ModelRepair, PatchOperation, Question, Retyping, Violation
from shared.domain.needs import AzureResource, ListenerRequest
from shared.domain.pointer import JsonValue

UnitKey = tuple[str, int, str]
"""Rule, document and original place of a fix, as of the violation that it mends."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The operations of one fix: `count` of them, applied together or not at all. Names the violation's rule and original place."""

    rule_id: str
    document: int
    path: str
    count: int

    @property
    def key(self) -> UnitKey:
        return self.rule_id, self.document, self.path

    def to_json(self) -> dict[str, JsonValue]:
        return {"ruleId": self.rule_id, "document": self.document, "path": self.path, "count": self.count}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Unit:
        return cls(data["ruleId"], data["document"], data["path"], data["count"])


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The Thinker's proposal for one file: the Patch payload. `units` cut `operations` into fixes, in order.

    `repairs` are what a language model answered, `askable` how many of the violations that are left could be put to one.
    """

    path: str
    operations: tuple[PatchOperation, ...] = ()
    suggestions: tuple[PatchOperation, ...] = ()
    violations: tuple[Violation, ...] = ()
    listeners: tuple[ListenerRequest, ...] = ()
    resources: tuple[AzureResource, ...] = ()
    questions: tuple[Question, ...] = ()
    units: tuple[Unit, ...] = ()
    retyped: tuple[Retyping, ...] = ()
    repairs: tuple[ModelRepair, ...] = ()
    askable: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "path": self.path,
            "operations": [o.to_json() for o in self.operations],
            "suggestions": [o.to_json() for o in self.suggestions],
            "violations": [v.to_json() for v in self.violations],
            "listeners": [x.to_json() for x in self.listeners],
            "resources": [x.to_json() for x in self.resources],
            "questions": [x.to_json() for x in self.questions],
            "units": [x.to_json() for x in self.units],
            "retyped": [x.to_json() for x in self.retyped],
            "repairs": [x.to_json() for x in self.repairs],
            "askable": self.askable,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FilePlan:
        return cls(
            data["path"],
            tuple(PatchOperation.from_json(x) for x in data["operations"]),
            tuple(PatchOperation.from_json(x) for x in data["suggestions"]),
            tuple(Violation.from_json(x) for x in data["violations"]),
            tuple(ListenerRequest.from_json(x) for x in data["listeners"]),
            tuple(AzureResource.from_json(x) for x in data["resources"]),
            tuple(Question.from_json(x) for x in data["questions"]),
            tuple(Unit.from_json(x) for x in data["units"]),
            tuple(Retyping.from_json(x) for x in data["retyped"]),
            tuple(ModelRepair.from_json(x) for x in data.get("repairs", ())),
            data.get("askable", 0),
        )  # fmt: skip
