"""IngressRouteTCP and IngressRouteUDP of Traefik: a LoadBalancer Service by Decision, or TLSRoutes where TLS is passed on by host name.

Facts: guide/aks_facts_source.md 5.3. TCPRoute and UDPRoute are not in the standard channel of the Gateway API, so none is ever written. The
port that clients used stands in Traefik's own settings, not in the object: that the Service answers on its own port is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, decision_key
from shared.domain.convert.edits import LAST_APPLIED, label_of, name_of, namespace_of, replaced
from shared.domain.convert.forms import read_form
from shared.domain.convert.httproute import API_VERSION, backend_refs, check_free, sibling
from shared.domain.convert.ingress_controllers import CLASS_ANNOTATION
from shared.domain.convert.load_balancer import as_load_balancer
from shared.domain.convert.passthrough import check_host, choice, listeners, tls_route_spec
from shared.domain.convert.traefik_tcp_form import EVERY_NAME, PASSED_ON, Backend, RawSpec, Route, host_names
from shared.domain.model import Question

RULE = "ingress-route-raw"
DEAD = (CLASS_ANNOTATION, LAST_APPLIED)
FIRST = "/spec/routes/0/services/0"


def ingress_route_raw(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Raises CannotConvert for what neither a LoadBalancer Service nor a TLSRoute says, and with the question where it is not answered."""
    spec = read_form(RawSpec, obj.get("spec"), "/spec")
    if spec.tls == PASSED_ON and not all(EVERY_NAME.fullmatch(r.match or "") for r in spec.routes):
        return _by_host_name(obj, spec, lookup)
    body = _service(obj, spec, None, lookup)
    losses = [_port_loss(spec, body["ports"][0]["port"]), *_backend_losses(spec)]
    return _load_balancer(obj, body, _answer(obj, lookup), losses, lookup)


def _by_host_name(obj: dict[str, Any], spec: RawSpec, lookup: Lookup) -> Conversion:
    """TLS that is told apart by host name: TLSRoutes, or a load balancer for a single route."""
    hosts = [host_names(r.match or "", f"/spec/routes/{i}/match") for i, r in enumerate(spec.routes)]
    if spec.entry_points not in (None, ["websecure"]):
        raise CannotConvert("only on the HTTPS port can a Gateway tell passed-through hosts apart", path="/spec/entryPoints")
    answer = choice(obj, "/spec/tls", lookup)
    if answer == "gateway":
        return _tls_routes(obj, spec, hosts, lookup)
    names = ", ".join(hosts[0])
    said = Loss("/spec/routes/0/match", f"the DNS record of {names} must point to the load balancer's own address, which takes every name")
    return _load_balancer(obj, _service(obj, spec, 443, lookup), answer, [said, *_backend_losses(spec)], lookup)


def _answer(obj: dict[str, Any], lookup: Lookup) -> str:
    label = label_of(obj)
    key = decision_key("tcpRoutes", label)
    answer = lookup.decision(key)
    if answer not in ("public", "internal"):
        text = f"{obj['kind']} {label} forwards raw traffic, for which AKS has a load balancer. Shall it be public or internal?"
        raise CannotConvert("raw traffic needs a Service of type LoadBalancer", Question(key, text, "internal"), "/spec")
    return str(answer)


# --- LoadBalancer Service ----------------------------------------------------------------------------------------


def _load_balancer(obj: dict[str, Any], body: Mapping[str, Any], answer: str, losses: list[Loss], lookup: Lookup) -> Conversion:
    return Conversion(as_load_balancer(obj, body, answer, DEAD, "lb", lookup), losses=tuple(losses), reveals=("/spec/type",))


def _service(obj: dict[str, Any], spec: RawSpec, outside: int | None, lookup: Lookup) -> dict[str, Any]:
    """Selector and port of the Service; `outside` is the port that clients use, where that is known; else the backend's own."""
    backend = _only_backend(spec)
    service = _backend_service(obj, backend, FIRST, lookup)
    if not service.get("selector"):
        raise CannotConvert(f"Service {backend.name} is not among the manifests, or selects no pods", path=FIRST)
    protocol = "UDP" if obj["kind"] == "IngressRouteUDP" else "TCP"
    port = _port(service, backend, FIRST, protocol)
    opened = {"port": outside or port["port"], "protocol": protocol, "targetPort": port.get("targetPort", port["port"])}
    return {"selector": dict(service["selector"]), "ports": [opened]}


