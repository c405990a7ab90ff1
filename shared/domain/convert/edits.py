"""Small operations that several conversions need, and the readers of the metadata they all look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Op
from shared.domain.pointer import child

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_opaque(value: object) -> bool:
    """Whether a string holds a substitution (`${VAR}`, `%{VAR}%`) that is filled in later: kept, never interpreted."""
    return isinstance(value, str) and ("${" in value or "%{" in value)


def metadata(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object's metadata; {} where it has none."""
    found = obj.get("metadata")
    return found if isinstance(found, Mapping) else {}


def namespace_of(obj: Mapping[str, Any]) -> str | None:
    """metadata.namespace, or None where the manifest leaves it out."""
    found = metadata(obj).get("namespace")
    return found if isinstance(found, str) else None


def name_of(obj: Mapping[str, Any]) -> str:
    """metadata.name. Raises CannotConvert where there is none (`generateName`, a fragment)."""
    found = metadata(obj).get("name")
    if not isinstance(found, str) or not found:
        raise CannotConvert("the object has no metadata.name", path="/metadata")
    return found


def label_of(obj: Mapping[str, Any]) -> str:
    """`namespace/name`, or the name alone: how Decisions and messages call an object."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def annotations_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """metadata.annotations with string values; {} where there are none."""
    found = metadata(obj).get("annotations")
    return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, Mapping) else {}


def annotation_path(name: str) -> str:
    """The pointer of an annotation."""
    return child("/metadata/annotations", name)


def retype(obj: Mapping[str, Any], api_version: str, kind: str) -> list[Op]:
    """The operations that give an object this apiVersion and kind."""
    wanted = {"apiVersion": api_version, "kind": kind}
    return [Op("replace", f"/{field}", value) for field, value in wanted.items() if obj[field] != value]


def without_annotations(obj: Mapping[str, Any], names: Iterable[str]) -> list[Op]:
    """Remove these annotations; the whole map where none is left."""
    found = metadata(obj).get("annotations")
    if not isinstance(found, Mapping):
        return []
    gone = [n for n in found if n in set(names)]
    if gone and len(gone) == len(found):
        return [Op("remove", "/metadata/annotations")]
    return [Op("remove", annotation_path(n)) for n in gone]


def without_fields(obj: Mapping[str, Any], pointer: str, fields: Iterable[str]) -> list[Op]:
    """Remove those of these keys that the mapping at `pointer` (given as `obj`) has."""
    return [Op("remove", child(pointer, f)) for f in fields if f in obj]


def replaced(
    obj: Mapping[str, Any], api_version: str, kind: str, spec: Mapping[str, Any], dead: Iterable[str], added: Mapping[str, str]
) -> tuple[Op, ...]:
    """The object as one of another kind with this spec: its annotations lose `dead` and get `added`, its status goes, the rest stays."""
    annotations, gone = annotations_of(obj), set(dead)
    operations = [*retype(obj, api_version, kind), Op("replace", "/spec", dict(spec)), *without_fields(obj, "", ("status",))]
    if not added:
        return (*operations, *without_annotations(obj, gone))
    kept = annotations.keys() - gone
    if kept:
        more = [Op("replace" if k in kept else "add", annotation_path(k), v) for k, v in added.items()]
        return (*operations, *without_annotations(obj, gone), *more)
    return (*operations, Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", dict(added)))
