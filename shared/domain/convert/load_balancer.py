"""A LoadBalancer Service in the place of an object that passed connections on as they were: what Routes and Traefik's TCP routes share.

Facts: guide/aks_facts_target.md 3. The Service has an address of its own; whether that is public or internal is always a human's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.convert.base import Lookup, Op
from shared.domain.convert.edits import (
    annotation_path,
    annotations_of,
    metadata,
    name_of,
    namespace_of,
    retype,
    without_annotations,
    without_fields,
)
from shared.domain.convert.httproute import check_free
from shared.domain.convert.names import LABEL_LIMIT, bounded

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


def as_load_balancer(
    obj: Mapping[str, Any], spec: Mapping[str, Any], answer: object, dead: Iterable[str], suffix: str, lookup: Lookup
) -> tuple[Op, ...]:
    """The operations that make `obj` a Service of this spec; `answer` is public or internal, `dead` are annotations that go.

    `suffix` makes another name where a Service has the object's already. Raises CannotConvert where that is taken too.
    """
    return (
        *retype(obj, "v1", "Service"),
        *_named(obj, suffix, lookup),
        Op("replace", "/spec", {"type": "LoadBalancer", **spec}),
        *_annotate(obj, answer, dead),
        *without_fields(obj, "", ("status",)),
    )


def _named(obj: Mapping[str, Any], suffix: str, lookup: Lookup) -> list[Op]:
    if not lookup.exists("Service", namespace_of(obj), name_of(obj)):
        return []
    name = bounded(f"{name_of(obj)}-{suffix}", LABEL_LIMIT)
    check_free("Service", namespace_of(obj), name, lookup)
    return [Op("replace", "/metadata/name", name)]


def _annotate(obj: Mapping[str, Any], answer: object, dead: Iterable[str]) -> list[Op]:
    value, gone = "true" if answer == "internal" else "false", set(dead)
    if not set(annotations_of(obj)) - gone:
        return [Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", {INTERNAL: value})]
    return [*without_annotations(obj, gone), Op("add", annotation_path(INTERNAL), value)]
