"""The words of DESIGN 2 as types, with their JSON form of DESIGN 5. Frozen: a stage makes new values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from shared.domain.advice import Advice, Snippet
from shared.domain.needs import AzureResource, ListenerRequest
from shared.domain.pointer import MISSING, JsonValue

Severity = Literal["error", "warning", "info"]
Disposition = Literal["safe", "unsafe"]
Origin = Literal["rule", "llm"]
Resolution = Literal["fixed", "suggested", "needs-human", "ignored"]
FileStatus = Literal["unchanged", "patched", "created", "skipped", "refused", "failed"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """Which object is meant; namespace and name are None where the manifest leaves them out."""

    api_version: str
    kind: str
    namespace: str | None = None
    name: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        return {"apiVersion": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResourceRef:
        return cls(data["apiVersion"], data["kind"], data.get("namespace"), data.get("name"))

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> ResourceRef:
        """The reference of a parsed object (a dict with string apiVersion and kind)."""
        meta = value.get("metadata")
        meta = meta if isinstance(meta, dict) else {}
        text = {k: v for k, v in meta.items() if k in ("namespace", "name") and isinstance(v, str)}
        return cls(value["apiVersion"], value["kind"], text.get("namespace"), text.get("name"))


@dataclass(frozen=True, slots=True)
class PatchOperation:
    """One RFC 6902 operation. `path` starts with the document index: `/0/spec/...`; `/3` is a whole document."""

    op: Literal["add", "replace", "remove"]
    path: str
    rule_id: str
    value: JsonValue = MISSING
    origin: Origin = "rule"
    disposition: Disposition = "safe"

    def rfc6902(self) -> dict[str, JsonValue]:
        """The bare operation, as the jsonpatch package takes it."""
        bare: dict[str, JsonValue] = {"op": self.op, "path": self.path}
        return bare if self.value is MISSING else bare | {"value": self.value}

    def to_json(self) -> dict[str, JsonValue]:
        return self.rfc6902() | {"ruleId": self.rule_id, "origin": self.origin, "disposition": self.disposition}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PatchOperation:
        return cls(data["op"], data["path"], data["ruleId"], data.get("value", MISSING), data["origin"], data["disposition"])


@dataclass(frozen=True, slots=True)
class Violation:
    """One incompatibility at one place. `path` points inside document number `document`; line and column count from 1.

    As the Inspector makes it, `resolution` is "needs-human"; the Patcher says what became of it.
    """

    rule_id: str
    title: str
    severity: Severity
    document: int
    path: str
    line: int
    column: int
    resource: ResourceRef | None
    message: str
    links: tuple[str, ...] = ()
    resolution: Resolution = "needs-human"
    reason: str | None = None
    advice: Advice | None = None
    """What a language model made of it, where one was asked."""

    @property
    def key(self) -> tuple[str, int, str]:
        """Rule, document and place: several findings may share it."""
        return self.rule_id, self.document, self.path

    def resolved(self, resolution: Resolution, reason: str | None = None) -> Violation:
        return replace(self, resolution=resolution, reason=reason)

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "ruleId": self.rule_id, "title": self.title, "severity": self.severity,
            "document": self.document, "path": self.path, "line": self.line, "column": self.column,
            "resource": self.resource.to_json() if self.resource else None,
            "message": self.message, "links": list(self.links), "resolution": self.resolution, "reason": self.reason,
        } | ({"model": self.advice.to_json()} if self.advice else {})  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Violation:
        resource = ResourceRef.from_json(data["resource"]) if data["resource"] else None
        return cls(data["ruleId"], data["title"], data["severity"], data["document"], data["path"], data["line"], data["column"],
                   resource, data["message"], tuple(data["links"]), data["resolution"], data["reason"],
                   Advice.from_json(data["model"]) if "model" in data else None)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A Decision that only a human can take. `key` is its dotted place in .aks-copilot.yaml, `example` a commented sample value."""

    key: str
    question: str
    example: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"key": self.key, "question": self.question, "example": self.example}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        return cls(data["key"], data["question"], data["example"])


