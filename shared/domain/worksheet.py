"""The documents of one file while the Thinker works on them: current values that remember where they came from.

Operations shift indices and add fields; a violation is known by its place in the original. Containers keep their
identity when jsonpatch works in place, so each container remembers its original pointer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import jsonpatch

from shared.domain.convert.base import Op
from shared.domain.manifest import Manifest, objects_of
from shared.domain.model import Disposition, PatchOperation
from shared.domain.pointer import JsonValue, child, join, nearest, split

Origin = tuple[int, str]
"""(document index, pointer) in the original file."""


class Worksheet:
    """Deep copies of a manifest's documents, changed by operations."""

    def __init__(self, manifest: Manifest) -> None:
        self.originals = [d.value for d in manifest.documents]
        self.documents: list[JsonValue] = copy.deepcopy(self.originals)
        self._origins: dict[int, Origin] = {}
        self._alive: list[Any] = []
        for index, document in enumerate(self.documents):
            self._remember(document, index, "")

    def _remember(self, value: JsonValue, document: int, pointer: str) -> None:
        if not isinstance(value, (dict, list)):
            return
        self._origins[id(value)] = (document, pointer)
        self._alive.append(value)
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            self._remember(inner, document, child(pointer, key))

    def index_of(self, document: JsonValue) -> int | None:
        """Where a document stands now; None once it is gone."""
        return next((i for i, d in enumerate(self.documents) if d is document), None)

    def objects(self, document: JsonValue) -> Iterator[tuple[str, dict[str, Any]]]:
        """(base pointer, object) of a document as it is now."""
        return objects_of(document)

    def origin(self, document: JsonValue, pointer: str) -> Origin | None:
        """Where a place of a current document stood originally; None for what was not there."""
        value, found, rest = document, self._origins.get(id(document)), split(pointer)
        for i, token in enumerate(split(pointer)):
            if isinstance(value, dict) and token in value:
                value = value[token]
            elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
                value = value[int(token)]
            else:
                break
            if id(value) in self._origins:
                found, rest = self._origins[id(value)], split(pointer)[i + 1 :]
        if found is None:
            return None
        return found[0], nearest(self.originals[found[0]], found[1] + join(rest))

    def apply(
        self, document: JsonValue, base: str, operations: Sequence[Op], insert: Sequence[JsonValue], rule_id: str, disposition: Disposition
    ) -> list[PatchOperation]:
        """Apply a conversion of the object at `base` of a document; gives the operations over the array of documents."""
        made = self.located(document, base, operations, insert, rule_id, disposition)
        for operation in made:
            bare = operation.rfc6902()
            if "value" in bare:
                bare["value"] = copy.deepcopy(bare["value"])
            jsonpatch.JsonPatch([bare]).apply(self.documents, in_place=True)
        return made

    def located(
        self, document: JsonValue, base: str, operations: Sequence[Op], insert: Sequence[JsonValue], rule_id: str, disposition: Disposition
    ) -> list[PatchOperation]:
        """The operations of a conversion with paths over the array of documents; changes nothing."""
        index = self.index_of(document)
        if index is None:
            raise LookupError("the document is gone")
        made = [PatchOperation(o.op, f"/{index}{base}{o.path}", rule_id, o.value, "rule", disposition) for o in operations]
        gone = any(o.op == "remove" and o.path == "" and base == "" for o in operations)
        places = range(index if gone else index + 1, index + len(insert) + 1)
        return made + [
            PatchOperation("add", f"/{place}", rule_id, value, "rule", disposition) for place, value in zip(places, insert, strict=False)
        ]
