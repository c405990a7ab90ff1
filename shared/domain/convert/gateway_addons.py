"""What the cluster needs before it serves the shared Gateway, per gateway class: the add-on, and what its Gateways must say themselves.

Facts: learn.microsoft.com/azure/aks (app-routing-gateway-api, istio-gateway-api, read 2026-08) and guide/aks_facts_target.md 2.5: a Gateway
of Application Gateway for Containers names the ApplicationLoadBalancer that it belongs to, and has no private address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.convert.gateway_classes import APP_ROUTING, CONTAINERS_GATEWAY, ISTIO
from shared.domain.model import Question
from shared.domain.needs import AzureResource
from shared.domain.pointer import JsonValue

PREFIX = "alb.networking.azure.io/"
UPDATE = "az aks update --resource-group RG --name CLUSTER"
ADD_ONS: Mapping[str, AzureResource] = {
    APP_ROUTING: AzureResource(
        "Cluster add-on", APP_ROUTING, "Serves the Gateway (Azure CLI 2.86 or later).",
        f"{UPDATE} --enable-gateway-api\n{UPDATE} --enable-app-routing-istio",
    ),
    ISTIO: AzureResource(
        "Cluster add-on", "Istio service mesh", "Serves the Gateway; it cannot be enabled beside application routing's Gateway API.",
        f"{UPDATE} --enable-gateway-api\naz aks mesh enable --resource-group RG --name CLUSTER",
    ),
    CONTAINERS_GATEWAY: AzureResource(
        "Cluster add-on", "Application Gateway for Containers", "Serves the Gateway; needs a delegated subnet, an ApplicationLoadBalancer.",
        f"{UPDATE} --enable-gateway-api --enable-application-load-balancer",
    ),
}  # fmt: skip
"""By gateway class."""
LOAD_BALANCER = Question(
    "gateways.applicationLoadBalancer",
    "To which ApplicationLoadBalancer (namespace/name) does the shared Gateway belong? Without one it gets no address.",
    "alb-infra/alb",
)


@dataclass(frozen=True, slots=True)
class GatewaySetup:
    """What the shared Gateway says besides its listeners; `doubts` are sentences about what it cannot say, `questions` what is open."""

    annotations: Mapping[str, str]
    internal: bool
    doubts: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


def setup_of(class_name: str, exposure: JsonValue, load_balancer: JsonValue) -> GatewaySetup:
    """`exposure` and `load_balancer` are the answers to `ingress.exposure` and `gateways.applicationLoadBalancer`."""
    internal = exposure == "internal"
    if class_name != CONTAINERS_GATEWAY:
        return GatewaySetup({}, internal)
    doubts = (f"A Gateway of class {class_name} has no private address: it is public, not internal.",) if internal else ()
    namespace, _, name = str(load_balancer or "").strip().partition("/")
    if not (namespace and name):
        return GatewaySetup({}, internal=False, doubts=(*doubts, LOAD_BALANCER.question), questions=(LOAD_BALANCER,))
    return GatewaySetup({f"{PREFIX}alb-namespace": namespace, f"{PREFIX}alb-name": name}, internal=False, doubts=doubts)
