"""Traefik IngressRoute (traefik.io and traefik.containo.us, v1alpha1) to HTTPRoutes on the shared Gateway.

Facts: guide/aks_facts_source.md 5.3. Rules, priorities, services and Middlewares that a Gateway understands exactly are translated; the
first one that it does not is the reason of the refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.backend_services import check_backend, speaks_tls
from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import LAST_APPLIED, is_opaque, name_of, namespace_of, retype, without_annotations, without_fields
from shared.domain.convert.forms import read_form
from shared.domain.convert.gateway_classes import uses_gateway
from shared.domain.convert.httproute import API_VERSION, check_free, filter_of, route_spec, sibling
from shared.domain.convert.ingress_controllers import CLASS_ANNOTATION
from shared.domain.convert.ingress_route_form import IngressRouteSpec, Route, Service
from shared.domain.convert.ingress_rules import HostRules, grouped
from shared.domain.convert.names import NAME_LIMIT, bounded, listener_name
from shared.domain.convert.service_ports import ingress_port
from shared.domain.convert.traefik_middleware import Filters, read_middlewares
from shared.domain.convert.traefik_priority import check_priorities, priority
from shared.domain.convert.traefik_rule import Alternative, read_rule
from shared.domain.convert.traefik_services import weighted_services
from shared.domain.model import Question
from shared.domain.needs import ListenerRequest

API_VERSIONS = ("traefik.io/v1alpha1", "traefik.containo.us/v1alpha1")
RULE = "ingress-route"
GRANT_VERSION = "gateway.networking.k8s.io/v1beta1"
"""ReferenceGrant: v1beta1 in every bundle so far (guide/aks_facts_source.md 6)."""
SERVICE_LOSSES = {
    "sticky": "clients are no longer kept on one pod by a cookie: replicas must share their sessions",
    "strategy": "the balancing algorithm cannot be chosen per route",
    "response_forwarding": "the flush interval of responses has no equivalent",
    "health_check": "Traefik's own health check is gone: the pods need a readinessProbe",
    "passive_health_check": "Traefik's passive health check is gone: the pods need a readinessProbe",
}


@dataclass
class Collected:
    """The rules per host, and what is lost."""

    hosts: dict[str, HostRules] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)


def ingress_route(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Raises CannotConvert for every rule, service or Middleware that a Gateway does not have, by name."""
    if obj.get("kind") != "IngressRoute" or obj.get("apiVersion") not in API_VERSIONS:
        raise CannotConvert("the object is not an IngressRoute")
    if not uses_gateway(lookup):
        raise CannotConvert("an IngressRoute is translated to the Gateway API only, and the target serves Ingress")
    for kind in ("HTTPRoute", "Ingress"):
        check_free(kind, namespace_of(obj), name_of(obj), lookup)
    spec = read_form(IngressRouteSpec, obj.get("spec"), "/spec")
    secure = _is_secure(spec)
    found = _collect(obj, spec, lookup, secure=secure)
    if spec.tls is None and not secure and (spec.entry_points is None or "websecure" in spec.entry_points):
        found.losses.append(
            Loss("/spec/entryPoints", "Traefik also answered HTTPS, with its own certificate: only plain HTTP is served now")
        )
    hosts = list(found.hosts.values())
    for place in hosts:
        place.secret = _secret(spec, place.host or "", lookup) if secure else None
    return _conversion(obj, hosts, found.losses, lookup)


def _is_secure(spec: IngressRouteSpec) -> bool:
    entries = set(spec.entry_points or ("web", "websecure"))
    unknown = sorted(entries - {"web", "websecure"})
    if unknown:
        raise CannotConvert(f"entry point {unknown[0]} is not one of the shared Gateway's", path="/spec/entryPoints")
    if spec.tls is not None and "websecure" not in entries:
        raise CannotConvert("TLS on the plain entry point cannot be said on the shared Gateway", path="/spec/tls")
    if spec.tls is not None and (spec.tls.options or spec.tls.store):
        raise CannotConvert("tls.options and tls.store have no equivalent on the shared Gateway", path="/spec/tls")
    return spec.tls is not None or entries == {"websecure"}