@dataclass(frozen=True, slots=True)
class Retyping:
    """An object that gets another apiVersion or kind; what patches and lists it by these has to follow."""

    ref: ResourceRef
    api_version: str
    kind: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"ref": self.ref.to_json(), "apiVersion": self.api_version, "kind": self.kind}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Retyping:
        return cls(ResourceRef.from_json(data["ref"]), data["apiVersion"], data["kind"])


@dataclass(frozen=True, slots=True)
class ModelRepair:
    """A language model's answer on one violation, named by rule, document and place in the original. Nothing in it is trusted.

    `operations` are over the file's documents as the rules leave them (in a run of mode `apply`: as the repairs before it do), `grounds`
    the passages that their new words come from.
    """

    rule_id: str
    document: int
    path: str
    advice: Advice
    operations: tuple[PatchOperation, ...] = ()
    grounds: tuple[Snippet, ...] = ()

    @property
    def key(self) -> tuple[str, int, str]:
        return self.rule_id, self.document, self.path

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "ruleId": self.rule_id, "document": self.document, "path": self.path, "advice": self.advice.to_json(),
            "operations": [o.to_json() for o in self.operations], "grounds": [s.to_json() for s in self.grounds],
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelRepair:
        operations = tuple(PatchOperation.from_json(x) for x in data["operations"])
        grounds = tuple(Snippet.from_json(x) for x in data["grounds"])
        return cls(data["ruleId"], data["document"], data["path"], Advice.from_json(data["advice"]), operations, grounds)


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: one entry of report.json's `files`, and what later steps need.

    `operations` are one RFC 6902 patch over the JSON array of the file's documents. The patched bytes travel
    beside this value, never inside it.
    """

    path: str
    status: FileStatus
    reason: str | None = None
    documents: int = 0
    violations: tuple[Violation, ...] = ()
    operations: tuple[PatchOperation, ...] = ()
    suggestions: tuple[PatchOperation, ...] = ()
    listeners: tuple[ListenerRequest, ...] = ()
    resources: tuple[AzureResource, ...] = ()
    questions: tuple[Question, ...] = ()
    retyped: tuple[Retyping, ...] = ()
    removed: bool = False
    """True where the last document went: the file is not written."""
    repairs: tuple[ModelRepair, ...] = ()
    """What a language model was asked about, as it answered."""
    askable: int = 0
    """How many of the violations that are left could be put to a language model."""

    def to_json(self) -> dict[str, JsonValue]:
        """The report's form (unmasked); see `to_payload` for the form between stages."""
        return {
            "path": self.path, "status": self.status, "reason": self.reason,
            "violations": [v.to_json() for v in self.violations],
            "operations": [o.to_json() for o in self.operations],
            "suggestions": [o.to_json() for o in self.suggestions],
        }  # fmt: skip

    def to_payload(self) -> dict[str, JsonValue]:
        return self.to_json() | {
            "documents": self.documents, "removed": self.removed,
            "listeners": [x.to_json() for x in self.listeners],
            "resources": [x.to_json() for x in self.resources],
            "questions": [x.to_json() for x in self.questions],
            "retyped": [x.to_json() for x in self.retyped],
            "repairs": [x.to_json() for x in self.repairs],
            "askable": self.askable,
        }  # fmt: skip

    @classmethod
    def from_payload(cls, data: Mapping[str, Any]) -> FileOutcome:
        return cls(
            data["path"], data["status"], data["reason"], data["documents"],
            tuple(Violation.from_json(x) for x in data["violations"]),
            tuple(PatchOperation.from_json(x) for x in data["operations"]),
            tuple(PatchOperation.from_json(x) for x in data["suggestions"]),
            tuple(ListenerRequest.from_json(x) for x in data["listeners"]),
            tuple(AzureResource.from_json(x) for x in data["resources"]),
            tuple(Question.from_json(x) for x in data["questions"]),
            tuple(Retyping.from_json(x) for x in data["retyped"]),
            data["removed"],
            tuple(ModelRepair.from_json(x) for x in data.get("repairs", ())),
            data.get("askable", 0),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """Which environment the manifests come from, and why the program thinks so."""

    profile: str
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        return {"profile": self.profile, "evidence": list(self.evidence)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SourceFinding:
        return cls(data["profile"], tuple(data["evidence"]))
