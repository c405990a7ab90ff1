"""Services of type LoadBalancer, and whether anybody said that they may be public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.pointer import MISSING, get

INTERNAL = "/metadata/annotations/service.beta.kubernetes.io~1azure-load-balancer-internal"
PUBLIC_ADDRESS = "/metadata/annotations/service.beta.kubernetes.io~1azure-pip-name"


def exposure_key(obj: Mapping[str, Any]) -> str:
    """The Decision that says `public` or `internal` for a Service, by its name."""
    name = get(obj, "/metadata/name")
    return decision_key("loadBalancers", name if isinstance(name, str) else "unnamed")


@check("undecided-load-balancer", Nothing)
def undecided_load_balancer(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at `spec.type: LoadBalancer` where neither an annotation nor a Decision says public or internal."""
    said = any(get(obj, p) is not MISSING for p in (INTERNAL, PUBLIC_ADDRESS))
    if get(obj, "/spec/type") == "LoadBalancer" and not said and facts.decision(exposure_key(obj)) != "public":
        yield Found("/spec/type")
