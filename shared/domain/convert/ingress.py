"""Ingress of a class that the target does not have to HTTPRoutes on the shared Gateway, or to the target's own ingress class.

Facts: guide/aks_facts_source.md 5.3, 5.8, 5.9, 6 and guide/aks_facts_target.md 2. Ingresses of the removed v1beta1 APIs are brought to v1
on the way, so that one conversion is the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jsonpatch

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.edits import annotations_of, name_of, namespace_of, retype, without_annotations, without_fields
from shared.domain.convert.forms import read_form
from shared.domain.convert.gateway_classes import class_of, uses_gateway
from shared.domain.convert.httproute import API_VERSION, check_free, filter_of, https_redirect, route_spec, sibling
from shared.domain.convert.ingress_controllers import AKS_CLASSES, CLASS_ANNOTATION, TRAEFIK, TUNNEL_CLASSES, UNKNOWN, controller_of
from shared.domain.convert.ingress_form import IngressSpec
from shared.domain.convert.ingress_reclass import NOT_KNOWN, reclass
from shared.domain.convert.ingress_rules import Builder, HostRules, grouped
from shared.domain.convert.ingress_settings import Settings, dead_annotations, read_annotations
from shared.domain.convert.names import listener_name
from shared.domain.convert.removed_ingress import API_VERSIONS as REMOVED
from shared.domain.convert.removed_ingress import removed_ingress
from shared.domain.needs import ListenerRequest

V1 = "networking.k8s.io/v1"
RULE = "ingress"


def ingress(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Raises CannotConvert where the class is served on AKS already, and naming the field or annotation that has no equivalent."""
    if obj.get("kind") != "Ingress" or obj.get("apiVersion") not in (V1, *REMOVED):
        raise CannotConvert("the object is not an Ingress")
    first = removed_ingress(obj, lookup).operations if obj["apiVersion"] in REMOVED else ()
    current = jsonpatch.apply_patch(obj, [o.rfc6902() for o in first]) if first else obj
    spec = read_form(IngressSpec, current.get("spec"), "/spec")
    name = spec.ingress_class_name or annotations_of(obj).get(CLASS_ANNOTATION)
    _check_class(name, lookup)
    controller = controller_of(name, list(annotations_of(obj)), lookup.source, _said_controller(name, lookup))
    if not uses_gateway(lookup):
        again = reclass(current, spec, controller, lookup)
        return replace(again, operations=(*first, *again.operations))
    settings = read_annotations(obj, controller, lookup)
    return _to_gateway(obj, Builder(current, spec, settings, controller, lookup), lookup)


def _check_class(name: str | None, lookup: Lookup) -> None:
    known = lookup.target.get("ingressClasses")
    if (
        name in AKS_CLASSES | TUNNEL_CLASSES
        or (isinstance(known, list) and name in known)
        or (not uses_gateway(lookup) and name == class_of(lookup))
    ):
        raise CannotConvert(f"ingress class {name} is served on the target")


def _said_controller(name: str | None, lookup: Lookup) -> str | None:
    """`spec.controller` of the class, where the run has the class."""
    spec = (lookup.find("IngressClass", None, name) or {}).get("spec") if name else None
    said = spec.get("controller") if isinstance(spec, Mapping) else None
    return said if isinstance(said, str) else None


def _to_gateway(obj: dict[str, Any], builder: Builder, lookup: Lookup) -> Conversion:
    check_free("HTTPRoute", namespace_of(obj), name_of(obj), lookup)
    hosts = builder.hosts()
    documents: list[dict[str, Any]] = []
    main: dict[str, Any] = {}
    for i, group in enumerate(grouped(hosts), start=1):
        served, redirect = _specs(group, builder.settings, lookup)
        suffix = "" if i == 1 else str(i)
        if i == 1:
            main = served
        else:
            documents.append(sibling(obj, suffix, served, lookup))
        if redirect is not None:
            documents.append(sibling(obj, f"{suffix}-redirect".strip("-"), redirect, lookup))
    losses = [*builder.settings.losses, *builder.losses, *_served_losses(builder, hosts)]
    operations = (
        *retype(obj, API_VERSION, "HTTPRoute"),
        Op("replace", "/spec", main),
        *without_fields(obj, "", ("status",)),
        *without_annotations(obj, dead_annotations(obj, builder.controller)),
    )
    return Conversion(operations, tuple(documents), tuple(losses), tuple(_listeners(obj, hosts, builder.settings)))


def _specs(group: Sequence[HostRules], settings: Settings, lookup: Lookup) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The spec that serves a group of hosts, and the one that redirects their plain traffic, where it is redirected."""
    hosts = [h.host for h in group if h.host is not None]
    rules, redirect = group[0].rules, group[0].redirect
    if group[0].secret is None:
        away = filter_of("RequestRedirect", redirect) if redirect else None
        return route_spec(lookup, ["http"], hosts, _redirecting(rules, away) if away else rules), None
    sections = [listener_name(h.host, tls=True) for h in group]
    if redirect is None and settings.plain:
        return route_spec(lookup, [*sections, "http"], hosts, rules), None
    served = route_spec(lookup, sections, hosts, rules)
    if redirect is None and not settings.redirect:
        return served, None
    away = filter_of("RequestRedirect", redirect) if redirect else https_redirect()
    return served, route_spec(lookup, ["http"], hosts, _redirecting(rules, away)) if settings.plain or settings.redirect else None


def _redirecting(rules: Sequence[Mapping[str, Any]], away: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One rule that redirects all that the rules match."""
    return [{"matches": [m for r in rules for m in r["matches"]], "filters": [dict(away)]}]


def _served_losses(builder: Builder, hosts: Sequence[HostRules]) -> list[Loss]:
    """What changes for plain HTTP and for HTTPS."""
    settings, losses = builder.settings, []
    if settings.redirect and any(h.secret and h.redirect is None for h in hosts):
        losses.append(Loss("/spec/tls", "the redirect to HTTPS answers 301; the old controller answered 302 or 308"))
    if builder.controller is UNKNOWN and any(h.secret for h in hosts):
        losses.append(Loss("/spec/tls", NOT_KNOWN))
    if builder.controller is TRAEFIK and settings.secure and any(h.secret is None for h in hosts):
        losses.append(Loss("/spec", "Traefik also answered HTTPS, with its own certificate: only plain HTTP is served now"))
    return losses


def _listeners(obj: Mapping[str, Any], hosts: Sequence[HostRules], settings: Settings) -> list[ListenerRequest]:
    namespace, found = namespace_of(obj), []
    for place in hosts:
        if place.secret is not None:
            found.append(ListenerRequest(namespace, place.host, place.secret, RULE))
        if place.secret is None or settings.plain or settings.redirect:
            found.append(ListenerRequest(namespace, place.host, None, RULE))
    return found
