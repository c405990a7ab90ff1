"""Which ImageStreams of a run are still needed: by what refers to them and is not converted in this run.

An ImageStream says which image a DeploymentConfig, a trigger or a build means. Once all of them are converted it says nothing any more;
while one is left, removing the stream would lose what that one needs (DESIGN 6.5).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from shared.domain.boundary import off_limits
from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import CannotConvert, Converter
from shared.domain.convert.edits import metadata, namespace_of
from shared.domain.convert.registry import CONVERSIONS
from shared.domain.convert.stream_names import streams_named
from shared.domain.convert.trigger_images import followed, local_tag
from shared.domain.facts import Facts
from shared.domain.paths import containers
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

USING: Mapping[str, str] = {"DeploymentConfig": "deployment-config", "BuildConfig": "build-config"}
"""The conversion of each kind that names streams in its own fields; others name them in an annotation."""


class StreamParams(Closed):
    """Fires at streams whose users are all `converted`, of which one is `left`, or that have `none` in this run."""

    users: Literal["converted", "left", "none"]


@check("image-stream", StreamParams)
def image_stream(obj: Mapping[str, Any], params: StreamParams, facts: Facts) -> Iterator[Found]:
    """Fires at an ImageStream by what is left of its users; the stream's own tags and imports are nobody's."""
    found, left = _users(obj, facts) if obj.get("kind") == "ImageStream" else (False, None)
    if params.users == ("left" if left else "converted" if found else "none"):
        yield Found("/kind", {"user": left or ""})


def _users(obj: Mapping[str, Any], facts: Facts) -> tuple[bool, str | None]:
    """Whether anything of the run refers to a stream, and the first of these that is not converted."""
    name, namespace, found = metadata(obj).get("name"), namespace_of(obj), False
    for user, place, stream in _references(facts.run):
        if stream == name and (place == namespace or None in (place, namespace)):
            found = True
            if not _converted(user, facts):
                return True, f"{user['kind']} {metadata(user).get('name')}"
    if get(obj, "/spec/lookupPolicy/local") is True:
        pods = list(_local_users(str(name), namespace, facts))
        left = next((user for user, settled in pods if not settled), None)
        return found or bool(pods), left or (None if pods else "every pod of the namespace that has its name as image")
    return found, "a Template that is not expanded yet" if _closed_templates(facts.run) else None


def _local_users(stream: str, namespace: str | None, facts: Facts) -> Iterator[tuple[str, bool]]:
    """(workload, whether its image is settled) of each whose short image names a stream that resolves such names."""
    for entry in facts.setup.index["objects"]:
        obj = entry["object"]
        place = namespace_of(obj)
        for tag in obj.get("pod", {}).get("short", ()) if None in (place, namespace) or place == namespace else ():
            if tag.partition(":")[0] == stream:
                yield (
                    f"{obj['kind']} {metadata(obj).get('name')}",
                    _converted(obj["whole"], facts) if "whole" in obj else _known(tag, obj, facts),
                )


def _known(tag: str, obj: Mapping[str, Any], facts: Facts) -> bool:
    try:
        followed("ImageStreamTag", namespace_of(obj), tag, None, "", facts)
    except CannotConvert:
        return False
    return off_limits(obj) is None


@check("local-image", Nothing)
def local_image(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires once at the first image that is the short name of an ImageStream of the run which resolves such names."""
    found = [(path, tag) for path, c in containers(obj) if (tag := local_tag(c.get("image"), namespace_of(obj), facts))]
    if found:
        yield Found(f"{found[0][0]}/image", {"value": ", ".join(dict.fromkeys(tag for _, tag in found))})


def _converted(user: Mapping[str, Any], facts: Facts) -> bool:
    convert: Converter = CONVERSIONS[USING.get(user["kind"], "image-triggers")]
    try:
        convert(dict(user), facts)
    except CannotConvert:
        return False
    return off_limits(user) is None


@functools.lru_cache(maxsize=2)
def _references(facts: Facts) -> tuple[tuple[Mapping[str, Any], str | None, str], ...]:
    """(user, namespace, stream) of every reference of the run."""
    return tuple((user, place or namespace_of(user), name) for user in facts.whole() for place, name in streams_named(user))


@functools.lru_cache(maxsize=2)
def _closed_templates(facts: Facts) -> bool:
    """Whether a Template of the run keeps its objects to itself, for want of parameter values."""
    entries = facts.setup.index["objects"]
    opened = {(e["file"], e["document"], e["base"].partition("/objects/")[0]) for e in entries if "/objects/" in e["base"]}
    return any((e["file"], e["document"], e["base"]) not in opened for e in entries if e["object"]["kind"] == "Template")
