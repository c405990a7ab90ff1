"""Which images a run moved to another registry, file by file: kustomizations that change an image by its name have to follow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping

import jsonpatch

from shared.domain.image_names import ImageName
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, PatchOperation
from shared.domain.pointer import JsonValue, get

FIELDS = ("/image", "/newName")


def moved_images(outcomes: Iterable[FileOutcome], original: Callable[[str], bytes | None]) -> dict[str, Mapping[str, str]]:
    """Old name to new name of the images, without tags, by the file that names them."""
    found = {}
    for outcome in outcomes:
        data = original(outcome.path) if any(map(_moves, outcome.operations)) else None
        if data is not None:
            documents = [d.value for d in read_manifest(outcome.path, data).documents]
            found[outcome.path] = dict(_moved(copy.deepcopy(documents), outcome.operations))
    return {path: names for path, names in found.items() if names}


def _moves(operation: PatchOperation) -> bool:
    return operation.op == "replace" and operation.path.endswith(FIELDS) and isinstance(operation.value, str)


def _moved(documents: list[JsonValue], operations: Iterable[PatchOperation]) -> Iterable[tuple[str, str]]:
    for operation in operations:
        before = get(documents, operation.path) if _moves(operation) else None
        old, new = (ImageName.parse(t) if isinstance(t, str) else None for t in (before, operation.value))
        if old and new and old.name != new.name:
            yield old.name, new.name
        jsonpatch.JsonPatch([copy.deepcopy(operation.rfc6902())]).apply(documents, in_place=True)
