"""Copies of remote bases (Decision `bases`): only read; what their fixes do becomes patches of the kustomization that names the base.

A field that changes is a JSON 6902 patch; an object that gets another kind or version is deleted by a patch and stands anew in a file
beside the kustomization. The patches go first, so that those of the team still have the last word.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jsonpatch
import yaml

from shared.domain.convert.base import Op
from shared.domain.convert.kustomize import NAMES
from shared.domain.convert.kustomize_changes import INCLUDING
from shared.domain.convert.kustomize_remote import Foreign, foreign_bases
from shared.domain.facts import Facts
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import FileOutcome, ResourceRef, Violation
from shared.domain.pointer import JsonValue, split

CREATED = "aks-bases.yaml"
KEEP = "keep"
"""The answer that a base needs nothing on AKS."""
PLAIN = frozenset({"apiVersion", "kind", "metadata", "resources", "bases"})
"""What a kustomization may say inside a copy: it lists files and changes nothing."""

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Copy:
    """One remote base of one kustomization, and the files of the run that are its copy; `problem` says why they cannot be used."""

    kustomization: str
    base: str
    files: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a kustomization needs for a copy: entries of `patches`, new objects, and what can be said in neither way."""

    patches: tuple[dict[str, JsonValue], ...]
    objects: tuple[dict[str, JsonValue], ...]
    problems: tuple[tuple[ResourceRef | None, str], ...]
    """(object, why it is not patched); None for all objects of a file."""

    def operations(self, content: Mapping[str, Any]) -> list[Op]:
        """The operations on the kustomization; none where it holds every patch already."""
        held = content.get("patches")
        there = held if isinstance(held, list) else []
        new, changed = [], []
        for patch in self.patches:
            place = next((i for i, entry in enumerate(there) if _continues(patch, entry)), None)
            if place is None:
                new.append(patch)
            elif there[place] != patch:
                changed.append(Op("replace", f"/patches/{place}/patch", patch["patch"]))
        if not there:
            return [Op("replace" if "patches" in content else "add", "/patches", new)] if new else []
        return [*changed, *(Op("add", f"/patches/{i}", patch) for i, patch in enumerate(new))]

    def documents(self, held: Iterable[Mapping[str, Any]]) -> list[dict[str, JsonValue]]:
        """The new objects that the file of new objects does not hold yet."""
        known = {ResourceRef.of(o) for o in held}
        return [o for o in self.objects if ResourceRef.of(o) not in known]


def copies_of(facts: Facts, paths: Iterable[str]) -> list[Copy]:
    """The bases for which `.aks-copilot.yaml` names a copy, by kustomization."""
    known = sorted(paths)
    found = []
    for path, content in sorted(facts.setup.index["kustomizations"].items()):
        for base in foreign_bases(path, content):
            answer = facts.decision(base.key)
            if isinstance(answer, str) and answer != KEEP and split(base.pointer)[0] in INCLUDING:
                found.append(_copy(path, base, posixpath.normpath(answer), known, facts))
    return found


def _copy(path: str, base: Foreign, answer: str, known: list[str], facts: Facts) -> Copy:
    files = tuple(p for p in known if p == answer or p.startswith(f"{answer}/"))
    own = {p: c for p, c in facts.setup.index["kustomizations"].items() if p in files}
    problem = None
    if not files:
        problem = f"The copy of {base.name} should be {answer}, which is not among the files."
    elif any(c.keys() - PLAIN for c in own.values()):
        problem = f"The copy {answer} of {base.name} holds a kustomization that changes objects: put the output of kubectl kustomize there."
    elif path in files or any(
        facts.kustomizations.lists(p, f) for p in facts.setup.index["kustomizations"] if p not in files for f in files
    ):
        problem = f"The copy {answer} of {base.name} is built by a kustomization of its own accord: it is no copy to read only."
    return Copy(path, base.name, tuple(f for f in files if posixpath.basename(f) not in NAMES), problem)


def overlay_of(copy: Copy, facts: Facts, read: Read, original: Read) -> Overlay:
    """What makes of the base what the run made of its copy."""
    patches: list[dict[str, JsonValue]] = []
    objects: list[dict[str, JsonValue]] = []
    problems: list[tuple[ResourceRef | None, str]] = []
    for file in copy.files:
        before, after = _objects(file, original(file)), _objects(file, read(file))
        if len(before) < _count(file, original(file)) or len(after) < _count(file, read(file)):
            if original(file) != read(file):
                problems.append((None, f"{file} holds objects without a name, or two of one name: no patch can tell them apart."))
            continue
        for ref, obj in before.items():
            patch = _delete(ref) if ref not in after else _json_patch(ref, obj, after[ref])
            problem = _hindrance(patch, file, ref, facts) if patch else None
            problems += [(ref, problem)] if problem else []
            patches += [patch] if patch and not problem else []
        objects += [obj for ref, obj in after.items() if ref not in before]
    return Overlay(tuple(patches), tuple(objects), tuple(problems))


