"""Writing the baseline file: the open findings of a run as entries, added to a file that exists without touching what is there."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import yaml

from shared.domain import editor
from shared.domain.acceptance import FILE_NAME, Entry, read_baseline
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, PatchOperation, Violation
from shared.domain.pointer import JsonValue

HEADER = """\
# aks-copilot: findings that somebody accepted. They are reported as ignored, with the reason, and nothing is changed for them.
# `resource`, `path` (a JSON Pointer) and `until` may be left out; after its last day an entry accepts nothing any more.
"""
OPEN = ("needs-human", "suggested")


def entries(
    outcomes: Iterable[FileOutcome], rules: Sequence[str], by: str, date: datetime.date, until: datetime.date | None, reason: str
) -> list[Entry]:
    """One entry for each object and rule of which something is left; `rules` (empty: all) says which."""
    left = ((o.path, v) for o in outcomes for v in o.violations if v.resolution in OPEN and (not rules or v.rule_id in rules))
    found = {(file, violation.rule_id, _named(violation)): None for file, violation in left}
    return [Entry(rule=rule, file=file, resource=ref, by=by, date=date, until=until, reason=reason) for file, rule, ref in found]


def _named(violation: Violation) -> str | None:
    ref = violation.resource
    if ref is None or not ref.name or "/" in ref.name:
        return None
    return "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)


def grown(data: bytes | None, new: Sequence[Entry]) -> bytes:
    """The file with the new entries at its end; comments and entries that are there stay as they are.

    Raises ValidationError where the file that is there cannot be used, EditRefused where it cannot be edited.
    """
    known = {(e.rule, e.file, e.resource) for e in read_baseline(data).accepted}
    rows: list[JsonValue] = [_row(e) for e in new if (e.rule, e.file, e.resource) not in known]
    if data is None or not data.strip():
        return (HEADER + yaml.safe_dump({"version": 1, "accepted": rows}, sort_keys=False, width=120, allow_unicode=True)).encode()
    if not rows:
        return data
    before = read_manifest(FILE_NAME, data)
    operations = [PatchOperation("add", "/0/accepted/-", FILE_NAME, row) for row in rows]
    if not before.documents[0].value.get("accepted"):
        operations = [PatchOperation("add", "/0/accepted", FILE_NAME, rows)]
    after = editor.apply_operations(before, operations)
    editor.prove(before, operations, after)
    return after


def _row(entry: Entry) -> dict[str, JsonValue]:
    return {key: value for key, value in entry.model_dump(mode="json").items() if value is not None}
