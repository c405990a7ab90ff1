"""IngressRouteTCP and IngressRouteUDP of Traefik to a LoadBalancer Service, by Decision `tcpRoutes.<route>`.

Facts: guide/aks_facts_source.md 5.3. TCPRoute and UDPRoute are not in the standard channel of the Gateway API, so none is ever written. The
port that clients used stands in Traefik's own settings, not in the object: that the Service answers on its own port is said.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import (
    LAST_APPLIED,
    annotations_of,
    label_of,
    metadata,
    name_of,
    namespace_of,
    retype,
    without_annotations,
    without_fields,
)
from shared.domain.convert.forms import Form, read_form
from shared.domain.convert.httproute import check_free
from shared.domain.convert.ingress_controllers import CLASS_ANNOTATION
from shared.domain.convert.names import LABEL_LIMIT, bounded
from shared.domain.model import Question

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
EVERY_NAME = re.compile(r"\s*HostSNI\(\s*[`\"]\*[`\"]\s*\)\s*")


class Backend(Form):
    """One entry of `routes[].services`."""

    name: str
    port: int | str
    namespace: str | None = None
    weight: int | None = None
    termination_delay: int | None = None
    proxy_protocol: dict[str, Any] | None = None
    servers_transport: str | None = None
    native_lb: bool | None = Field(default=None, alias="nativeLB")
    node_port_lb: bool | None = Field(default=None, alias="nodePortLB")
    tls: bool | None = None


class Route(Form):
    """One entry of `spec.routes`; a UDP route has no match."""

    match: str | None = None
    priority: int | None = None
    syntax: str | None = None
    services: list[Backend] = Field(default_factory=list)
    middlewares: list[dict[str, Any]] = Field(default_factory=list)


class RawSpec(Form):
    """`spec` of both kinds."""

    entry_points: list[str] | None = None
    routes: list[Route] = Field(default_factory=list)
    tls: dict[str, Any] | None = None
    ingress_class_name: str | None = None


def ingress_route_raw(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Raises CannotConvert for everything but one plain route to one Service, and with the question where it is not answered."""
    spec = read_form(RawSpec, obj.get("spec"), "/spec")
    backend = _only_backend(spec)
    if backend.namespace not in (None, namespace_of(obj)):
        raise CannotConvert("a LoadBalancer Service selects pods of its own namespace only", path="/spec/routes/0/services/0/namespace")
    service = lookup.service(namespace_of(obj), backend.name) or {}
    if not service.get("selector"):
        raise CannotConvert(f"Service {backend.name} is not among the manifests, or selects no pods", path="/spec/routes/0/services/0")
    port = _port(service, backend)
    answer = _answer(obj, lookup)
    protocol = "UDP" if obj["kind"] == "IngressRouteUDP" else "TCP"
    body = {
        "type": "LoadBalancer",
        "selector": dict(service["selector"]),
        "ports": [{"port": port["port"], "protocol": protocol, "targetPort": port.get("targetPort", port["port"])}],
    }
    operations = (
        *retype(obj, "v1", "Service"),
        *_named(obj, lookup),
        Op("replace", "/spec", body),
        *_annotate(obj, answer),
        *without_fields(obj, "", ("status",)),
    )
    return Conversion(operations, losses=tuple(_losses(spec, backend, port["port"])), reveals=("/spec/type",))


def _only_backend(spec: RawSpec) -> Backend:
    if len(spec.routes) != 1 or len(spec.routes[0].services) != 1:
        raise CannotConvert("a LoadBalancer Service carries one route to one Service; this object has another number", path="/spec/routes")
    (route,) = spec.routes
    if spec.tls is not None:
        raise CannotConvert("a LoadBalancer Service ends no TLS and picks nothing by TLS host name", path="/spec/tls")
    if route.match is not None and not EVERY_NAME.fullmatch(route.match):
        raise CannotConvert("a LoadBalancer Service takes every connection; the route takes some", path="/spec/routes/0/match")
    if route.middlewares:
        raise CannotConvert("a LoadBalancer Service has no middlewares: an allow list would be gone", path="/spec/routes/0/middlewares")
    (backend,) = route.services
    if backend.proxy_protocol or backend.tls or backend.servers_transport:
        raise CannotConvert("Azure's load balancer sends no PROXY header and speaks no TLS to pods", path="/spec/routes/0/services/0")
    return backend


def _port(service: Any, backend: Backend) -> dict[str, Any]:
    ports = [p for p in service.get("ports") or [] if isinstance(p, dict)]
    found = [p for p in ports if str(backend.port) in (str(p.get("port")), p.get("name")) and isinstance(p.get("port"), int)]
    if len(found) != 1:
        raise CannotConvert(f"Service {backend.name} has no single port {backend.port}", path="/spec/routes/0/services/0/port")
    return found[0]


def _answer(obj: dict[str, Any], lookup: Lookup) -> str:
    label = label_of(obj)
    key = decision_key("tcpRoutes", label)
    answer = lookup.decision(key)
    if answer not in ("public", "internal"):
        text = f"{obj['kind']} {label} forwards raw traffic, for which AKS has a load balancer. Shall it be public or internal?"
        raise CannotConvert("raw traffic needs a Service of type LoadBalancer", Question(key, text, "internal"), "/spec")
    return str(answer)


def _named(obj: dict[str, Any], lookup: Lookup) -> list[Op]:
    """Another name where a Service has the route's already."""
    if not lookup.exists("Service", namespace_of(obj), name_of(obj)):
        return []
    name = bounded(f"{name_of(obj)}-lb", LABEL_LIMIT)
    check_free("Service", namespace_of(obj), name, lookup)
    return [Op("replace", "/metadata/name", name)]


def _annotate(obj: dict[str, Any], answer: str) -> list[Op]:
    value = "true" if answer == "internal" else "false"
    dead = [a for a in annotations_of(obj) if a in (CLASS_ANNOTATION, LAST_APPLIED)]
    if not set(annotations_of(obj)) - set(dead):
        return [Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", {INTERNAL: value})]
    return [*without_annotations(obj, dead), Op("add", f"/metadata/annotations/{INTERNAL.replace('/', '~1')}", value)]


def _losses(spec: RawSpec, backend: Backend, port: int) -> list[Loss]:
    entries = ", ".join(spec.entry_points or ["(every entry point)"])
    path = "/spec/entryPoints" if spec.entry_points else "/spec"
    losses = [
        Loss(path, f"the Service answers on port {port} of an address of its own; Traefik answered on the port of entry point {entries}")
    ]
    if backend.termination_delay is not None:
        losses.append(Loss("/spec/routes/0/services/0/terminationDelay", "half-closed connections are no longer kept for a while"))
    return losses
