"""The documents of one file while the Thinker works on them: current values that remember where they came from.

Operations shift indices and add fields; a violation is known by its place in the original. Containers keep their
identity when jsonpatch works in place, so each container remembers its original pointer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import jsonpatch

from shared.domain.convert.base import CannotConvert, Conversion, Op
from shared.domain.fragments import embedded, written_back
from shared.domain.manifest import Manifest
from shared.domain.model import Disposition, PatchOperation
from shared.domain.pointer import JsonValue, child, get, join, nearest, parent, split

Origin = tuple[int, str]
"""(document index, pointer) in the original file."""


class Worksheet:
    """Deep copies of a manifest's documents, changed by operations."""

    def __init__(self, manifest: Manifest) -> None:
        self.originals = [d.value for d in manifest.documents]
        self.is_json = manifest.is_json
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

    def apply(self, document: JsonValue, base: str, conversion: Conversion, rule_id: str, disposition: Disposition) -> list[PatchOperation]:
        """Apply a conversion of the object at `base` of a document; gives the operations over the array of documents."""
        made = self.located(document, base, conversion, rule_id, disposition)
        home = self.origin(document, base) if conversion.in_place else None
        self.change(made)
        if home is not None:
            for i, value in enumerate(self._stand_in(made)):
                self._remember(value, home[0], f"{home[1]}/objects/{i}")
        return made

    def change(self, operations: Sequence[PatchOperation]) -> None:
        """Apply operations over the array of documents as they are."""
        for operation in operations:
            bare = operation.rfc6902()
            if "value" in bare:
                bare["value"] = copy.deepcopy(bare["value"])
            jsonpatch.JsonPatch([bare]).apply(self.documents, in_place=True)

    def _stand_in(self, made: Sequence[PatchOperation]) -> list[JsonValue]:
        """The objects that took another's place, as they stand now."""
        added = [get(self.documents, o.path) for o in made if o.op != "remove"]
        return list(added[0]["items"]) if made[0].op == "replace" else added

    def located(
        self, document: JsonValue, base: str, conversion: Conversion, rule_id: str, disposition: Disposition
    ) -> list[PatchOperation]:
        """The operations of a conversion with paths over the array of documents; changes nothing. Raises CannotConvert for a patch."""
        index = self.index_of(document)
        if index is None:
            raise LookupError("the document is gone")
        if embedded(document, base) and (conversion.insert_after or any(o.path == "" for o in conversion.operations)):
            raise CannotConvert("A patch follows the object that it patches.")
        operations = [Op(o.op, f"/{index}{o.path}", o.value) for o in written_back(document, base, conversion.operations)]
        operations += self._inserts(index, base, conversion)
        if conversion.in_place and base == "" and self.is_json:
            items: JsonValue = {"apiVersion": "v1", "kind": "List", "items": list(conversion.insert_after)}
            operations = [Op("replace", f"/{index}", items)]
        return [PatchOperation(o.op, o.path, rule_id, o.value, "rule", disposition) for o in operations]

    def _inserts(self, index: int, base: str, conversion: Conversion) -> list[Op]:
        """New documents after this one; new items of a list where the object is replaced in it, or the file can hold no more documents."""
        if not conversion.insert_after:
            return []
        gone = any(o.op == "remove" and o.path == "" for o in conversion.operations)
        if base and (conversion.in_place or self.is_json):
            place = int(split(base)[-1]) + (not gone)
            return [Op("add", f"/{index}{parent(base)}/{place + i}", v) for i, v in enumerate(conversion.insert_after)]
        place = index + (not (gone and base == ""))
        return [Op("add", f"/{place + i}", v) for i, v in enumerate(conversion.insert_after)]
