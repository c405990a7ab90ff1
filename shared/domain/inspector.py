"""The Inspector: one file in, its Violations out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.acceptance import FILE_NAME as BASELINE
from shared.domain.checks import CHECKS, Found
from shared.domain.checks.base import Wording
from shared.domain.convert.template import expanded
from shared.domain.decision_keys import unknown_keys
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.decisions import read_decisions
from shared.domain.facts import Facts
from shared.domain.fragments import Sparse, is_kustomization, objects_in
from shared.domain.manifest import Document, Manifest, kept_manifest
from shared.domain.model import ResourceRef, Violation
from shared.domain.pointer import JsonValue, join, nearest
from shared.domain.rulebook import Closed, Rule, by_id
from shared.domain.run import FileFindings, RunSetup, SourceFile
from shared.domain.standing import in_force
from shared.domain.yaml_lines import line_of

VALUE_SHOWN = 80
LIST_SHOWN = 600
"""How much of a list: every name in it is something that somebody must look at."""
DECISIONS_RULE = "AKS0001"


def inspect(file: SourceFile, setup: RunSetup) -> FileFindings:
    """Read a file as Kubernetes reads it and hold every object against the rules."""
    if file.path == DECISIONS:
        return FileFindings(file.path, "skipped", "The decisions of this application.", 1, tuple(unread_answers(file, facts_of(setup))))
    if file.path == BASELINE:
        return FileFindings(file.path, "skipped", "The findings that the team accepted.", 0)
    manifest = manifest_of(file)
    if manifest.status != "manifest":
        found = tuple(violations(manifest, facts_of(setup))) if manifest.status == "skipped" else ()
        return FileFindings(file.path, manifest.status, manifest.reason, 0, found)
    return FileFindings(file.path, "unchanged", None, len(manifest.documents), tuple(violations(manifest, facts_of(setup))))


def unread_answers(file: SourceFile, facts: Facts) -> Iterator[Violation]:
    """A warning at every key of the decisions file that nothing reads."""
    rule = by_id()[DECISIONS_RULE]
    for place, message in unknown_keys(read_decisions(file.data), facts.knowledge.rulebook.rules):
        line = line_of(file.data.decode("utf-8-sig"), place)
        yield Violation(rule.id, rule.title, "warning", 0, join(place), line, 1, None, message, rule.links)


def manifest_of(file: SourceFile) -> Manifest:
    """The parsed file; the stages ask for the same one in turn, so the last few are kept."""
    return kept_manifest(file.path, file.data)


def facts_of(setup: RunSetup) -> Facts:
    """The facts of a setup, built once per setup value."""
    held = _LAST.get("facts")
    if held is None or held.setup is not setup:
        held = _LAST["facts"] = Facts(setup)
    return held


_LAST: dict[str, Facts] = {}
"""The facts of the setup seen last; a run calls with one setup, a stage with one per message."""


def violations(manifest: Manifest, facts: Facts) -> Iterator[Violation]:
    """Every violation of a manifest, in document order, then by rule."""
    facts = facts.seen_from(manifest.path)
    for document in manifest.documents:
        for base, obj in every_object(document, facts, manifest.path):
            for rule, found in firing(obj, facts, fragment=is_fragment(manifest, document, facts)):
                yield waived(describe(rule, found, obj, document, base), manifest.path, obj, facts)


def waived(violation: Violation, path: str, obj: Mapping[str, Any], facts: Facts) -> Violation:
    """A violation, ignored where the team accepted it; an acceptance that is over is said."""
    verdict = facts.acceptance.of(path, violation, obj)
    return violation.resolved(*verdict) if verdict else violation


def is_fragment(manifest: Manifest, document: Document, facts: Facts) -> bool:
    """Whether what a document holds are patches: what they leave out is not missing."""
    return manifest.path in facts.patch_files or is_kustomization(manifest.path, document.value)


def every_object(document: Document, facts: Facts, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of each object of a document; those that a Template makes stand where it holds them."""
    for base, obj in objects_in(path, document.value, facts):
        yield base, obj
        yield from ((base + place, inner) for place, inner in expanded(obj, facts.decision))


def firing(obj: Mapping[str, Any], facts: Facts, *, fragment: bool = False) -> tuple[tuple[Rule, Found], ...]:
    """The rules that fire on one object, as they hold for it on the target, and where; on a fragment, those that look for what is there.

    Inspection, planning and proofs meet the same objects again and again: the answer for a value is kept as long as its file asks.
    """
    key = (fragment, obj.place if isinstance(obj, Sparse) else None, repr(obj))
    if key not in facts.fired:
        facts.fired[key] = tuple(_firing(obj, facts, fragment=fragment))
    found: tuple[tuple[Rule, Found], ...] = facts.fired[key]
    return found


def _firing(obj: Mapping[str, Any], facts: Facts, *, fragment: bool) -> Iterator[tuple[Rule, Found]]:
    keys = set(keys_of(obj))
    for rule in facts.knowledge.rulebook.for_kind(obj["apiVersion"], obj["kind"]):
        check = CHECKS[rule.match.check]
        params, needed = _prepared(rule)
        if needed is not None and not any(one <= keys for one in needed):
            continue
        holds = in_force(rule, obj, facts.enforcement)
        if holds and ("any" in rule.sources or facts.profile.name in rule.sources) and not (fragment and check.needs_whole):
            found = check.find(obj, params, facts)
            yield from ((holds, f) for f in found if not isinstance(obj, Sparse) or obj.knows(f.path))


def keys_of(value: JsonValue) -> Iterator[str]:
    """Every key of every mapping in a value."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, (dict, list)):
            yield from keys_of(inner)


def params_of(rule: Rule) -> Closed:
    """The validated parameters of a rule's check."""
    return _prepared(rule)[0]


def _prepared(rule: Rule) -> tuple[Closed, tuple[frozenset[str], ...] | None]:
    """The validated parameters of a rule's check, and its sets of keys (see `Check.keys`)."""
    held = _PREPARED.get(rule.id)
    if held is None or held[0] is not rule:
        check = CHECKS[rule.match.check]
        params = check.params.model_validate(rule.match.params)
        held = _PREPARED[rule.id] = (rule, params, check.keys(params) if check.keys else None)
    return held[1:]


_PREPARED: dict[str, tuple[Rule, Closed, tuple[frozenset[str], ...] | None]] = {}


def describe(rule: Rule, found: Found, obj: Mapping[str, Any], document: Document, base: str) -> Violation:
    """A Violation at a place of a document, with the rule's message filled in."""
    path = nearest(document.value, base + found.path)
    line, column = document.position(path)
    message = rule.message.format_map(Fields(found, obj))
    return Violation(rule.id, rule.title, rule.severity, document.index, path, line, column, ResourceRef.of(obj), message, rule.links)


class Fields(dict[str, str]):
    """What a rule's texts may name in braces: the found fields, and name and kind of the object; long values are cut, but not for a key."""

    def __init__(self, found: Found, obj: Mapping[str, Any], *, whole: bool = False) -> None:
        ref = ResourceRef.of(obj)
        super().__init__({"name": ref.name or "(no name)", "kind": ref.kind, "apiVersion": ref.api_version})
        self.update({k: v if whole or isinstance(v, Wording) else one_line(v) for k, v in found.fields.items()})

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def one_line(text: str) -> str:
    """A value fit for a message."""
    text = " ".join(text.split())
    shown = LIST_SHOWN if ", " in text else VALUE_SHOWN
    return text if len(text) <= shown else text[: shown - 1] + "…"
