"""TLS that is passed through to the pods, as OpenShift's Routes and Traefik's TCP routes do: the Decision, and the TLSRoute.

Facts: guide/aks_facts_target.md 2.3 and `gateway_classes`. A TLSRoute is written only where the target serves it. TCPRoute and UDPRoute
never are: they are not in the standard channel of the Gateway API, the only one that AKS installs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, decision_key
from shared.domain.convert.edits import label_of, namespace_of
from shared.domain.convert.gateway_classes import class_of, may_serve_tls_routes, serves_tls_routes
from shared.domain.convert.httproute import BACKEND_LIMIT, HOSTNAME_LIMIT, gateway_name
from shared.domain.convert.names import passthrough_name
from shared.domain.model import Question
from shared.domain.needs import ListenerRequest

BELOW = (
    "TLS passthrough needs a TLSRoute, which AKS has from Kubernetes 1.36 on and class {found} does not serve: use a LoadBalancer Service,"
    " the Istio add-on (class istio) of Kubernetes 1.36, or end TLS at the Gateway and encrypt again towards the pods"
)
UNSURE = (
    "TLS passthrough needs a TLSRoute, which class {found} serves once its Istio is 1.30; Microsoft's page says that it does not yet:"
    " look at the cluster, or use a LoadBalancer Service, or end TLS at the Gateway and encrypt again towards the pods"
)


def choice(obj: Mapping[str, Any], path: str, lookup: Lookup) -> str:
    """`gateway`, `public` or `internal`: by Decision `passthrough.<object>`, else a Gateway that surely serves it.

    Raises CannotConvert at `path`, with the question where neither says, and where the answer is a Gateway that cannot.
    """
    label = label_of(obj)
    question = _question(obj, lookup)
    answer = lookup.decision(question.key)
    if answer in ("public", "internal"):
        return str(answer)
    if serves_tls_routes(lookup) or (answer == "gateway" and may_serve_tls_routes(lookup)):
        return "gateway"
    if answer == "gateway":
        raise CannotConvert(f"no Gateway of this target passes TLS through, as passthrough.{label} asks", path=path)
    reason = UNSURE if may_serve_tls_routes(lookup) else BELOW
    raise CannotConvert(reason.format(found=class_of(lookup) or "(none)"), question, path)


def _question(obj: Mapping[str, Any], lookup: Lookup) -> Question:
    kind, label = obj["kind"], label_of(obj)
    key = decision_key("passthrough", label)
    if may_serve_tls_routes(lookup):
        text = f"{kind} {label} passes TLS through. What takes its place: a TLSRoute (gateway), or a load balancer (public or internal)?"
        return Question(key, text, "gateway")
    text = f"{kind} {label} passes TLS through, which no Gateway of this target does. Is the load balancer in its place public or internal?"
    return Question(key, text, "internal")


def tls_route_spec(lookup: Lookup, hosts: Sequence[str], backends: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`spec` of a TLSRoute on the passthrough listeners of these hosts. Raises CannotConvert past the CRD's limits."""
    if len(hosts) > HOSTNAME_LIMIT or len(backends) > BACKEND_LIMIT:
        raise CannotConvert(f"more than {HOSTNAME_LIMIT} hosts or {BACKEND_LIMIT} backends do not fit one TLSRoute")
    parents = [{"name": gateway_name(lookup), "sectionName": passthrough_name(h)} for h in hosts]
    return {"parentRefs": parents, "hostnames": list(hosts), "rules": [{"backendRefs": [dict(b) for b in backends]}]}


def listeners(obj: Mapping[str, Any], hosts: Sequence[str], rule: str) -> tuple[ListenerRequest, ...]:
    """What the shared Gateway must offer for these hosts."""
    return tuple(ListenerRequest(namespace_of(obj), h, None, rule, passthrough=True) for h in hosts)


def check_host(obj: Mapping[str, Any], host: str, path: str, lookup: Lookup) -> None:
    """Raises CannotConvert where another object of the run ends TLS for the host: one name on one port is either ended or passed on."""
    other = _ending(obj, host, lookup)
    if other:
        raise CannotConvert(f"{other} ends TLS for {host}: a Gateway cannot pass the same host through on the same port", path=path)


def _ending(obj: Mapping[str, Any], host: str, lookup: Lookup) -> str | None:
    for kind, hosts in ENDING.items():
        for other in lookup.of_kind(kind):
            if namespace_of(other) == namespace_of(obj) and hosts(other, host):
                return f"{kind} {label_of(other)}"
    return None


def _route_hosts(route: Mapping[str, Any], host: str) -> bool:
    spec = _mapping(route.get("spec"))
    ends = _mapping(spec.get("tls")).get("termination") in ("edge", "reencrypt")
    return ends and str(spec.get("host") or "").lower().rstrip(".") == host


def _ingress_hosts(ingress: Mapping[str, Any], host: str) -> bool:
    blocks = _mapping(ingress.get("spec")).get("tls")
    return any(host in (_mapping(b).get("hosts") or ()) for b in blocks) if isinstance(blocks, list) else False


def _traefik_hosts(route: Mapping[str, Any], host: str) -> bool:
    spec = _mapping(route.get("spec"))
    routes = spec.get("routes") if "tls" in spec else None
    return any(f"`{host}`" in str(_mapping(r).get("match")) for r in routes) if isinstance(routes, list) else False


def _gateway_hosts(gateway: Mapping[str, Any], host: str) -> bool:
    found = _mapping(gateway.get("spec")).get("listeners")
    known = found if isinstance(found, list) else ()
    return any((x.get("protocol"), x.get("hostname")) == ("HTTPS", host) for x in map(_mapping, known))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


ENDING = {"Route": _route_hosts, "Ingress": _ingress_hosts, "IngressRoute": _traefik_hosts, "Gateway": _gateway_hosts}
"""How each kind says that it ends TLS for a host."""