def _only_backend(spec: RawSpec) -> Backend:
    if len(spec.routes) != 1 or len(spec.routes[0].services) != 1:
        raise CannotConvert("a LoadBalancer Service carries one route to one Service; this object has another number", path="/spec/routes")
    (route,) = spec.routes
    if spec.tls not in (None, PASSED_ON):
        raise CannotConvert("a LoadBalancer Service ends no TLS and picks nothing by TLS host name", path="/spec/tls")
    if spec.tls is None and route.match is not None and not EVERY_NAME.fullmatch(route.match):
        raise CannotConvert("a LoadBalancer Service takes every connection; the route takes some", path="/spec/routes/0/match")
    _check(route, "/spec/routes/0")
    return route.services[0]


def _check(route: Route, path: str) -> None:
    if route.middlewares:
        raise CannotConvert(
            "nothing on AKS guards raw traffic as the middlewares did: an allow list would be gone", path=f"{path}/middlewares"
        )
    for i, backend in enumerate(route.services):
        if backend.proxy_protocol or backend.tls or backend.servers_transport:
            raise CannotConvert("AKS sends no PROXY header and speaks no TLS to pods for raw traffic", path=f"{path}/services/{i}")


def _backend_service(obj: dict[str, Any], backend: Backend, path: str, lookup: Lookup) -> Mapping[str, Any]:
    if backend.namespace not in (None, namespace_of(obj)):
        raise CannotConvert("raw traffic is passed on to Services of the object's own namespace only", path=f"{path}/namespace")
    return lookup.service(namespace_of(obj), backend.name) or {}


def _port(service: Mapping[str, Any], backend: Backend, path: str, protocol: str = "TCP") -> dict[str, Any]:
    """The one port of a Service that a route means; of the same number in several protocols, the route's own."""
    ports = [p for p in service.get("ports") or [] if isinstance(p, dict)]
    found = [p for p in ports if str(backend.port) in (str(p.get("port")), p.get("name")) and isinstance(p.get("port"), int)]
    found = [p for p in found if p.get("protocol", "TCP") == protocol] or found
    if len(found) != 1:
        raise CannotConvert(f"Service {backend.name} has no single port {backend.port}", path=f"{path}/port")
    return found[0]


def _port_loss(spec: RawSpec, port: int) -> Loss:
    entries = ", ".join(spec.entry_points or ["(every entry point)"])
    path = "/spec/entryPoints" if spec.entry_points else "/spec"
    return Loss(path, f"the Service answers on port {port} of an address of its own; Traefik answered on the port of entry point {entries}")


def _backend_losses(spec: RawSpec) -> list[Loss]:
    text = "half-closed connections are no longer kept for a while"
    return [
        Loss(f"/spec/routes/{i}/services/{j}/terminationDelay", text)
        for i, route in enumerate(spec.routes)
        for j, backend in enumerate(route.services)
        if backend.termination_delay is not None
    ]


# --- Gateway API -------------------------------------------------------------------------------------------------


def _tls_routes(obj: dict[str, Any], spec: RawSpec, hosts: list[list[str]], lookup: Lookup) -> Conversion:
    """One TLSRoute per route: the hosts of a TLSRoute share their backends."""
    check_free("TLSRoute", namespace_of(obj), name_of(obj), lookup)
    every = [h for names in hosts for h in names]
    if len(set(every)) < len(every):
        raise CannotConvert("two routes take the same TLS host name", path="/spec/routes")
    for host in every:
        check_host(obj, host, "/spec/routes", lookup)
    backends = [_backends(obj, r, f"/spec/routes/{i}", lookup) for i, r in enumerate(spec.routes)]
    specs = [tls_route_spec(lookup, names, refs) for names, refs in zip(hosts, backends, strict=True)]
    operations = replaced(obj, API_VERSION, "TLSRoute", specs[0], DEAD, {})
    others = tuple(sibling(obj, str(i), s, lookup, "TLSRoute") for i, s in enumerate(specs[1:], start=2))
    return Conversion(operations, others, tuple(_backend_losses(spec)), listeners(obj, every, RULE))


def _backends(obj: dict[str, Any], route: Route, path: str, lookup: Lookup) -> list[dict[str, Any]]:
    _check(route, path)
    if not route.services:
        raise CannotConvert(f"{path} names no service", path=path)
    places = [(f"{path}/services/{i}", backend) for i, backend in enumerate(route.services)]
    found = [(b.name, _port(_backend_service(obj, b, p, lookup), b, p)["port"], 1 if b.weight is None else b.weight) for p, b in places]
    return backend_refs(found)
