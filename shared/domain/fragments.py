"""What a kustomization says about objects that stand elsewhere, seen as objects: patches in texts and in JSON 6902 lists, images, literals.

A strategic-merge patch is a fragment of an object; a JSON 6902 operation and an entry of `images` are read as a sparse object of which
only one place is known. Rules look at them as at any fragment, and a fix of that place is written back where it lies (`written_back`).
The pointers given out lead through texts: `/patches/0/patch/0/spec/replicas` is inside the first document of that text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from shared.domain.convert.base import CannotConvert, Op
from shared.domain.convert.kustomize_patches import known_kind
from shared.domain.facts import Facts
from shared.domain.image_names import ImageName
from shared.domain.manifest import KUSTOMIZATION_NAMES, is_object, objects_of, read_manifest
from shared.domain.model import ResourceRef
from shared.domain.pointer import MISSING, JsonValue, child, get, join, split
from shared.domain.rulebook import KUSTOMIZE
from shared.domain.text_edits import edited_text

KEPT_TAG = "kept"
"""Stands for the tag that an `images` entry leaves to the base."""

FOLLOWS = "A patch of a kustomization follows the object that it patches."
"""Why a patch is not converted itself."""

SPARSE_BASES = ("/images/", "/configMapGenerator/")
PATCH_FIELDS = ("patches", "patchesJson6902", "patchesStrategicMerge")
Target = Mapping[str, Any]


class Sparse(dict[str, Any]):
    """An object of which only the value at the pointer `place` is known."""

    place: str = ""

    def knows(self, path: str) -> bool:
        """Whether what stands at a path is, or is around, the known value. What a target selects needs no kind of its own."""
        if path in ("/apiVersion", "/kind"):
            return False
        return f"{path}/".startswith(f"{self.place}/") or (self.place.startswith(f"{path}/") and path.count("/") > 1)


def objects_in(path: str, value: JsonValue, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """(base pointer, object or fragment) of a document as it is now."""
    if isinstance(value, dict) and is_kustomization(path, value):
        kind = value.get("kind")
        yield "", {**value, "apiVersion": f"{KUSTOMIZE}/v1beta1", "kind": kind if isinstance(kind, str) else "Kustomization"}
        yield from _in_kustomization(value, facts)
    elif isinstance(value, list) and path in facts.patch_files:
        yield from (found for target in facts.kustomizations.targets_of(path) for found in _operations(value, "", target, facts))
    else:
        known = facts.kustomizations if facts.kustomizations.is_copy(path) else None
        targets = facts.kustomizations.targets_of(path) if path in facts.patch_files else []
        for base, obj in objects_of(value):
            if obj.get("$patch") != "delete" and not (known and known.deletes(path, ResourceRef.of(obj))):
                yield from ((base, part) for part in (_merged(obj, targets, facts) if targets else [obj]))


def is_kustomization(path: str, value: JsonValue) -> bool:
    """Whether a document is a file of kustomize itself, by its name or its API group."""
    if not isinstance(value, dict):
        return False
    api = value.get("apiVersion")
    return api.startswith(f"{KUSTOMIZE}/") if isinstance(api, str) else PurePosixPath(path).name in KUSTOMIZATION_NAMES


def _in_kustomization(value: Mapping[str, Any], facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in PATCH_FIELDS:
        for i, entry in enumerate(_items(value, field)):
            place, text = (f"/{field}/{i}/patch", entry.get("patch")) if isinstance(entry, dict) else (f"/{field}/{i}", entry)
            target = entry.get("target") if isinstance(entry, dict) else None
            if isinstance(text, str) and (isinstance(entry, dict) or "\n" in text):
                yield from _in_text(text, place, target if isinstance(target, dict) else {}, facts)
    yield from _images(value, facts)
    yield from _literals(value)


def _in_text(text: str, place: str, target: Target, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    for i, inner in enumerate(_documents(text)):
        if isinstance(inner, list):
            yield from _operations(inner, child(place, i), target, facts)
        elif isinstance(inner, dict) and inner.get("$patch") != "delete":
            yield from ((child(place, i), part) for part in _merged(inner, [target] if target else [], facts))


def _merged(body: Mapping[str, Any], targets: Sequence[Target], facts: Facts) -> Iterator[dict[str, Any]]:
    """A strategic-merge patch: an object as it names itself, or as the first of its targets does."""
    known = known_kind(targets[0], facts.identities) if targets else None
    if known is not None:
        part = Sparse({**body, "apiVersion": known[0], "kind": known[1]})
        yield part
    elif is_object(body):
        yield dict(body)


@lru_cache(maxsize=256)
def _documents(text: str) -> tuple[JsonValue, ...]:
    manifest = read_manifest("patch.yaml", text.encode("utf-8", "replace"))
    return tuple(d.value for d in manifest.documents) if manifest.status != "refused" else ()


def _operations(items: Sequence[Any], base: str, target: Target, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """One sparse object per JSON 6902 operation that writes a value."""
    known = known_kind(target, facts.identities)
    for i, item in enumerate(items):
        if not isinstance(item, dict) or item.get("op") not in ("add", "replace") or "value" not in item:
            continue
        place = place_of(item.get("path"))
        if place and (found := known or _pods(place)):
            sparse = Sparse(apiVersion=found[0], kind=found[1], metadata={k: target[k] for k in ("name", "namespace") if k in target})
            sparse.place = place
            _write(sparse, split(place), item["value"])
            yield child(base, i, "value"), sparse


def place_of(path: Any) -> str | None:
    """Where a JSON 6902 operation writes; the end of a list is its first item in a sparse object. None for a place of no use."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) > 1024:
        return None
    tokens = ["0" if t == "-" else t for t in split(path)]
    return join(tokens) if all(not t.isdigit() or int(t) < 64 for t in tokens) else None


