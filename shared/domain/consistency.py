"""Cross-object consistency of a run: what dangles after the patches and did not before is a conversion that must not be.

The index holds every object and reference as they came; changed files are read again. The two states are compared by what is
missing, not by who misses it, since a conversion may hand a broken reference on (a Route's to its HTTPRoute).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.index import trim
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import FileOutcome, ResourceRef
from shared.domain.references import PODS, Population, Reference, references

Missing = tuple[str, str | None, str, bool]
"""(kind, namespace, name, whether only the port is missing)"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object at its place in a file, with what it names."""

    file: str
    document: int
    base: str
    object: Mapping[str, Any]
    refs: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference that meets nothing, or a Service without the port."""

    entry: Entry
    reference: Reference
    only_port: bool

    @property
    def missing(self) -> Missing:
        return self.reference.kind, self.reference.namespace, self.reference.name, self.only_port

    def describe(self) -> str:
        """One clause: who names what that is not there."""
        owner = ResourceRef.of(self.entry.object)
        what = self.reference
        if self.only_port:
            return f"{owner.kind} {owner.name} names port {what.port} of Service {what.name}, which has no such port"
        kind = "pods with the labels" if what.kind == PODS else what.kind
        return f"{owner.kind} {owner.name} names {kind} {what.name}, which {'are' if what.kind == PODS else 'is'} not there"


def as_they_came(index: Mapping[str, Any]) -> list[Entry]:
    """The objects of the run before it."""
    return [
        Entry(e["file"], e["document"], e["base"], e["object"], tuple(map(Reference.from_json, e.get("refs") or ())))
        for e in index["objects"]
    ]


def entries_of(path: str, data: bytes) -> Iterator[Entry]:
    """The objects of one file as it is now."""
    for document in read_manifest(path, data).documents:
        for base, obj in resources(document):
            yield Entry(path, document.index, base, trim(obj), tuple(references(obj)))


def dangling(entries: Iterable[Entry]) -> list[Dangling]:
    """Every reference that nothing answers."""
    entries = list(entries)
    there = Population(e.object for e in entries)
    found = []
    for entry in entries:
        for reference in entry.refs:
            if not there.meets(reference):
                found.append(Dangling(entry, reference, only_port=False))
            elif not there.has_port(reference):
                found.append(Dangling(entry, reference, only_port=True))
    return found


def broken_by(before: list[Entry], outcomes: Mapping[str, FileOutcome], read: Callable[[str], bytes | None]) -> dict[str, str]:
    """Files whose changes break a reference, with the reason; their originals, all together, break none."""
    known = {d.missing for d in dangling(before)}
    changed = {path for path, o in outcomes.items() if o.status == "patched"}
    fresh = {path: list(entries_of(path, data)) for path in sorted(changed) if (data := read(path)) is not None}
    blamed: dict[str, str] = {}
    while True:
        restored = changed - blamed.keys()
        after = [e for e in before if e.file not in restored] + [e for path in sorted(restored) for e in fresh.get(path, ())]
        new = [d for d in dangling(after) if d.missing not in known]
        more = {path: f"Not changed: afterwards, {d.describe()}." for d in reversed(new) for path in _causes(d, before, restored)}
        if not more:
            return blamed
        blamed |= more


def _causes(found: Dangling, before: list[Entry], changed: set[str]) -> set[str]:
    """The changed files that made the reference, or else that held what it names, or else that hold it."""
    missing = found.reference
    held = (r for e in before if e.file == found.entry.file for r in e.refs)
    had = any((r.kind, r.name, r.port) == (missing.kind, missing.name, missing.port) for r in held)
    if found.entry.file in changed and not had:
        return {found.entry.file}
    bare = replace(missing, path="")
    holders = {e.file for e in before if e.file in changed and Population([e.object]).meets(bare)}
    return holders or ({found.entry.file} & changed)


def restored(outcome: FileOutcome, reason: str) -> FileOutcome:
    """The entry of a file whose changes were taken back: what was mended is left to a person."""
    violations = tuple(v.resolved("needs-human", reason) if v.resolution == "fixed" else v for v in outcome.violations)
    return replace(
        outcome, status="refused", reason=reason, violations=violations, operations=(), suggestions=(), listeners=(), retyped=(),
        removed=False,
    )  # fmt: skip


def reported(index: Mapping[str, Any]) -> list[Dangling]:
    """What dangled before and surely is a mistake, each missing thing once.

    A port that a Service of the run lacks is one. A missing object is one only where everything of the application is here: no chart,
    operator, generator or remote base that could make it, and others of its kind; and only kinds that are not often made by hand.
    """
    found = dangling(as_they_came(index))
    brought = WRITTEN_DOWN & {e["object"]["kind"] for e in index["objects"]} if _whole(index) else frozenset()
    sure = [d for d in found if d.only_port or d.reference.kind in brought]
    return list({d.missing: d for d in reversed(sure)}.values())[::-1]


WRITTEN_DOWN = frozenset({"Service", "Deployment", "StatefulSet", "DeploymentConfig", "PersistentVolumeClaim"})
"""Target kinds that an application brings itself; Secrets, ConfigMaps and ServiceAccounts are often made beside it."""


def _whole(index: Mapping[str, Any]) -> bool:
    groups = {e["object"]["apiVersion"].rpartition("/")[0] for e in index["objects"]}
    plain = all("." not in g or g.endswith((".k8s.io", ".openshift.io")) or g in ROUTING for g in groups)
    kinds = {e["object"]["kind"] for e in index["objects"]}
    return plain and "Template" not in kinds and not index["kustomizations"]


ROUTING = frozenset({"traefik.io", "traefik.containo.us"})
"""Groups of foreign objects that make no others."""
