"""How the ingress controllers of the sources understood an Ingress where the API leaves it to them.

Facts: guide/aks_facts_source.md 5.3, 5.8, 5.9 and the controllers' own documentation. An Ingress without a class was served by the
default class of its source (Traefik on k3s, the router on OKD, ingress-nginx on minikube, kind, MicroK8s and RKE2).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
AKS_CLASSES = frozenset({
    "webapprouting.kubernetes.azure.com", "nginx.approuting.kubernetes.azure.com", "azure-alb-external", "azure-application-gateway",
    "azure/application-gateway",
})  # fmt: skip
"""Classes that an AKS add-on serves (guide/aks_facts_target.md 2.2)."""


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller. `specific` is how it reads pathType ImplementationSpecific; `raw` names the types it matches as a raw string prefix.

    `redirects`: a host with TLS is redirected from HTTP unless told otherwise; else it is served on both.
    """

    name: str
    prefixes: tuple[str, ...]
    specific: Literal["prefix", "glob", "unknown"]
    raw: frozenset[str] = frozenset()
    redirects: bool = False


TRAEFIK = Controller("Traefik", ("traefik.ingress.kubernetes.io/",), "prefix", frozenset({"Prefix", "ImplementationSpecific"}))
NGINX = Controller("ingress-nginx", ("nginx.ingress.kubernetes.io/",), "prefix", frozenset({"ImplementationSpecific"}), redirects=True)
HAPROXY = Controller(
    "HAProxy",
    ("haproxy.org/", "haproxy-ingress.github.io/", "ingress.kubernetes.io/"),
    "prefix",
    frozenset({"ImplementationSpecific"}),
    redirects=True,
)
ALB = Controller("the AWS load balancer controller", ("alb.ingress.kubernetes.io/",), "glob")
GCE = Controller("the GKE ingress controller", ("ingress.gcp.kubernetes.io/", "networking.gke.io/", "cloud.google.com/"), "glob")
ROUTER = Controller(
    "the OpenShift router", ("haproxy.router.openshift.io/", "router.openshift.io/", "route.openshift.io/"), "prefix", redirects=True
)
UNKNOWN = Controller("the old ingress controller", (), "unknown")
CONTROLLERS = (TRAEFIK, NGINX, ROUTER, ALB, GCE, HAPROXY)
BY_CLASS = (("traefik", TRAEFIK), ("nginx", NGINX), ("haproxy", HAPROXY), ("openshift", ROUTER))
BY_SOURCE = {
    "k3s": TRAEFIK,
    "okd": ROUTER,
    "minikube": NGINX,
    "kind": NGINX,
    "microk8s": NGINX,
    "rke2": NGINX,
    "rancher": NGINX,
    "gke": GCE,
}
TUNNEL_CLASSES = frozenset({"tailscale", "cloudflare-tunnel", "ngrok", "netbird"})
"""Classes of operators that make their own tunnel, on AKS as anywhere: such an Ingress is left alone (guide/aks_facts_source.md 5.5)."""
BY_CONTROLLER = (
    ("k8s.io/ingress-nginx", NGINX),
    ("traefik.io/", TRAEFIK),
    ("openshift.io/", ROUTER),
    ("ingress.k8s.aws/", ALB),
    ("eks.amazonaws.com/", ALB),
    ("haproxy", HAPROXY),
)
"""By `spec.controller` of an IngressClass of the run, which says more than the name of the class."""
EXACT_CLASSES = {"alb": ALB, "gce": GCE, "gce-internal": GCE, "public": NGINX}


def controller_of(name: str | None, annotations: Collection[str], source: str, said: str | None = None) -> Controller:
    """The controller that served an Ingress of this class.

    `said` is the `spec.controller` of the class, where the run has it; else the class's name tells, else the annotations, else (no class)
    the source.
    """
    if said is not None:
        return next((c for part, c in BY_CONTROLLER if said.startswith(part)), UNKNOWN)
    if name in EXACT_CLASSES:
        return EXACT_CLASSES[name]
    for part, controller in BY_CLASS:
        if name and part in name:
            return controller
    for controller in CONTROLLERS:
        if any(a.startswith(controller.prefixes) for a in annotations):
            return controller
    return BY_SOURCE.get(source, UNKNOWN) if not name else UNKNOWN
