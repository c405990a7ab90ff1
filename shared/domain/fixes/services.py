"""Load balancers: public or internal, as a human decided."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.services import INTERNAL, exposure, exposure_key
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.pointer import MISSING, get, split

AZURE = "/metadata/annotations/service.beta.kubernetes.io~1azure-"
DENY_THE_REST = f"{AZURE}deny-all-except-load-balancer-source-ranges"
IDLE_TIMEOUT = f"{AZURE}load-balancer-tcp-idle-timeout"


@fix("load-balancer-exposure", Nothing)
def load_balancer_exposure(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """`internal` writes the Azure annotation; without an answer it asks once per Service."""
    if exposure(obj, facts) != "internal":
        question = Question(exposure_key(obj), f"Is the load balancer of Service {split_name(obj)} public or internal on AKS?", "internal")
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


@fix("source-ranges", Nothing)
def source_ranges(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """The annotation's allow list becomes spec.loadBalancerSourceRanges; an internal Service must deny the rest by an annotation."""
    if get(obj, "/spec/loadBalancerSourceRanges") is not MISSING:
        raise CannotConvert("The Service has loadBalancerSourceRanges already: see which of the two lists counts.", path=found.path)
    ranges = [r.strip() for r in str(get(obj, found.path)).split(",") if r.strip()]
    if not ranges or not all(_is_network(r) for r in ranges):
        raise CannotConvert("The list holds something that is no network (10.0.0.0/8).", path=found.path)
    internal = [Op("add", DENY_THE_REST, "true")] if get(obj, INTERNAL) == "true" and get(obj, DENY_THE_REST) is MISSING else []
    return Conversion((Op("add", "/spec/loadBalancerSourceRanges", ranges), *internal, _without(obj, found.path)))


def _is_network(text: str) -> bool:
    try:
        return bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


@fix("idle-timeout", Nothing)
def idle_timeout(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Seconds become Azure's whole minutes, 4 to 30; a value that Azure cannot say is a loss."""
    seconds = str(get(obj, found.path))
    if not seconds.isdigit() or get(obj, IDLE_TIMEOUT) is not MISSING:
        raise CannotConvert("The idle timeout is no number of seconds, or Azure's own annotation stands beside it.", path=found.path)
    minutes = min(max(math.ceil(int(seconds) / 60), 4), 30)
    told = f"idle connections are kept for {minutes} minutes, not {seconds} seconds: Azure counts whole minutes from 4 to 30"
    losses = (Loss(found.path, told),) if minutes * 60 != int(seconds) else ()
    return Conversion((Op("add", IDLE_TIMEOUT, str(minutes)), Op("remove", found.path)), losses=losses)


def _without(obj: Mapping[str, Any], path: str) -> Op:
    """Remove an annotation; the whole map where it is the only one."""
    annotations = get(obj, "/metadata/annotations")
    alone = isinstance(annotations, dict) and len(annotations) == 1
    return Op("remove", "/metadata/annotations" if alone else path)


def split_name(obj: Mapping[str, Any]) -> str:
    """The object's name as a text shows it."""
    name = get(obj, "/metadata/name")
    return name if isinstance(name, str) else "(no name)"