def _secret(spec: IngressRouteSpec, host: str, lookup: Lookup) -> str:
    question = Question(decision_key("tls", host), f"Which kubernetes.io/tls Secret holds the certificate of {host}?",
                        f"{host.removeprefix('*.').replace('.', '-')}-tls")  # fmt: skip
    answer = lookup.decision(question.key)
    secret = answer if isinstance(answer, str) and answer else spec.tls.secret_name if spec.tls else None
    if not secret:
        raise CannotConvert(f"Traefik obtained or made the certificate of {host} itself, which nothing does on AKS", question, "/spec/tls")
    return secret


# --- rules -------------------------------------------------------------------------------------------------------


def _collect(obj: dict[str, Any], spec: IngressRouteSpec, lookup: Lookup, *, secure: bool) -> Collected:
    found = Collected()
    entries = [(i, r, read_rule(r.match, f"/spec/routes/{i}/match")) for i, r in enumerate(spec.routes)]
    check_priorities([(r, alternatives) for _, r, alternatives in entries])
    for i, route, alternatives in sorted(entries, key=lambda e: -priority(e[1])):
        path = f"/spec/routes/{i}"
        if route.kind != "Rule" or any(a.host is None for a in alternatives):
            raise CannotConvert(f"{path} names no host: on the shared Gateway it would take the requests of every host", path=path)
        found.losses += _match_losses(alternatives, f"{path}/match")
        filters = _filters(obj, route, alternatives, path, lookup)
        found.losses += filters.losses
        rest = _outcome(obj, route, filters, path, lookup, found.losses, secure=secure)
        for host in dict.fromkeys(a.host for a in alternatives):
            matches = [a.match or {"path": {"type": "PathPrefix", "value": "/"}} for a in alternatives if a.host == host]
            found.hosts.setdefault(str(host), HostRules(host)).rules.extend(_rules(matches, rest, split=filters.rewrite is not None))
    if not found.hosts:
        raise CannotConvert("the IngressRoute routes nothing", path="/spec/routes")
    return found


def _rules(matches: Sequence[dict[str, Any]], rest: dict[str, Any], *, split: bool) -> list[dict[str, Any]]:
    """One rule; a rewrite of a prefix allows one match per rule."""
    return [{"matches": [m]} | rest for m in matches] if split else [{"matches": list(matches)} | rest]


def _filters(obj: dict[str, Any], route: Route, alternatives: Sequence[Alternative], path: str, lookup: Lookup) -> Filters:
    prefixes = {a.prefix for a in alternatives}
    prefix = next(iter(prefixes)) if len(prefixes) == 1 else None
    return read_middlewares(route.middlewares, namespace_of(obj), prefix, f"{path}/middlewares", lookup)


def _outcome(
    obj: dict[str, Any], route: Route, filters: Filters, path: str, lookup: Lookup, losses: list[Loss], *, secure: bool
) -> dict[str, Any]:
    """Filters and backends of a route; a redirect to HTTPS happens on plain HTTP only and takes the place of the backends."""
    if filters.redirect is not None and not secure:
        losses += filters.redirect_losses
        return {"filters": [filter_of("RequestRedirect", filters.redirect)]}
    entries = filters.entries(tls=secure)
    route = route.model_copy(update={"services": weighted_services(route.services, namespace_of(obj), path, lookup)})
    refs = [_backend(obj, s, f"{path}/services/{i}", lookup) for i, s in enumerate(route.services)]
    if not refs:
        raise CannotConvert(f"{path} names no service", path=path)
    for i, service in enumerate(route.services):
        losses += [Loss(f"{path}/services/{i}", text) for name, text in SERVICE_LOSSES.items() if getattr(service, name)]
    if len(refs) > 1:
        refs = [r | {"weight": 1 if s.weight is None else s.weight} for r, s in zip(refs, route.services, strict=True)]
    return ({"filters": entries} if entries else {}) | {"backendRefs": refs}


