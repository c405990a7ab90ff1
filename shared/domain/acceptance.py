"""Accepted findings: somebody answers for them, so they are reported as ignored, with the reason, and nothing is changed for them.

Two places: an annotation `ignore.aks-copilot.io/<rule>: <reason>` on the object, and entries of `.aks-copilot-baseline.yaml` at
the application's root, which say who accepted what, when, why and until when. An entry whose day is over accepts nothing any more.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import yaml
from pydantic import Field
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem
from shared.domain.model import Resolution, ResourceRef, Violation
from shared.domain.pointer import JsonValue
from shared.domain.rulebook import Closed
from shared.domain.yaml_lines import line_of

FILE_NAME = ".aks-copilot-baseline.yaml"
PREFIX = "ignore.aks-copilot.io/"
MAX_BYTES = 1024 * 1024
ANNOTATED = "Ignored by the object's annotation"

Verdict = tuple[Resolution, str]


class Entry(Closed):
    """One accepted finding. `resource` is `Kind/name` or `Kind/namespace/name`; a part that is left out matches every one."""

    rule: str = Field(pattern=r"^[A-Z]{2,8}\d{4}$")
    file: str = Field(min_length=1)
    resource: str | None = Field(default=None, pattern=r"^[^/]+/[^/]+(/[^/]+)?$")
    path: str | None = Field(default=None, pattern=r"^(/.*)?$")
    by: str = Field(min_length=1, max_length=200)
    date: datetime.date
    until: datetime.date | None = None
    reason: str = Field(min_length=1, max_length=2000)

    def covers(self, file: str, violation: Violation) -> bool:
        """Whether the entry means this finding."""
        same_place = self.rule == violation.rule_id and self.file == file and self.path in (None, violation.path)
        return same_place and (self.resource is None or self.resource in named(violation.resource))

    def verdict(self, today: str) -> Verdict:
        """What becomes of a finding that the entry covers, on a day (ISO 8601; empty: nothing expires)."""
        accepted = f"{self.date} by {self.by}"
        if self.until and today and self.until.isoformat() < today:
            return "needs-human", f"Accepted on {accepted}, until {self.until}: that day is over."
        return "ignored", f"Accepted on {accepted}{f', until {self.until}' if self.until else ''}: {one_sentence(self.reason)}"


class Baseline(Closed):
    """The file as a whole."""

    version: Literal[1] = 1
    accepted: tuple[Entry, ...] = ()


def named(ref: ResourceRef | None) -> tuple[str, ...]:
    """How an entry may name an object: with its namespace where it has one, or without."""
    if ref is None:
        return ()
    short = f"{ref.kind}/{ref.name}"
    return (short, f"{ref.kind}/{ref.namespace}/{ref.name}") if ref.namespace else (short,)


def one_sentence(text: str) -> str:
    """Somebody's words, on one line, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def read_baseline(data: bytes | None) -> Baseline:
    """The entries of the file, none where there is no file. Raises ValidationError: file, line, reason."""
    if data is None:
        return Baseline()
    if len(data) > MAX_BYTES:
        raise ValidationError(f"{FILE_NAME}: larger than {MAX_BYTES // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
        return Baseline.model_validate(yaml.safe_load(text) or {})
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ValidationError(f"{FILE_NAME}{f':{mark.line + 1}' if mark else ''}: not readable as YAML") from error
    except SchemaError as error:
        raise ValidationError(f"{FILE_NAME}:{line_of(text, error.errors()[0]['loc'])}: {first_problem(error)}") from error


def rows(baseline: Baseline) -> tuple[dict[str, JsonValue], ...]:
    """The entries as JSON, for the frozen setup of a run."""
    return tuple(entry.model_dump(mode="json") for entry in baseline.accepted)


def over(baseline: Baseline, today: str) -> list[JsonValue]:
    """Which entries (from 0) accept nothing any more: part of what makes a run another run."""
    return [n for n, entry in enumerate(baseline.accepted) if entry.verdict(today)[0] != "ignored"]


def annotated(obj: Mapping[str, Any], rule_id: str) -> Verdict | None:
    """The verdict of an object's own annotation on a rule; None where it says nothing, or gives no reason."""
    reasons = dict(ignored_rules(obj))
    reason = reasons.get(rule_id, "").strip()
    return ("ignored", f"{ANNOTATED}: {one_sentence(reason)}") if reason else None


def ignored_rules(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(rule id, reason) of each ignore annotation of an object."""
    meta = obj.get("metadata")
    held = meta.get("annotations") if isinstance(meta, dict) else None
    for key, value in held.items() if isinstance(held, dict) else ():
        if isinstance(key, str) and key.startswith(PREFIX):
            yield key.removeprefix(PREFIX), value if isinstance(value, str) else ""


class Acceptance:
    """The baseline of a run, asked finding by finding."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], today: str) -> None:
        self.entries = [Entry.model_validate(row) for row in entries]
        self.today = today

    def of(self, file: str, violation: Violation, obj: Mapping[str, Any] | None = None) -> Verdict | None:
        """What the team said of a finding: ignored, or that an acceptance is over; None where it said nothing."""
        own = annotated(obj, violation.rule_id) if obj is not None else None
        entries = [e.verdict(self.today) for e in self.entries if e.covers(file, violation)]
        return own or min(entries, key=lambda v: v[0] != "ignored", default=None)

    def unused(self, found: Sequence[tuple[str, Violation]]) -> list[int]:
        """Which entries (from 0) cover none of the findings (file, violation) of a run."""
        return [n for n, e in enumerate(self.entries) if not any(e.covers(file, v) for file, v in found)]
