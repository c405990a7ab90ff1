"""Which ImageStreams an object names: in the fields of a DeploymentConfig or BuildConfig, or in the annotation of any workload."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.convert.edits import annotations_of
from shared.domain.convert.image_triggers import TRIGGERS

STREAM_KINDS = ("ImageStreamTag", "ImageStreamImage", "ImageStream")
OWN_FIELDS = ("DeploymentConfig", "BuildConfig")
"""Kinds that name streams in their own fields."""


def streams_named(user: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """(namespace, stream) of each, its tag left out; the namespace is None where the reference leaves it out."""
    triggers = annotations_of(user).get(TRIGGERS)
    if triggers is None:
        yield from _streams(user.get("spec") if user.get("kind") in OWN_FIELDS else None)
        return
    try:
        yield from _streams(json.loads(triggers))
    except ValueError:
        return


def _streams(value: Any) -> Iterator[tuple[str | None, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _streams(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ("from", "to") and isinstance(inner, dict) and isinstance(inner.get("name"), str):
                place = inner.get("namespace")
                if inner.get("kind", "ImageStreamTag") in STREAM_KINDS:
                    yield place if isinstance(place, str) and place else None, inner["name"].partition(":")[0].partition("@")[0]
            else:
                yield from _streams(inner)
