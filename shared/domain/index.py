"""The cross-file facts of a run: which objects there are, trimmed to what rules look up, and what hints at the source.

Built once by the Intake over every file and frozen in the run's setup. JSON values only; never Secret data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.convert.kustomize_names import without_literals
from shared.domain.convert.template import Answers, expanded
from shared.domain.features import features_of
from shared.domain.manifest import KUSTOMIZATION_NAMES, Manifest, resources
from shared.domain.noted import noted
from shared.domain.pointer import JsonValue
from shared.domain.reference_kinds import references
from shared.domain.trimmed import trim

PATCH_BYTES = 64 * 1024
"""A larger file is no patch of a kustomization that this program follows."""


def build_index(manifests: Iterable[Manifest], answers: Answers) -> dict[str, JsonValue]:
    """`{"objects": [...], "features": {feature: {"files", "first"}}, "kustomizations": {path: content}, "patches": {path: documents}}`.

    `answers` is not asked before the last manifest was taken: it decides which Templates can be expanded, whose objects then count too.
    """
    index = _Index()
    for manifest in manifests:
        index.take(manifest)
    return index.finish(answers)


class _Index:
    """The index while it grows, one manifest after the other; what a file held besides is let go."""

    def __init__(self) -> None:
        self.objects: list[JsonValue] = []
        self.features: dict[str, dict[str, Any]] = {}
        self.kustomizations: dict[str, JsonValue] = {}
        self.small: dict[str, list[JsonValue]] = {}
        self.templates: list[tuple[str, int, str, dict[str, Any]]] = []

    def take(self, manifest: Manifest) -> None:
        """Any file: a kustomization and its patches need not be manifests."""
        contents = [document.value for document in manifest.documents]
        if contents and len(manifest.data) <= PATCH_BYTES:
            self.small[manifest.path] = contents
        if contents and PurePosixPath(manifest.path).name in KUSTOMIZATION_NAMES and isinstance(contents[0], dict):
            self.kustomizations[manifest.path] = without_literals(contents[0])
        if manifest.status == "manifest":
            self._take_objects(manifest)

    def _take_objects(self, manifest: Manifest) -> None:
        seen: set[str] = set()
        for document in manifest.documents:
            for base, obj in resources(document):
                self.objects.append(_entry(manifest.path, document.index, base, obj))
                self.templates += [(manifest.path, document.index, base, obj)] if obj["kind"] == "Template" else []
                seen.update(feature for inner in (obj, *templated(obj)) for feature in features_of(inner))
        for feature in sorted(seen):
            self.features.setdefault(feature, {"files": 0, "first": manifest.path})["files"] += 1

    def finish(self, answers: Answers) -> dict[str, JsonValue]:
        """Everything as one JSON value, the objects of expanded Templates last."""
        made = [
            _entry(path, document, base + place, inner)
            for path, document, base, obj in self.templates
            for place, inner in expanded(obj, answers)
        ]
        return {
            "objects": self.objects + made,
            "features": self.features,
            "kustomizations": self.kustomizations,
            "patches": _patches(self.kustomizations, self.small),
        }


def _entry(path: str, document: int, base: str, obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    """One object of the index, with what it names of others."""
    named: list[JsonValue] = [reference.to_json() for reference in references(obj)]
    entry: dict[str, JsonValue] = {"file": path, "document": document, "base": base, "object": trim(obj)}
    more = {"refs": named, "noted": noted(obj)}
    return entry | {key: value for key, value in more.items() if value}


def _patches(kustomizations: Mapping[str, Any], small: Mapping[str, list[JsonValue]]) -> dict[str, JsonValue]:
    """The documents of every file that a kustomization uses as a patch; null in the place of a Secret."""
    found = Kustomizations(kustomizations, small.get).patch_files()
    return {path: [None if _is_secret(d) else d for d in small[path]] for path in sorted(found) if path in small}


def _is_secret(document: JsonValue) -> bool:
    return isinstance(document, dict) and document.get("kind") == "Secret"


def templated(obj: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects inside an OpenShift Template."""
    inner = obj.get("objects") if obj.get("kind") == "Template" else None
    for item in inner if isinstance(inner, list) else ():
        if isinstance(item, dict) and isinstance(item.get("kind"), str) and isinstance(item.get("apiVersion"), str):
            yield item
