"""Images that OpenShift writes into Kubernetes' own workloads: `image.openshift.io/triggers`, and short names that streams resolve.

Facts: guide/aks_facts_source.md 4.1. The annotation is a JSON text; each entry follows an ImageStreamTag into the image at its `fieldPath`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.edits import namespace_of
from shared.domain.convert.trigger_images import Images, followed, local_tag, short_tag
from shared.domain.model import Question
from shared.domain.paths import containers, metadata_places
from shared.domain.pointer import MISSING, child, get

TRIGGERS = "image.openshift.io/triggers"
RESOLVE_NAMES = "alpha.image.policy.openshift.io/resolve-names"
FIELD = re.compile(r"((?:\w+\.)+(?:initContainers|containers))\[(?:(\d+)|\?\(@\.name==[\"']([^\"']+)[\"']\))\]\.image")


def image_triggers(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The images as OpenShift would write them, without the annotations. Raises CannotConvert with a question per image nobody knows."""
    triggered, short = list(_followed(obj)), list(_short(obj, lookup))
    if not short and not any(True for name in (TRIGGERS, RESOLVE_NAMES) for _ in _annotated(obj, name)):
        raise CannotConvert("OpenShift fills in no image of the object")
    images, questions = Images(), dict[str, Question]()
    for path, container, kind, name, namespace in (*triggered, *short):
        try:
            where = followed(kind, namespace or namespace_of(obj), name, container.get("image"), path, lookup)
        except CannotConvert as reason:
            questions |= {q.key: q for q in reason.questions}
            continue
        images.write(path, container, *where)
    images.losses += [Loss(f"{p}/image", f"no rollout by itself any more when {name} gets a new image") for p, _, _, name, _ in triggered]
    if questions:
        asked = tuple(questions.values())
        names = ", ".join(q.key.partition(".")[2] for q in asked)
        raise CannotConvert(
            f"OpenShift fills these images in; which ones they are outside of it must be said: {names}", asked[0], "", asked
        )
    return Conversion(
        (*images.operations, *_without(obj)), losses=tuple(images.losses), resources=tuple(images.resources),
        reveals=tuple(o.path for o in images.operations),
    )  # fmt: skip


Followed = tuple[str, Mapping[str, Any], str, str, str | None]
"""(container's pointer, container, kind of reference, name, namespace)."""


def _followed(obj: dict[str, Any]) -> Iterator[Followed]:
    """What the annotation's entries name. Raises CannotConvert where it cannot be read."""
    text = get(obj, child("/metadata/annotations", TRIGGERS))
    if text is MISSING:
        return
    try:
        entries = json.loads(text) if isinstance(text, str) and text.strip() else []
    except ValueError as error:
        raise CannotConvert(f"the annotation {TRIGGERS} is not readable as JSON") from error
    if not isinstance(entries, list):
        raise CannotConvert(f"the annotation {TRIGGERS} is no list")
    for entry in entries:
        source, place = _entry(entry)
        if str(entry.get("paused", "")).lower() != "true":
            path, container = _container(obj, place)
            yield path, container, str(source.get("kind") or "ImageStreamTag"), source["name"], source.get("namespace") or None


def _entry(entry: Any) -> tuple[Mapping[str, Any], str]:
    source = entry.get("from") if isinstance(entry, dict) else None
    place = entry.get("fieldPath") if isinstance(entry, dict) else None
    if not isinstance(source, dict) or not isinstance(source.get("name"), str) or not isinstance(place, str):
        raise CannotConvert(f"an entry of the annotation {TRIGGERS} has no from.name or no fieldPath")
    return source, place


def _container(obj: dict[str, Any], place: str) -> tuple[str, Mapping[str, Any]]:
    match = FIELD.fullmatch(place)
    path = "/" + match[1].replace(".", "/") if match else ""
    for found, container in containers(obj):
        parent, _, index = found.rpartition("/")
        if match and parent == path and (index == match[2] or (match[3] and container.get("name") == match[3])):
            return found, container
    raise CannotConvert(f"the annotation {TRIGGERS} names {place}, which is no container of the object")


def _short(obj: dict[str, Any], lookup: Lookup) -> Iterator[Followed]:
    """The containers whose short names OpenShift resolves: because the object asks for it, or the ImageStream of that name does."""
    asks = any(True for _ in _annotated(obj, RESOLVE_NAMES))
    triggered = {path for path, *_ in _followed(obj)}
    for path, container in containers(obj):
        tag = short_tag(container.get("image")) if asks else local_tag(container.get("image"), namespace_of(obj), lookup)
        if path not in triggered and tag is not None:
            yield path, container, "ImageStreamTag", tag, None


def _annotated(obj: Mapping[str, Any], name: str) -> Iterator[str]:
    """Pointers of the annotation maps that hold an annotation."""
    for place in metadata_places(obj):
        annotations = get(obj, f"{place}/annotations")
        if isinstance(annotations, dict) and name in annotations:
            yield f"{place}/annotations"


def _without(obj: Mapping[str, Any]) -> Iterator[Op]:
    """Remove the annotations; a map that holds nothing else goes as a whole."""
    for place in metadata_places(obj):
        annotations = get(obj, f"{place}/annotations")
        gone = [n for n in annotations if n in (TRIGGERS, RESOLVE_NAMES)] if isinstance(annotations, dict) else []
        if gone and isinstance(annotations, dict) and len(gone) == len(annotations):
            yield Op("remove", f"{place}/annotations")
        else:
            yield from (Op("remove", child(f"{place}/annotations", n)) for n in gone)
