"""Services of type LoadBalancer, and whether anybody said that they may be public."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.basic import When
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.model import ResourceRef
from shared.domain.pointer import MISSING, JsonValue, get

INTERNAL = "/metadata/annotations/service.beta.kubernetes.io~1azure-load-balancer-internal"
PUBLIC_ADDRESS = "/metadata/annotations/service.beta.kubernetes.io~1azure-pip-name"

UNNAMED = "unnamed"

LEFT_TO_THEIR_OWNERS = frozenset({"tailscale"})
"""Classes whose controllers run on AKS as anywhere."""


def exposure_key(obj: Mapping[str, Any]) -> str:
    """The Decision that says `public` or `internal` for a Service, by its namespace and name."""
    ref = ResourceRef.of(obj)
    return decision_key("loadBalancers", "/".join(filter(None, (ref.namespace, ref.name or UNNAMED))))


def exposure(obj: Mapping[str, Any], facts: Facts) -> JsonValue:
    """What a human answered for a Service, None where nobody did; an answer for its bare name counts in every namespace."""
    said = facts.decision(exposure_key(obj))
    return facts.decision(decision_key("loadBalancers", ResourceRef.of(obj).name or UNNAMED)) if said is None else said


@check("undecided-load-balancer", When)
def undecided_load_balancer(obj: Mapping[str, Any], params: When, facts: Facts) -> Iterator[Found]:
    """Fires at `spec.type: LoadBalancer` where neither an annotation nor a Decision says public or internal."""
    said = not params.holds(obj) or any(get(obj, p) is not MISSING for p in (INTERNAL, PUBLIC_ADDRESS))
    if get(obj, "/spec/type") == "LoadBalancer" and not said and exposure(obj, facts) != "public":
        yield Found("/spec/type")


@check("decided-load-balancer", Nothing)
def decided_load_balancer(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at the private address and at the class of a LoadBalancer Service of which a Decision says public or internal."""
    if get(obj, "/spec/type") != "LoadBalancer" or exposure(obj, facts) not in ("public", "internal"):
        return
    address, owner = get(obj, "/spec/loadBalancerIP"), get(obj, "/spec/loadBalancerClass")
    if isinstance(address, str) and _private(address):
        yield Found("/spec/loadBalancerIP", {"value": address, "what": "the address"})
    if isinstance(owner, str) and owner and not opaque(owner) and owner not in LEFT_TO_THEIR_OWNERS:
        yield Found("/spec/loadBalancerClass", {"value": owner, "what": "the load balancer class"})


def _private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
