"""A Route as an Ingress of ingress-nginx, as the application routing add-on runs it: without snippets and without controller flags.

Facts: guide/aks_facts_source.md 1.1 to 1.4, the column of ingress-nginx, and guide/aks_facts_target.md 2.4.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss
from shared.domain.convert.edits import annotations_of, replaced
from shared.domain.convert.gateway_classes import class_of, like_nginx
from shared.domain.convert.httproute import sibling
from shared.domain.convert.route_annotations import NGINX, dead_annotations, nginx_annotations
from shared.domain.convert.route_plan import RoutePlan
from shared.domain.convert.route_tls import nginx_backend

V1 = "networking.k8s.io/v1"


def to_ingress(obj: dict[str, Any], plan: RoutePlan, lookup: Lookup) -> Conversion:
    """Raises CannotConvert for what an Ingress cannot say without snippets, and with the questions of re-encryption."""
    name = class_of(lookup)
    _check_ingress(plan, lookup)
    annotations = nginx_annotations(plan.settings)
    if plan.policy in ("allow", "redirect", "none"):
        annotations[NGINX + "ssl-redirect"] = "false" if plan.policy == "allow" else "true"
    service, port, share = plan.backends[0]
    spec = _ingress_spec(plan, name, service, port)
    losses = [*plan.losses, *plan.settings.losses]
    if plan.policy in ("none", "redirect"):
        was = "refused" if plan.policy == "none" else "redirected with 302"
        losses.append(Loss("/spec/tls/insecureEdgeTerminationPolicy", f"plain HTTP was {was}; the Ingress redirects it with 308"))
    extra = (_canary(obj, plan, name, share, lookup),) if len(plan.backends) == 2 else ()
    if plan.spec.tls and plan.spec.tls.termination == "reencrypt":
        towards, documents, more = nginx_backend(obj, plan.spec, plan.spec.tls, lookup)
        annotations, extra, losses = annotations | towards, (*extra, *documents), [*losses, *more]
    operations = replaced(obj, V1, "Ingress", spec, dead_annotations(annotations_of(obj)), annotations)
    return Conversion(operations, extra, tuple(losses))


def _check_ingress(plan: RoutePlan, lookup: Lookup) -> None:
    if not like_nginx(lookup):
        raise CannotConvert(f"how a Route is said for ingress class {class_of(lookup)} is not known: choose the Gateway API")
    if plan.spec.http_headers:
        raise CannotConvert("headers are changed by snippets on an Ingress, which AKS does not allow", path="/spec/httpHeaders")
    if len(plan.backends) > 2 or (len(plan.backends) == 2 and sum(b[2] for b in plan.backends) == 0):
        raise CannotConvert("an Ingress shares traffic between two backends at most", path="/spec/alternateBackends")
    if len(plan.backends) == 1 and plan.backends[0][2] == 0:
        raise CannotConvert("a backend of weight 0 cannot be said in an Ingress", path="/spec/to/weight")


def _ingress_spec(plan: RoutePlan, name: str, service: str, port: int) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": port}}}
    spec: dict[str, Any] = {"ingressClassName": name}
    if plan.tls_secret:
        spec["tls"] = [{"hosts": [plan.host], "secretName": plan.tls_secret}]
    return spec | {"rules": [{"host": plan.host, "http": {"paths": [{"path": plan.path, "pathType": "Prefix", "backend": backend}]}}]}


def _canary(obj: dict[str, Any], plan: RoutePlan, name: str, share: int, lookup: Lookup) -> dict[str, Any]:
    """The second Ingress that takes the alternate backend's share of the traffic."""
    service, port, weight = plan.backends[1]
    document = sibling(obj, "canary", _ingress_spec(plan, name, service, port), lookup)
    weights = {"canary": "true", "canary-weight": str(weight), "canary-weight-total": str(weight + share)}
    document["metadata"]["annotations"] = {NGINX + k: v for k, v in weights.items()}
    return document | {"apiVersion": V1, "kind": "Ingress"}
