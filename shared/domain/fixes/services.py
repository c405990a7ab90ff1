"""Load balancers: public or internal, as a human decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.services import INTERNAL, exposure_key
from shared.domain.convert.base import CannotConvert, Conversion, Op
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.pointer import get, split


@fix("load-balancer-exposure", Nothing)
def load_balancer_exposure(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """`internal` writes the Azure annotation; without an answer it asks once per Service name."""
    key = exposure_key(obj)
    if facts.decision(key) != "internal":
        question = Question(key, f"Is the load balancer of Service {split_name(obj)} public or internal on AKS?", "internal")
        raise CannotConvert("On AKS a Service of type LoadBalancer gets a public address unless it says internal.", question, found.path)
    return Conversion(tuple(internal_operations(obj)))


def internal_operations(obj: Mapping[str, Any]) -> list[Op]:
    """The operations that make a LoadBalancer Service internal."""
    annotations = get(obj, "/metadata/annotations")
    if isinstance(annotations, dict):
        return [Op("replace" if split(INTERNAL)[-1] in annotations else "add", INTERNAL, "true")]
    return [Op("add", "/metadata/annotations", {split(INTERNAL)[-1]: "true"})]


@fix("internal-load-balancer", Nothing)
def internal_load_balancer(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """The found annotation of another cloud said internal: Azure's says so now, and the old one goes."""
    return Conversion((*internal_operations(obj), Op("remove", found.path)))


@fix("make-internal", Nothing)
def make_internal(obj: Mapping[str, Any], _: Found, __: Nothing, ___: Facts) -> Conversion:
    """The Service was internal where it came from without saying so: Azure's annotation says it."""
    return Conversion(tuple(internal_operations(obj)))


def split_name(obj: Mapping[str, Any]) -> str:
    """The object's name as a text shows it."""
    name = get(obj, "/metadata/name")
    return name if isinstance(name, str) else "(no name)"
