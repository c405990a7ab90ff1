"""report.json and patch.json (DESIGN 5), secrets hidden."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain.model import FileOutcome, PatchOperation, Violation
from shared.domain.pointer import JsonValue
from shared.domain.report.credentials import mask_leaves, mask_value, redact
from shared.domain.report.model_view import tally
from shared.domain.run import RunSetup

SCHEMA_VERSION = 1
_STRING_DATA = re.compile(r"/stringData(/|$)")
_DATA = re.compile(r"^/\d+(?:/(?:items|objects)/\d+)?/data(/|$)")


def report_json(setup: RunSetup, outcomes: Iterable[FileOutcome]) -> dict[str, Any]:
    """The document of DESIGN 5: files in path order, credentials read `***`."""
    files = sorted(outcomes, key=lambda o: o.path)
    source = {"profile": setup.source.profile, "evidence": [redact(e) for e in setup.source.evidence]}
    return {
        "schemaVersion": SCHEMA_VERSION,
        "runId": setup.run_id,
        "source": source,
        "target": mask_value(dict(setup.target)),
        "files": [_file_json(o) for o in files],
        "summary": summary(files) | ({"model": told.to_json()} if (told := tally(setup, files)) else {}),
    }


def summary(outcomes: Sequence[FileOutcome]) -> dict[str, int]:
    """The counts of DESIGN 5; `refused` counts files, the other resolutions violations."""
    found = Counter(v.resolution for o in outcomes for v in o.violations)
    return {
        "files": len(outcomes),
        "documents": sum(o.documents for o in outcomes),
        "violations": found.total(),
        "fixed": found["fixed"],
        "suggested": found["suggested"],
        "needsHuman": found["needs-human"],
        "refused": sum(o.status == "refused" for o in outcomes),
    }


def patch_json(outcomes: Iterable[FileOutcome]) -> dict[str, Any]:
    """patch.json: the RFC 6902 patch of every file that has one, by path."""
    return {o.path: operations_json(o, o.operations) for o in sorted(outcomes, key=lambda o: o.path) if o.operations}


def operations_json(outcome: FileOutcome, operations: Iterable[PatchOperation]) -> list[JsonValue]:
    """Operations in report form; a value that goes into a Secret's data is hidden as a whole."""
    return [_masked(op, outcome.violations).to_json() for op in operations]


def to_bytes(document: JsonValue) -> bytes:
    """A JSON document as the report files have it: indented, UTF-8, file names that are no UTF-8 escaped."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", errors="backslashreplace")


def _file_json(outcome: FileOutcome) -> dict[str, JsonValue]:
    return {
        "path": outcome.path,
        "status": outcome.status,
        "reason": _said(outcome.reason),
        "violations": [_violation_json(v) for v in outcome.violations],
        "operations": operations_json(outcome, outcome.operations),
        "suggestions": operations_json(outcome, outcome.suggestions),
    }


def _violation_json(violation: Violation) -> dict[str, JsonValue]:
    told = violation.to_json() | {"message": redact(violation.message), "reason": _said(violation.reason)}
    return told | ({"model": _redacted(told["model"])} if "model" in told else {})


def _redacted(value: JsonValue) -> JsonValue:
    """Every text of a value with credentials hidden."""
    if isinstance(value, dict):
        return {key: _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def _said(reason: str | None) -> str | None:
    return None if reason is None else redact(reason)


def _masked(op: PatchOperation, violations: Iterable[Violation]) -> PatchOperation:
    bare = op.rfc6902()
    if "value" not in bare:
        return op
    mask = mask_leaves if _goes_into_secret(op, violations) else mask_value
    return PatchOperation(op.op, op.path, op.rule_id, mask(bare["value"]), op.origin, op.disposition)


def _goes_into_secret(op: PatchOperation, violations: Iterable[Violation]) -> bool:
    """Does a pointer lead into a Secret's data? `data` is a ConfigMap's too: told apart by what the rule found, hidden in doubt."""
    if _STRING_DATA.search(op.path):
        return True
    kinds = {v.resource.kind for v in violations if v.rule_id == op.rule_id and v.resource}
    return _DATA.match(op.path) is not None and kinds != {"ConfigMap"}