def _objects(file: str, data: bytes | None) -> dict[ResourceRef, dict[str, Any]]:
    return {ResourceRef.of(o): o for o in _every(file, data) if ResourceRef.of(o).name is not None}


def _count(file: str, data: bytes | None) -> int:
    return sum(1 for _ in _every(file, data))


def _every(file: str, data: bytes | None) -> Iterator[dict[str, Any]]:
    for document in read_manifest(file, data).documents if data is not None else ():
        yield from (obj for _, obj in resources(document))


def _delete(ref: ResourceRef) -> dict[str, JsonValue]:
    meta = {"name": ref.name} | ({"namespace": ref.namespace} if ref.namespace else {})
    return {"patch": _text({"$patch": "delete", "apiVersion": ref.api_version, "kind": ref.kind, "metadata": meta})}


def _json_patch(ref: ResourceRef, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, JsonValue] | None:
    operations = jsonpatch.make_patch(before, after).patch
    if not operations:
        return None
    group, _, version = ref.api_version.rpartition("/")
    said = {"group": group, "version": version, "kind": ref.kind, "name": re.escape(ref.name or "").replace("\\-", "-")}
    target = {k: v for k, v in said.items() if v} | ({"namespace": ref.namespace} if ref.namespace else {})
    return {"target": target, "patch": _text(operations)}


def _text(value: JsonValue) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=False, width=1000)


def _hindrance(patch: Mapping[str, Any], file: str, ref: ResourceRef, facts: Facts) -> str | None:
    """Why a patch would not do to the base what it does to the copy, or would take the ground from another patch."""
    operations = yaml.safe_load(patch["patch"])
    if not isinstance(operations, list):
        return None
    gone = [o["from"] if o["op"] == "move" else o["path"] for o in operations if o["op"] in ("remove", "move")]
    others = [b for b in facts.kustomizations.patches_on(file, ref) if isinstance(b, list) and not all(o in operations for o in b)]
    later = [o for body in others for o in body if isinstance(o, dict) and o.get("op") != "add"]
    if any(f"{o.get('path')}/".startswith(f"{p}/") for o in later for p in gone):
        return f"{ref.kind} {ref.name} of the base: a patch of the kustomization changes a field that has to go."
    listed = any(token.isdigit() for o in operations for token in split(o["path"]))
    if listed and facts.kustomizations.merges_before(file, ref):
        return f"{ref.kind} {ref.name} of the base: patchesStrategicMerge changes it first; write that patch under patches."
    return None


def _continues(wanted: Mapping[str, Any], held: Any) -> bool:
    """Whether an entry is this patch, or an earlier and shorter form of it."""
    if not isinstance(held, dict) or held.get("target") != wanted.get("target"):
        return False
    old, new = _parsed(held.get("patch")), _parsed(wanted["patch"])
    return old == new or (isinstance(old, list) and isinstance(new, list) and bool(old) and all(o in new for o in old))


def _parsed(text: Any) -> JsonValue:
    try:
        return yaml.safe_load(text) if isinstance(text, str) else None
    except yaml.YAMLError:
        return None


def as_reference(outcome: FileOutcome, copies: Iterable[Copy], unpatched: Collection[ResourceRef | None]) -> FileOutcome:
    """The entry of a copy: nothing changes in it, and what the patches mend is no longer something to do there.

    `unpatched` are the objects that no patch mends; None in it means none of them is patched.
    """
    mine = [c for c in copies if outcome.path in c.files]
    where = ", ".join(sorted({c.kustomization for c in mine}))
    violations = [_seen_again(v, where, patched=None not in unpatched and v.resource not in unpatched) for v in outcome.violations]
    status = "unchanged" if outcome.status == "patched" else outcome.status
    reason = outcome.reason or f"A copy of {mine[0].base}: only read; its fixes are patches in {where}."
    return replace(outcome, status=status, reason=reason, violations=tuple(violations), operations=(), removed=False)


def _seen_again(violation: Violation, where: str, *, patched: bool) -> Violation:
    if violation.resolution != "fixed":
        return violation
    return (
        violation.resolved("ignored", f"Patched in {where}.")
        if patched
        else violation.resolved("needs-human", f"Not patched: see {where}.")
    )
