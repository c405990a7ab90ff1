"""Ingress (networking.k8s.io/v1) as a form."""

from __future__ import annotations

from typing import Any

from shared.domain.convert.forms import Form


class ServicePort(Form):
    """`backend.service.port`: a number or a name."""

    number: int | None = None
    name: str | None = None


class ServiceBackend(Form):
    """`backend.service`."""

    name: str
    port: ServicePort | None = None


class Backend(Form):
    """A backend: a Service, or an object of another API."""

    service: ServiceBackend | None = None
    resource: dict[str, Any] | None = None


class HttpPath(Form):
    """One entry of `rules[].http.paths`."""

    path: str | None = None
    path_type: str
    backend: Backend


class Http(Form):
    """`rules[].http`."""

    paths: list[HttpPath]


class Rule(Form):
    """One entry of `spec.rules`."""

    host: str | None = None
    http: Http | None = None


class IngressTls(Form):
    """One entry of `spec.tls`."""

    hosts: list[str] | None = None
    secret_name: str | None = None


class IngressSpec(Form):
    """`spec` of an Ingress."""

    ingress_class_name: str | None = None
    default_backend: Backend | None = None
    tls: list[IngressTls] | None = None
    rules: list[Rule] | None = None