def _backend(obj: dict[str, Any], service: Service, path: str, lookup: Lookup) -> dict[str, Any]:
    namespace, foreign = service.namespace or namespace_of(obj), service.namespace not in (None, namespace_of(obj))
    if service.kind != "Service" or "@" in service.name:
        raise CannotConvert(f"{service.name} ({service.kind}) is a service inside Traefik, which AKS does not have", path=path)
    if foreign and (namespace_of(obj) is None or lookup.service(namespace, service.name) is None):
        reason = (
            f"Service {service.name} of namespace {namespace} is not among the manifests, so that no ReferenceGrant can allow the route"
        )
        raise CannotConvert(reason, path=path)
    port = service.port
    if port is None or is_opaque(port):
        raise CannotConvert(f"{path} names no port", path=path)
    number = int(port) if isinstance(port, int) or port.isdigit() else ingress_port(lookup, namespace, service.name, port, path)
    check_backend(lookup, namespace, service.name, path)
    if service.scheme == "h2c":
        reason = f"Traefik spoke HTTP/2 without TLS (h2c) to Service {service.name}, which a Gateway does where its port has an appProtocol"
        raise CannotConvert(reason, path=path)
    if service.scheme not in (None, "http") or speaks_tls(lookup, namespace, service.name, number, str(port)):
        raise CannotConvert(
            f"Traefik spoke {service.scheme or 'https'} to Service {service.name}, which needs a BackendTLSPolicy", path=path
        )
    if service.servers_transport or service.pass_host_header is False:
        raise CannotConvert("serversTransport and passHostHeader: false have no equivalent on a Gateway", path=path)
    return {"name": service.name} | ({"namespace": namespace} if foreign else {}) | {"port": number}


def _match_losses(alternatives: Sequence[Alternative], path: str) -> list[Loss]:
    prefixes = dict.fromkeys(a.prefix for a in alternatives if a.prefix and not a.prefix.endswith("/"))
    losses = [Loss(path, f"Traefik matched every path that begins with {p}; now only {p} and what lies below it match") for p in prefixes]
    if any(a.wide_host for a in alternatives):
        losses.append(Loss(path, "the pattern of the host became a wildcard, which matches every name below the domain"))
    return losses


# --- the result --------------------------------------------------------------------------------------------------


def _conversion(obj: dict[str, Any], hosts: Sequence[HostRules], losses: Sequence[Loss], lookup: Lookup) -> Conversion:
    specs = [_spec(group, lookup) for group in grouped(hosts)]
    documents = (*(sibling(obj, str(i), s, lookup) for i, s in enumerate(specs[1:], start=2)), *_grants(obj, specs, lookup))
    operations = (
        *retype(obj, API_VERSION, "HTTPRoute"),
        Op("replace", "/spec", specs[0]),
        *without_fields(obj, "", ("status",)),
        *without_annotations(obj, (CLASS_ANNOTATION, LAST_APPLIED)),
    )
    listeners = tuple(ListenerRequest(namespace_of(obj), h.host, h.secret, RULE) for h in hosts)
    return Conversion(operations, documents, tuple(dict.fromkeys(losses)), listeners)


def _grants(obj: dict[str, Any], specs: Sequence[dict[str, Any]], lookup: Lookup) -> Iterator[dict[str, Any]]:
    """A ReferenceGrant beside each Service of another namespace: Traefik was allowed to reach it, a Gateway must be."""
    refs = [r for s in specs for rule in s["rules"] for r in rule.get("backendRefs", ()) if "namespace" in r]
    for namespace, service in dict.fromkeys((r["namespace"], r["name"]) for r in refs):
        name = bounded(f"{namespace_of(obj)}-{name_of(obj)}-{service}", NAME_LIMIT)
        check_free("ReferenceGrant", namespace, name, lookup)
        source = {"group": API_VERSION.partition("/")[0], "kind": "HTTPRoute", "namespace": namespace_of(obj)}
        spec = {"from": [source], "to": [{"group": "", "kind": "Service", "name": service}]}
        yield {"apiVersion": GRANT_VERSION, "kind": "ReferenceGrant", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _spec(group: Sequence[HostRules], lookup: Lookup) -> dict[str, Any]:
    sections = [listener_name(h.host, tls=h.secret is not None) for h in group]
    return route_spec(lookup, sections, [str(h.host) for h in group], group[0].rules)