def _pods(place: str) -> tuple[str, str] | None:
    """A target without a kind that names a pod template means some workload: all kinds of them look the same there."""
    return ("apps/v1", "Deployment") if place.startswith("/spec/template/spec/") else None


def _write(sparse: dict[str, Any], tokens: Sequence[str], value: Any) -> None:
    at: Any = sparse
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        fresh: Any = value if following is None else [] if following.isdigit() else {}
        if isinstance(at, list):
            at.extend([None] * (int(token) + 1 - len(at)))
            at[int(token)] = fresh
            at = fresh
        else:
            held = at.get(token) if following is not None and isinstance(at.get(token), type(fresh)) else fresh
            at[token] = held
            at = held


def _images(value: Mapping[str, Any], facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """The reference that an entry of `images` makes; one that only adds a tag to images of the run speaks through them."""
    for i, entry in enumerate(_items(value, "images")):
        name = ImageName.of_entry(entry)
        if name is not None and (isinstance(entry.get("newName"), str) or entry["name"] not in facts.image_names):
            pod = Sparse(apiVersion="v1", kind="Pod", spec={"containers": [{"image": name.written(KEPT_TAG)}]})
            pod.place = "/spec/containers/0/image"
            yield f"/images/{i}", pod


def _literals(value: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The literals of configMapGenerator as ConfigMaps; secrets are nobody's business."""
    for i, entry in enumerate(_items(value, "configMapGenerator")):
        literals = entry.get("literals") if isinstance(entry, dict) else None
        data = dict(t.split("=", 1) for t in literals if isinstance(t, str) and "=" in t) if isinstance(literals, list) else {}
        if data and isinstance(entry, dict):
            yield (
                f"/configMapGenerator/{i}",
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry.get("name")}, "data": data},
            )


def _items(value: Mapping[str, Any], field: str) -> list[Any]:
    items = value.get(field)
    return items if isinstance(items, list) else []


def embedded(document: JsonValue, base: str) -> bool:
    """Whether the object at a base is only read out of something else, so that it can neither go nor have others beside it."""
    return isinstance(document, list) or base.startswith(SPARSE_BASES) or _text_place(document, base) is not None


def written_back(document: JsonValue, base: str, operations: Sequence[Op]) -> list[Op]:
    """A fix of the object at `base` as operations on the document. Raises CannotConvert where it cannot be said there."""
    at = _text_place(document, base)
    if at is not None:
        text, inner = get(document, at), base.removeprefix(at)
        index, _, rest = inner[1:].partition("/")
        made = written_back(_documents(text)[int(index)], f"/{rest}" if rest else "", operations)
        return [Op("replace", at, edited_text(text, [Op(o.op, f"/{index}{o.path}", o.value) for o in made], at))]
    if isinstance(document, list):
        return [inner for o in operations for inner in _in_operation(document, base, o)]
    if base.startswith(SPARSE_BASES[0]):
        return [inner for o in operations for inner in _in_image(get(document, base), base, o)]
    if base.startswith(SPARSE_BASES[1]):
        raise CannotConvert("Literals of a generator are changed by hand.")
    return [Op(o.op, base + o.path, o.value) for o in operations]


def _text_place(document: JsonValue, base: str) -> str | None:
    """The longest part of a pointer that leads to a text that holds the rest of it."""
    if not base or isinstance(document, list):
        return None
    tokens = split(base)
    return next((p for n in range(1, len(tokens)) if isinstance(get(document, p := join(tokens[:n])), str)), None)


def _in_operation(items: list[Any], base: str, operation: Op) -> Iterator[Op]:
    index = int(split(base)[0])
    place = place_of(items[index].get("path")) or ""
    rest = operation.path.removeprefix(place)
    if operation.path == place and operation.op == "remove":
        if len(items) == 1 or items[index]["op"] != "add":
            raise CannotConvert("The patch has to go, or to remove the field: that is decided by hand.")
        yield Op("remove", f"/{index}")
    elif f"{operation.path}/".startswith(f"{place}/"):
        yield Op("replace" if not rest else operation.op, f"/{index}/value{rest}", operation.value)
    else:
        raise CannotConvert("The fix changes fields that this patch does not write.")


def _in_image(entry: Any, base: str, operation: Op) -> Iterator[Op]:
    """A new reference as newName, newTag and digest of an `images` entry."""
    new = ImageName.parse(operation.value) if isinstance(operation.value, str) and operation.op == "replace" else None
    if new is None:
        raise CannotConvert("The image of the entry is changed by hand.")
    wanted = {"newName": new.name, "newTag": None if new.tag == KEPT_TAG else new.tag, "digest": new.digest}
    for field, text in wanted.items():
        held = entry.get(field, MISSING)
        if text is not None and (held is MISSING or str(held) != text):
            yield Op("add" if held is MISSING else "replace", f"{base}/{field}", text)
