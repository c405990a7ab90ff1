"""OpenShift Route to HTTPRoute on the shared Gateway, or to Ingress where the target says so.

Facts: guide/aks_facts_source.md 1. The metadata stays in place, so that its comments survive; the spec is replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
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
from shared.domain.convert.forms import read_form
from shared.domain.convert.gateway_classes import uses_gateway
from shared.domain.convert.httproute import (
    API_VERSION,
    backend_refs,
    check_free,
    filter_of,
    header_modifier,
    https_redirect,
    path_value,
    route_spec,
    sibling,
)
from shared.domain.convert.names import listener_name
from shared.domain.convert.route_annotations import (
    ALLOW_LISTS,
    HSTS,
    NGINX,
    REWRITE,
    dead_annotations,
    gateway_timeouts,
    nginx_annotations,
)
from shared.domain.convert.route_form import Header, RouteSpec
from shared.domain.convert.route_passthrough import passthrough
from shared.domain.convert.route_plan import API_VERSIONS, RoutePlan, plan_route
from shared.domain.convert.route_tls import backend_policy
from shared.domain.model import ListenerRequest
from shared.domain.pointer import child

RULE = "route"
HTTP_FORMATS = ("%[", "%{")


def route(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Raises CannotConvert for what the target cannot do (allow lists, say) and for what must be asked for."""
    if obj.get("kind") != "Route" or obj.get("apiVersion") not in API_VERSIONS:
        raise CannotConvert("the object is not an OpenShift Route")
    spec = read_form(RouteSpec, obj.get("spec"), "/spec")
    if spec.tls and spec.tls.termination == "passthrough":
        return passthrough(obj, spec, spec.tls, lookup)
    kind = "HTTPRoute" if uses_gateway(lookup) else "Ingress"
    _check_names(obj, kind, lookup)
    plan = plan_route(obj, lookup)
    return _to_gateway(obj, plan, lookup) if kind == "HTTPRoute" else _to_ingress(obj, plan, lookup)


def _check_names(obj: dict[str, Any], kind: str, lookup: Lookup) -> None:
    check_free(kind, namespace_of(obj), name_of(obj), lookup)
    if kind == "HTTPRoute":
        check_free("Ingress", namespace_of(obj), name_of(obj), lookup)


