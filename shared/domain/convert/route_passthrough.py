"""Routes that pass TLS through: a TLSRoute where the target serves it, else a LoadBalancer Service, by Decision `passthrough.<route>`.

Facts: guide/aks_facts_source.md 1.3 and 1.4: the router looked at the host name of the connection and at nothing inside it; of its
annotations, the allow list, the limits and the times count for passed-through connections too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss
from shared.domain.convert.edits import annotation_path, annotations_of, name_of, namespace_of, replaced
from shared.domain.convert.httproute import API_VERSION, backend_refs, check_free, filter_of, route_spec, sibling
from shared.domain.convert.load_balancer import as_load_balancer
from shared.domain.convert.passthrough import check_host, choice, listeners, tls_route_spec
from shared.domain.convert.route_annotations import TIMEOUT, RouterSettings, check_open, dead_annotations, networks, read_settings
from shared.domain.convert.route_form import RouteSpec, Tls
from shared.domain.convert.route_plan import key_losses, route_backends, route_host
from shared.domain.needs import ListenerRequest

RULE = "route"
POLICY = "/spec/tls/insecureEdgeTerminationPolicy"
Document = dict[str, Any]


def passthrough(obj: Document, spec: RouteSpec, tls: Tls, lookup: Lookup) -> Conversion:
    """Raises CannotConvert with the question where it is not decided, and for what neither form can say."""
    if tls.insecure_edge_termination_policy not in (None, "", "None", "Redirect"):
        raise CannotConvert(f"passthrough with {tls.insecure_edge_termination_policy} is not known to the router", path=POLICY)
    settings = read_settings(annotations_of(obj), tls=False)
    made = choice(obj, "/spec/tls/termination", lookup)
    return _tls_route(obj, spec, settings, lookup) if made == "gateway" else _load_balancer(obj, spec, settings, made, lookup)


def _losses(obj: Document, spec: RouteSpec, settings: RouterSettings) -> list[Loss]:
    """What both forms lose; what the router never did for a passed-through connection is no loss."""
    said = [x for x in settings.losses if x.path in {annotation_path(a) for a in annotations_of(obj)} and "cookie" not in x.path]
    if settings.timeout is not None:
        said.append(Loss(annotation_path(TIMEOUT), "the time after which an idle connection ended has no equivalent on this target"))
    if spec.path:
        said.append(Loss("/spec/path", "the path counts for nothing where TLS is passed through, as on the router"))
    if spec.http_headers:
        said.append(Loss("/spec/httpHeaders", "headers cannot be changed where TLS is passed through, as on the router"))
    return [*said, *key_losses(spec)]


# --- Gateway API -------------------------------------------------------------------------------------------------


def _tls_route(obj: Document, spec: RouteSpec, settings: RouterSettings, lookup: Lookup) -> Conversion:
    check_open(settings)
    check_free("TLSRoute", namespace_of(obj), name_of(obj), lookup)
    host, losses = route_host(obj, spec, lookup)
    check_host(obj, host, "/spec/host", lookup)
    backends, more = route_backends(obj, spec, lookup)
    made = tls_route_spec(lookup, [host], backend_refs(backends))
    operations = replaced(obj, API_VERSION, "TLSRoute", made, dead_annotations(annotations_of(obj)), {})
    extra, plain = _redirect(obj, spec, host, lookup)
    changed = [Loss(POLICY, "the redirect to HTTPS answers 301 instead of 302")] if extra else []
    asked = (*listeners(obj, [host], RULE), *plain)
    return Conversion(operations, extra, (*losses, *more, *_losses(obj, spec, settings), *changed), asked)


def _redirect(obj: Document, spec: RouteSpec, host: str, lookup: Lookup) -> tuple[tuple[Document, ...], tuple[ListenerRequest, ...]]:
    """The HTTPRoute that sends plain HTTP to HTTPS, where the Route asks for it."""
    if not spec.tls or spec.tls.insecure_edge_termination_policy != "Redirect":
        return (), ()
    away = {"filters": [filter_of("RequestRedirect", {"scheme": "https", "statusCode": 301})]}
    everything = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]} | away
    made = sibling(obj, "redirect", route_spec(lookup, ["http"], [host], [everything]), lookup)
    return (made,), (ListenerRequest(namespace_of(obj), host, None, RULE),)


# --- LoadBalancer Service ----------------------------------------------------------------------------------------


def _load_balancer(obj: Document, spec: RouteSpec, settings: RouterSettings, answer: str, lookup: Lookup) -> Conversion:
    service = lookup.service(namespace_of(obj), spec.to.name) or {}
    if spec.alternate_backends or not service.get("selector"):
        reason = f"a LoadBalancer Service needs one Service with a selector behind the Route; {spec.to.name} has none"
        raise CannotConvert(reason, path="/spec/to")
    ((_, port, _),), losses = route_backends(obj, spec, lookup)
    found: Mapping[str, Any] = next((p for p in service.get("ports") or [] if p.get("port") == port), {})
    body: Document = {
        "selector": dict(service["selector"]),
        "ports": [{"name": "tls", "port": 443, "targetPort": found.get("targetPort", port)}],
    }
    if settings.allow_list is not None:
        body["loadBalancerSourceRanges"] = networks(settings)
    operations = as_load_balancer(obj, body, answer, dead_annotations(annotations_of(obj)), "passthrough", lookup)
    said = (*losses, *_address_losses(spec), *_losses(obj, spec, settings))
    return Conversion(operations, losses=said, reveals=("/spec/type",))


def _address_losses(spec: RouteSpec) -> list[Loss]:
    losses = [Loss("/spec/host", f"the DNS record of {spec.host or 'the host'} must point to the load balancer's own address")]
    if spec.tls and spec.tls.insecure_edge_termination_policy == "Redirect":
        losses.append(Loss(POLICY, "plain HTTP is no longer redirected: port 80 is closed"))
    return losses
