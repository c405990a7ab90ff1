"""What the target's gateway class can serve, where the classes of AKS differ: TLS that is passed through, re-encryption, times.

Facts: guide/aks_facts_target.md 2.2 to 2.5 and learn.microsoft.com/azure/aks: managed-gateway-api (the Gateway API bundle per version),
app-routing-gateway-api and istio-gateway-api (limitations), istio-support-policy; and .../azure/application-gateway/for-containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import Lookup

APP_ROUTING, ISTIO, CONTAINERS_GATEWAY = "approuting-istio", "istio", "azure-alb-external"
WEB_APP_ROUTING = "webapprouting.kubernetes.azure.com"
BACKEND_TLS_FROM = (1, 35)
"""BackendTLSPolicy is in the standard channel from bundle v1.4 on."""
TLS_ROUTE_FROM = (1, 36)
"""TLSRoute is in the standard channel from bundle v1.5 on."""


def uses_gateway(lookup: Lookup) -> bool:
    """Whether the target serves traffic by the Gateway API rather than by Ingress objects."""
    return _choice(lookup).get("kind") != "ingress"


def class_of(lookup: Lookup) -> str:
    """The target's gateway or ingress class; "" where it names none."""
    return str(_choice(lookup).get("class") or "")


def version_of(lookup: Lookup) -> tuple[int, ...]:
    """The target's Kubernetes version as numbers; () where it is not said."""
    parts = str(lookup.target.get("kubernetesVersion") or "").split(".")
    return tuple(int(p) for p in parts[:2] if p.isdigit())


def like_nginx(lookup: Lookup) -> bool:
    """Whether the target's Ingresses are read by ingress-nginx: that of application routing, or one installed by the team."""
    return not uses_gateway(lookup) and (class_of(lookup) == WEB_APP_ROUTING or "nginx" in class_of(lookup))


def serves_tls_routes(lookup: Lookup) -> bool:
    """Whether the target surely serves TLSRoute v1: it says so (`ingress.tlsRoutes`), or it is the Istio add-on of a new enough cluster.

    The add-on serves TLSRoutes from revision asm-1-30 on, the first one that runs on Kubernetes 1.36.
    """
    said = _choice(lookup).get("tlsRoutes", "auto")
    if isinstance(said, bool):
        return said and uses_gateway(lookup)
    return uses_gateway(lookup) and class_of(lookup) == ISTIO and version_of(lookup) >= TLS_ROUTE_FROM


def may_serve_tls_routes(lookup: Lookup) -> bool:
    """Whether a person may say that it does: the bundle has the kind, and application routing serves it once its Istio is 1.30."""
    new = version_of(lookup) >= TLS_ROUTE_FROM
    possible = uses_gateway(lookup) and class_of(lookup) == APP_ROUTING and new and _choice(lookup).get("tlsRoutes") is not False
    return possible or serves_tls_routes(lookup)


def reads_own_backend_policy(lookup: Lookup) -> bool:
    """Whether re-encryption is said by the BackendTLSPolicy of Application Gateway for Containers, not by that of the Gateway API."""
    return uses_gateway(lookup) and class_of(lookup) == CONTAINERS_GATEWAY


def reads_timeouts(lookup: Lookup) -> bool:
    """Whether `timeouts` of an HTTPRoute count: Application Gateway for Containers takes them from its RoutePolicy."""
    return class_of(lookup) != CONTAINERS_GATEWAY


def _choice(lookup: Lookup) -> Mapping[str, Any]:
    choice = lookup.target.get("ingress")
    return choice if isinstance(choice, Mapping) else {}
