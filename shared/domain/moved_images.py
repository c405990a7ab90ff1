"""What a run moved or took away, file by file: kustomizations that change an image by its name, or patch an object, have to follow."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping

import jsonpatch

from shared.domain.image_names import ImageName
from shared.domain.ledger import Read
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import FileOutcome, PatchOperation, ResourceRef
from shared.domain.pointer import JsonValue, get

WHOLE = re.compile(r"/\d+(?:/items/\d+)?")
FIELDS = ("/image", "/newName")


def moved_images(outcomes: Iterable[FileOutcome], original: Read) -> dict[str, Mapping[str, str]]:
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


def gone_objects(outcomes: Iterable[FileOutcome], read: Read, original: Read) -> frozenset[ResourceRef]:
    """The objects of the files that lost whole documents or items."""
    lost: set[ResourceRef] = set()
    for outcome in outcomes:
        if any(o.op == "remove" and WHOLE.fullmatch(o.path) for o in outcome.operations):
            lost |= _refs(outcome.path, original(outcome.path)) - _refs(outcome.path, None if outcome.removed else read(outcome.path))
    return frozenset(lost)


def _refs(path: str, data: bytes | None) -> set[ResourceRef]:
    documents = read_manifest(path, data).documents if data is not None else ()
    return {ResourceRef.of(obj) for document in documents for _, obj in resources(document)}