def _settle(obj: dict[str, Any], api_version: str, kind: str, spec: Mapping[str, Any], added: Mapping[str, str]) -> tuple[Op, ...]:
    """Everything but the spec that changes in the object itself; `added` are new annotations."""
    annotations = annotations_of(obj)
    dead = dead_annotations(annotations)
    operations = [*retype(obj, api_version, kind), Op("replace", "/spec", dict(spec)), *without_fields(obj, "", ("status",))]
    if not added:
        return (*operations, *without_annotations(obj, dead))
    kept = {k: v for k, v in annotations.items() if k not in dead}
    if kept:
        more = [Op("replace" if k in kept else "add", annotation_path(k), v) for k, v in added.items()]
        return (*operations, *without_annotations(obj, dead), *more)
    return (*operations, Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", dict(added)))


# --- Gateway API -------------------------------------------------------------------------------------------------


def _to_gateway(obj: dict[str, Any], plan: RoutePlan, lookup: Lookup) -> Conversion:
    if plan.settings.allow_list is not None:
        reason = "the Route lets only some client addresses in, which a Gateway cannot do per route: anyone could come in"
        raise CannotConvert(reason, path=annotation_path(ALLOW_LISTS[0]))
    match = {"path": {"type": "PathPrefix", "value": plan.path}}
    rule = {"matches": [match], **_gateway_extras(plan), "backendRefs": backend_refs(plan.backends)}
    secure = listener_name(plan.host, tls=True)
    sections = {"plain": ["http"], "none": [secure], "redirect": [secure], "allow": [secure, "http"]}[plan.policy]
    spec = route_spec(lookup, sections, [plan.host], [rule])
    losses = [*plan.losses, *plan.settings.losses]
    extra: tuple[dict[str, Any], ...] = ()
    if plan.policy == "redirect":
        away = {"matches": [copy.deepcopy(match)], "filters": [https_redirect()]}
        extra = (sibling(obj, "redirect", route_spec(lookup, ["http"], [plan.host], [away]), lookup),)
        losses.append(Loss("/spec/tls/insecureEdgeTerminationPolicy", "the redirect to HTTPS answers 301 instead of 302"))
    if plan.spec.tls and plan.spec.tls.termination == "reencrypt":
        documents, more = backend_policy(obj, plan.spec, plan.spec.tls, [name for name, _, _ in plan.backends], lookup)
        extra, losses = (*extra, *documents), [*losses, *more]
    return Conversion(_settle(obj, API_VERSION, "HTTPRoute", spec, {}), extra, tuple(losses), _listeners(obj, plan))


def _gateway_extras(plan: RoutePlan) -> dict[str, Any]:
    filters = [*_header_filters(plan), *_rewrite_filters(plan)]
    timeouts = gateway_timeouts(plan.settings)
    return ({"filters": filters} if filters else {}) | ({"timeouts": timeouts} if timeouts else {})


def _header_filters(plan: RoutePlan) -> list[dict[str, Any]]:
    actions = plan.spec.http_headers.actions if plan.spec.http_headers else None
    request, gone = _actions(actions.request if actions else None, "/spec/httpHeaders/actions/request")
    response, hidden = _actions(actions.response if actions else None, "/spec/httpHeaders/actions/response")
    if plan.settings.hsts:
        response["Strict-Transport-Security"] = plan.settings.hsts
    modifiers = {
        "RequestHeaderModifier": header_modifier(request, gone, "/spec/httpHeaders/actions/request"),
        "ResponseHeaderModifier": header_modifier(response, hidden, annotation_path(HSTS)),
    }
    return [filter_of(kind, body) for kind, body in modifiers.items() if body]


def _actions(headers: Sequence[Header] | None, path: str) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    gone: list[str] = []
    for i, header in enumerate(headers or ()):
        value = header.action.set.value if header.action.set else ""
        if header.name in values or header.name in gone or any(f in value.replace("%%", "") for f in HTTP_FORMATS):
            reason = f"header {header.name} is computed by HAProxy or changed twice, which an HTTPRoute cannot do"
            raise CannotConvert(reason, path=child(path, i))
        if header.action.type == "Delete":
            gone.append(header.name)
        else:
            values[header.name] = value.replace("%%", "%")
    return values, gone


def _rewrite_filters(plan: RoutePlan) -> list[dict[str, Any]]:
    """The router replaced the path as a string; the same comes out where both or neither end in a slash, and for `/`."""
    target, path = plan.settings.rewrite, plan.path
    if target is None or (path == "/" and target == "/"):
        return []
    path_value(target, annotation_path(REWRITE))
    if path == "/" or (path.endswith("/") != target.endswith("/") and not (target == "/" and not path.endswith("/"))):
        reason = f"rewriting {path} to {target} gives other paths on a Gateway than in the router"
        raise CannotConvert(reason, path=annotation_path(REWRITE))
    return [filter_of("URLRewrite", {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": target}})]


def _listeners(obj: dict[str, Any], plan: RoutePlan) -> tuple[ListenerRequest, ...]:
    namespace = namespace_of(obj)
    plain = ListenerRequest(namespace, plan.host, None, RULE)
    secure = ListenerRequest(namespace, plan.host, plan.tls_secret, RULE)
    return {"plain": (plain,), "none": (secure,), "redirect": (secure, plain), "allow": (secure, plain)}[plan.policy]


# --- Ingress -----------------------------------------------------------------------------------------------------


def _to_ingress(obj: dict[str, Any], plan: RoutePlan, lookup: Lookup) -> Conversion:
    name = str(dict(lookup.target.get("ingress") or {}).get("class"))
    _check_ingress(plan, name)
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
    operations = _settle(obj, "networking.k8s.io/v1", "Ingress", spec, annotations)
    return Conversion(operations, extra, tuple(losses))


def _check_ingress(plan: RoutePlan, name: str) -> None:
    if name != "webapprouting.kubernetes.azure.com" and "nginx" not in name:
        raise CannotConvert(f"how a Route is said for ingress class {name} is not known: choose the Gateway API")
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
    return document | {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
