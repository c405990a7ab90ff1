"""Cross-object consistency of a run: what dangles after the patches and did not before is a conversion that must not be.

The index holds every object and reference as they came; changed files are read again. Two states are compared: a reference is broken
where nothing answers it any longer, or only something farther away than before, which is another application's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.convert.template import expanded
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import ResourceRef
from shared.domain.pointer import JsonValue
from shared.domain.population import Population
from shared.domain.reference_kinds import references
from shared.domain.references import PODS, Reference
from shared.domain.trimmed import trim

Answers = Callable[[str], JsonValue]
PARTS = {"Service": "port", "Gateway": "listener"}


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
    """A reference that meets nothing, or (`only_part`) an object without the port, key or listener."""

    entry: Entry
    reference: Reference
    only_part: bool

    @property
    def target(self) -> tuple[str, str | None, str, str | None]:
        """What is missing, whoever misses it."""
        kind, namespace, name, part = self.reference.target
        return kind, namespace, name, part if self.only_part else None

    def describe(self) -> str:
        """One sentence without its full stop."""
        owner, what = ResourceRef.of(self.entry.object), self.reference
        if self.only_part:
            part = PARTS.get(what.kind, "key")
            return f"{owner.kind} {owner.name} names {part} {what.part} of {what.kind} {what.name}, which has no such {part}"
        if what.labels:
            return f"{owner.kind} {owner.name} selects {what.kind} with the labels {what.name}, of which there are none here"
        return f"{owner.kind} {owner.name} names {what.kind} {what.name}, which is not there"


class State:
    """The objects of the run at one moment."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.there = Population((e.file, e.object) for e in self.entries)

    @functools.cached_property
    def dangling(self) -> list[Dangling]:
        """Every reference that nothing answers."""
        return [self.missing(e, r) for e in self.entries for r in e.refs if self.there.reach(r, e.file) is None]

    def missing(self, entry: Entry, reference: Reference) -> Dangling:
        """The finding for a reference that is not met."""
        return Dangling(entry, reference, only_part=reference.part is not None and any(True for _ in self.there.of_name(reference)))

    def breaks(self, before: State, entry: Entry, reference: Reference) -> bool:
        """Whether a reference of an object that is here now met more in the state before."""
        now = self.there.reach(reference, entry.file)
        if now == 0:
            return False
        once = before.there.reach(reference, entry.file)
        if once is None:
            return now is None and not reference.outside and self.missing(entry, reference).target not in before.unmet
        return now is None or now > once

    @functools.cached_property
    def unmet(self) -> frozenset[tuple[str, str | None, str, str | None]]:
        """What is missing, whoever misses it: a conversion may hand a broken reference on (a Route's to its HTTPRoute)."""
        return frozenset(d.target for d in self.dangling)


def as_they_came(index: Mapping[str, Any]) -> State:
    """The objects of the run before it."""
    return State(
        Entry(e["file"], e["document"], e["base"], e["object"], tuple(map(Reference.from_json, e.get("refs") or ())))
        for e in index["objects"]
    )


def entries_of(path: str, data: bytes | None, answers: Answers) -> Iterator[Entry]:
    """The objects of one file as it is now, those of its answered Templates too; none where it went."""
    for document in read_manifest(path, data).documents if data is not None else ():
        for base, obj in resources(document):
            yield Entry(path, document.index, base, trim(obj), tuple(references(obj)))
            for place, inner in expanded(obj, answers):
                yield Entry(path, document.index, base + place, trim(inner), tuple(references(inner)))


def broken(before: State, after: State) -> list[Dangling]:
    """Every reference that holds no longer, or never did and is new."""
    return [after.missing(e, r) for e in after.entries for r in e.refs if after.breaks(before, e, r)]


def causes(found: Dangling, before: State, changed: Iterable[str]) -> list[str]:
    """The changed files that made a broken reference, or else that held what it names nearest, or else that hold it."""
    changed, file, reference = set(changed), found.entry.file, found.reference
    had = any(r.target == reference.target for e in before.entries if e.file == file for r in e.refs)
    if file in changed and not had:
        return [file]
    return sorted({place for place, _ in before.there.nearest(reference, file)} & changed) or sorted({file} & changed)


def reported(index: Mapping[str, Any]) -> list[Dangling]:
    """What dangled before and surely is a mistake, each missing thing once.

    A port, key or listener that an object of the same application lacks is one. A missing object is one only where everything of the
    application is here: no chart, operator, generator or remote base that could make it, and others of its kind; and only kinds that are
    not often made by hand.
    """
    came = as_they_came(index)
    made = {kind for e in came.entries for kind in (e.object["kind"], *([PODS] if "pod" in e.object else []))}
    brought = WRITTEN_DOWN & made if whole_application(index) else frozenset()
    written = [d for d in came.dangling if d.entry.file not in index["patches"]]
    sure = [d for d in written if (_same_application(d, came) if d.only_part else _brought(d.reference, brought))]
    return list({d.target: d for d in reversed(sure)}.values())[::-1]


def _brought(reference: Reference, kinds: frozenset[str]) -> bool:
    return reference.kind in kinds and not reference.outside


def _same_application(found: Dangling, came: State) -> bool:
    """Whether what lacks the part lies with the one who names it; Secrets are often filled elsewhere."""
    bare = Reference("", found.reference.kind, found.reference.namespace, found.reference.name)
    reach = came.there.reach(bare, found.entry.file)
    return found.reference.kind != "Secret" and reach is not None and reach <= NEIGHBOURS


NEIGHBOURS = 3
"""Distance up to which two files are surely of one application: the same folder, one below, the one above."""

WRITTEN_DOWN = frozenset({PODS, "Service", "Deployment", "StatefulSet", "DeploymentConfig", "PersistentVolumeClaim"})
"""Target kinds that an application brings itself; Secrets, ConfigMaps and ServiceAccounts are often made beside it."""


def whole_application(index: Mapping[str, Any]) -> bool:
    """Whether nothing outside the run can make its objects.

    There is no chart, no Template, no operator with CRDs of its own, and every kustomization names only local files.
    """
    groups = {e["object"]["apiVersion"].rpartition("/")[0] for e in index["objects"]}
    plain = all("." not in g or g.endswith((".k8s.io", ".openshift.io")) or g in ROUTING for g in groups)
    kinds = {e["object"]["kind"] for e in index["objects"]}
    return plain and not kinds & {"Template", "CustomResourceDefinition"} and not any(map(_brings_more, index["kustomizations"].values()))


ROUTING = frozenset({"traefik.io", "traefik.containo.us"})
"""Groups of foreign objects that make no others."""


def _brings_more(kustomization: Mapping[str, Any]) -> bool:
    """Whether a kustomization names what lies elsewhere, or makes objects of other kinds than ConfigMaps and Secrets."""
    lists = (kustomization.get(field) for field in ("resources", "bases", "components"))
    listed = [entry for found in lists if isinstance(found, list) for entry in found]
    remote = any(not isinstance(entry, str) or "//" in entry or "?ref=" in entry or entry.startswith("git") for entry in listed)
    return remote or any(kustomization.get(field) for field in ("helmCharts", "helmChartInflationGenerator", "generators", "transformers"))
