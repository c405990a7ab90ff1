"""OpenShift Route to HTTPRoute on the shared Gateway, or to Ingress where the target says so.

Facts: guide/aks_facts_source.md 1. The metadata stays in place, so that its comments survive; the spec is replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss
from shared.domain.convert.edits import (
    annotation_path,
    annotations_of,
    name_of,
    namespace_of,
    replaced,
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
    HSTS,
    REWRITE,
    check_open,
    dead_annotations,
    gateway_timeouts,
)
from shared.domain.convert.route_form import Header, RouteSpec
from shared.domain.convert.route_ingress import to_ingress
from shared.domain.convert.route_passthrough import passthrough
from shared.domain.convert.route_plan import API_VERSIONS, RoutePlan, plan_route
from shared.domain.convert.route_tls import backend_policy
from shared.domain.needs import ListenerRequest
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
    return _to_gateway(obj, plan, lookup) if kind == "HTTPRoute" else to_ingress(obj, plan, lookup)


def _check_names(obj: dict[str, Any], kind: str, lookup: Lookup) -> None:
    check_free(kind, namespace_of(obj), name_of(obj), lookup)
    if kind == "HTTPRoute":
        check_free("Ingress", namespace_of(obj), name_of(obj), lookup)


# --- Gateway API -------------------------------------------------------------------------------------------------


def _to_gateway(obj: dict[str, Any], plan: RoutePlan, lookup: Lookup) -> Conversion:
    check_open(plan.settings)
    match = {"path": {"type": "PathPrefix", "value": plan.path}}
    rule = {"matches": [match], **_gateway_extras(plan, lookup), "backendRefs": backend_refs(plan.backends)}
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
        documents, more = backend_policy(obj, plan.spec, plan.spec.tls, plan.backends, lookup)
        extra, losses = (*extra, *documents), [*losses, *more]
    return Conversion(
        replaced(obj, API_VERSION, "HTTPRoute", spec, dead_annotations(annotations_of(obj)), {}),
        extra,
        tuple(losses),
        _listeners(obj, plan),
    )


def _gateway_extras(plan: RoutePlan, lookup: Lookup) -> dict[str, Any]:
    filters = [*_header_filters(plan), *_rewrite_filters(plan)]
    timeouts = gateway_timeouts(plan.settings, lookup)
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
