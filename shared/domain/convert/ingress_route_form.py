"""Traefik IngressRoute (v1alpha1) as a form: every field of traefik's crd/traefikio/v1alpha1/ingressroute.go that a manifest may hold."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.domain.convert.forms import Form
from shared.domain.convert.traefik_middleware import Named


class Service(Form):
    """One entry of `routes[].services`."""

    name: str
    kind: str = "Service"
    namespace: str | None = None
    port: int | str | None = None
    weight: int | None = None
    scheme: str | None = None
    strategy: str | None = None
    sticky: dict[str, Any] | None = None
    pass_host_header: bool | None = None
    response_forwarding: dict[str, Any] | None = None
    servers_transport: str | None = None
    native_lb: bool | None = Field(default=None, alias="nativeLB")
    node_port_lb: bool | None = Field(default=None, alias="nodePortLB")
    health_check: dict[str, Any] | None = None
    passive_health_check: dict[str, Any] | None = None


class Route(Form):
    """One entry of `spec.routes`."""

    match: str
    kind: str = "Rule"
    priority: int = 0
    syntax: str | None = None
    services: list[Service] = Field(default_factory=list)
    middlewares: list[Named] = Field(default_factory=list)
    observability: dict[str, Any] | None = None


class Tls(Form):
    """`spec.tls`."""

    secret_name: str | None = None
    cert_resolver: str | None = None
    options: dict[str, Any] | None = None
    store: dict[str, Any] | None = None
    domains: list[dict[str, Any]] | None = None


class IngressRouteSpec(Form):
    """`spec` of an IngressRoute."""

    entry_points: list[str] | None = None
    routes: list[Route]
    tls: Tls | None = None
    ingress_class_name: str | None = None
