"""What `fix` does with every construct of the corpus, counted in one process: findings by fate, and objects of APIs that AKS lacks.

Each repository is a run of its own, as a team would make it: no answers, nothing applied that is only suggested.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from shared.cli.local import LocalRun, fix_tree, options_for
from shared.cli.tree import read_tree
from shared.domain.checks import Found
from shared.domain.convert.base import CannotConvert
from shared.domain.facts import Facts
from shared.domain.features import LEGACY_OPENSHIFT
from shared.domain.inspector import every_object, facts_of, firing, manifest_of
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import FileOutcome, ResourceRef, Violation
from shared.domain.pointer import nearest
from shared.domain.proposals import conversion_of
from shared.domain.rulebook import Rule, by_id
from shared.domain.run import RunSetup, SourceFile
from shared.domain.schema import valid

CORPUS = Path(os.environ.get("AKS_CORPUS") or Path(__file__).resolve().parents[1].parent / "shared" / "corpus")
SOURCES = ("k3s", "okd", "other")

Fate = Literal["fixed", "asked", "suggested", "reported", "harmless", "silent"]
FATES: tuple[Fate, ...] = ("fixed", "asked", "suggested", "reported", "harmless")
"""From the best to the least; `silent` is none of them, and must not be."""

UnitKey = tuple[str, int, str]

VERSION = "1.35"
KUBERNETES = frozenset(
    ["apps", "autoscaling", "batch", "extensions", "policy"]
    + [f"{g}.k8s.io" for g in ("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization")]
    + [f"{g}.k8s.io" for g in ("certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node")]
    + [f"{g}.k8s.io" for g in ("rbac.authorization", "resource", "scheduling", "storage")]
)
"""Groups of Kubernetes' own, of which every version and kind that is served has a schema."""

OF_THE_OBJECT = frozenset({"object", "foreign-api", "operator-package", "middleware", "image-stream", "security-context-constraints"})
"""Checks that speak of an object as a whole: only these say what becomes of an API that AKS lacks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one repository and what became of it; `place` tells objects apart."""

    source: str
    rule_id: str
    severity: str
    place: tuple[str, str, int, ResourceRef | None]
    fate: Fate


@dataclass(frozen=True, slots=True)
class Stranger:
    """An object of an API that AKS does not serve, and what became of it; `file` is relative to the corpus."""

    file: str
    ref: ResourceRef
    fate: Fate


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that was counted, in the order of the corpus."""

    repositories: int
    files: int
    findings: tuple[Finding, ...]
    strangers: tuple[Stranger, ...]


def count(corpus: Path = CORPUS) -> Counts:
    """Run `fix` over every repository of the corpus and count. Raises RuntimeError where a file fails: its numbers would be wrong."""
    findings: list[Finding] = []
    strangers: list[Stranger] = []
    repositories = [(s, folder) for s in SOURCES for folder in sorted((corpus / s).iterdir()) if folder.is_dir()]
    files = 0
    for source, folder in repositories:
        tree = read_tree([folder])
        originals = {file.path: file for file in tree.read()[0]}
        run = fix_tree(tree, options_for(folder, "auto", None))
        name = folder.relative_to(corpus).as_posix()
        files += len(originals)
        for outcome in run.outcomes:
            if outcome.status == "failed":
                raise RuntimeError(f"{folder / outcome.path}: {outcome.reason}")
            if outcome.path in originals:
                found = list(_findings(source, name, outcome, originals[outcome.path], run.setup))
                findings += found
                strangers += _strangers(name, outcome, originals[outcome.path], run, found)
    return Counts(len(repositories), files, tuple(findings), tuple(strangers))


def _findings(source: str, repository: str, outcome: FileOutcome, file: SourceFile, setup: RunSetup) -> Iterator[Finding]:
    open_here = _asked(file, setup) if any(v.resolution == "needs-human" for v in outcome.violations) else set()
    for violation in outcome.violations:
        fate = _fate(violation, open_here)
        yield Finding(
            source, violation.rule_id, violation.severity, (repository, outcome.path, violation.document, violation.resource), fate
        )


def _fate(violation: Violation, asked: set[UnitKey]) -> Fate:
    if violation.resolution == "needs-human":
        return "asked" if violation.key in asked else "reported"
    return "harmless" if violation.resolution == "ignored" else violation.resolution


def _asked(file: SourceFile, setup: RunSetup) -> set[UnitKey]:
    """The violations of a file that a Decision would settle."""
    facts, manifest = facts_of(setup), manifest_of(file)
    found = set()
    for document in manifest.documents if manifest.status == "manifest" else ():
        for base, obj in every_object(document, facts):
            for rule, hit in firing(obj, facts, fragment=manifest.path in facts.patch_files):
                if _asks(rule, hit, obj, facts):
                    found.add((rule.id, document.index, nearest(document.value, base + hit.path)))
    return found


def _asks(rule: Rule, hit: Found, obj: dict[str, Any], facts: Facts) -> bool:
    try:
        return conversion_of(rule, hit, obj, facts) is None and rule.ask is not None
    except CannotConvert as reason:
        return bool(reason.questions) or rule.ask is not None


def _strangers(repository: str, outcome: FileOutcome, file: SourceFile, run: LocalRun, findings: Sequence[Finding]) -> Iterator[Stranger]:
    """The objects of a file whose API AKS lacks: gone afterwards, or with the best that was said of them."""
    after = b"" if outcome.removed else run.changed.get(file.path, file.data)
    left = Counter(ref for _, ref, _ in _objects(file.path, after))
    said: dict[tuple[int, ResourceRef | None], list[Fate]] = defaultdict(list)
    for finding in findings:
        if by_id()[finding.rule_id].match.check in OF_THE_OBJECT:
            said[finding.place[2:]].append(finding.fate)
    facts = facts_of(run.setup)
    own = (crd.get("spec", {}).get("group", "") for crd in facts.of_kind("CustomResourceDefinition"))
    groups = (*facts.typed_target.api_groups, *own)
    for document, ref, obj in _objects(file.path, file.data):
        if _is_strange(obj, groups):
            heard = [f for f in FATES[1:] if f in said[document, ref]]
            fate: Fate = "fixed" if not left[ref] else heard[0] if heard else "reported" if outcome.status == "refused" else "silent"
            yield Stranger(f"{repository}/{file.path}", ref, fate)


def _objects(path: str, data: bytes) -> Iterator[tuple[int, ResourceRef, dict[str, Any]]]:
    manifest = read_manifest(path, data)
    for document in manifest.documents if manifest.status == "manifest" else ():
        yield from ((document.index, ResourceRef.of(obj), obj) for _, obj in resources(document))


def _is_strange(obj: dict[str, Any], groups: Sequence[str]) -> bool:
    """Of a group that the target does not serve, of OpenShift's old `v1`, or of a version or kind that Kubernetes no longer has."""
    group, kind = obj["apiVersion"].rpartition("/")[0], obj["kind"]
    if group and "." not in group and group not in KUBERNETES:
        return False  # a tool's own file (`skaffold/v3`), no object for a cluster
    if (not group and kind in LEGACY_OPENSHIFT) or not any(fnmatchcase(group or "core", g) for g in groups):
        return True
    return group in KUBERNETES and valid({"apiVersion": obj["apiVersion"], "kind": kind}, VERSION) is None
