"""report.sarif: SARIF 2.1.0 as code scanning services read it.

Facts: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html (3.27 result, 3.55 fix, 3.35 suppression).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import shared
from shared.domain.acceptance import ANNOTATED
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.changes import Change, parse_changes
from shared.domain.report.credentials import redact
from shared.domain.report.model_view import MARK
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0-rtm.5.json"
_LEVEL = {"error": "error", "warning": "warning", "info": "note"}
_FINGERPRINT = "aksCopilotFinding/v1"


def sarif_log(setup: RunSetup, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str]) -> dict[str, Any]:
    """The log of one run. Lines are those of the original files; `diffs` (masked) give the fixes."""
    files = sorted(outcomes, key=lambda o: o.path)
    rules = _rules(files)
    index = {rule["id"]: n for n, rule in enumerate(rules)}
    driver = {"name": "aks-copilot", "semanticVersion": shared.__version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"aks-copilot/{setup.app}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder that was given to aks-copilot."}}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(files)}],
        "results": [result for o in files for result in _results(o, diffs.get(o.path, ""), index)],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(files: Sequence[FileOutcome]) -> list[dict[str, Any]]:
    found = {v.rule_id: v for o in reversed(files) for v in reversed(o.violations)}
    return [_rule(found[rule_id]) for rule_id in sorted(found)]


def _rule(violation: Violation) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": violation.rule_id,
        "shortDescription": {"text": violation.title},
        "defaultConfiguration": {"level": _LEVEL[violation.severity]},
    }
    known = by_id().get(violation.rule_id)
    links = known.links if known else violation.links
    return rule | ({"helpUri": links[0]} if links else {})


def _results(outcome: FileOutcome, diff: str, index: Mapping[str, int]) -> list[dict[str, Any]]:
    changes = parse_changes(diff)
    seen: Counter[str] = Counter()
    results = []
    for violation in outcome.violations:
        identity = _identity(outcome.path, violation)
        results.append(_result(outcome, violation, index, f"{identity}:{seen[identity]}"))
        seen[identity] += 1
        change = _only_change(outcome, violation, changes)
        if change:
            results[-1]["fixes"] = [_fix(outcome.path, violation, change)]
    return results


def _result(outcome: FileOutcome, violation: Violation, index: Mapping[str, int], identity: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": violation.rule_id,
        "ruleIndex": index[violation.rule_id],
        "level": _LEVEL[violation.severity],
        "message": {"text": redact(violation.message)},
        "locations": [_location(outcome.path, violation)],
        "partialFingerprints": {_FINGERPRINT: hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()[:32]},
        "properties": {"resolution": violation.resolution, "jsonPointer": violation.path, "document": violation.document},
    }
    if violation.advice:
        result["properties"]["languageModel"] = {
            "status": violation.advice.status, "name": violation.advice.model,
            "sources": [redact(f"{title} ({source})") for title, source in violation.advice.sources],
        }  # fmt: skip
    if violation.resolution == "ignored":
        in_source = (violation.reason or "").startswith(ANNOTATED)
        suppression = {"kind": "inSource" if in_source else "external", "status": "accepted"}
        result["suppressions"] = [suppression | ({"justification": redact(violation.reason)} if violation.reason else {})]
    return result


def _location(path: str, violation: Violation) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _artifact(path),
            "region": {"startLine": violation.line, "startColumn": violation.column},
        }
    }
    if violation.resource:
        name = "/".join(part for part in (violation.resource.namespace, violation.resource.kind, violation.resource.name) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    return location


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.encode("utf-8", "surrogateescape")), "uriBaseId": "%SRCROOT%"}


def _identity(path: str, violation: Violation) -> str:
    """What a finding is, without the place in the file: lines may shift above it."""
    resource = violation.resource.to_json() if violation.resource else {}
    return "\0".join([violation.rule_id, path, violation.path, *(str(part) for part in resource.values())])


def _only_change(outcome: FileOutcome, violation: Violation, changes: Sequence[Change]) -> Change | None:
    """The one change of the file's lines that fixes a violation, where that is plain to see: one operation, one replaced place."""
    if violation.resolution != "fixed" or sum(op.rule_id == violation.rule_id for op in outcome.operations) != 1:
        return None
    if sum(v.rule_id == violation.rule_id and v.resolution == "fixed" for v in outcome.violations) != 1:
        return None
    touching = [c for c in changes if c.start <= violation.line < c.start + c.deleted]
    return touching[0] if len(touching) == 1 and touching[0].exact else None


def _fix(path: str, violation: Violation, change: Change) -> dict[str, Any]:
    region = {"startLine": change.start, "startColumn": 1, "endLine": change.start + change.deleted, "endColumn": 1}
    replacement = {"deletedRegion": region, "insertedContent": {"text": change.inserted}}
    return {
        "description": {"text": f"{violation.title} {MARK}" if violation.advice else violation.title},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": [replacement]}],
    }


def _notifications(files: Sequence[FileOutcome]) -> list[dict[str, Any]]:
    """Files that were not read or not finished: no finding about them is no good news."""
    return [
        {
            "level": "error" if o.status == "failed" else "warning",
            "message": {"text": redact(f"{o.status}: {o.reason or 'no reason given'}")},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(o.path)}}],
        }
        for o in files
        if o.status in ("refused", "failed")
    ]
