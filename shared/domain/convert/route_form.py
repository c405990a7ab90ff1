"""The OpenShift Route (route.openshift.io/v1, legacy v1) as a form: every field of openshift/api route/v1 types.go."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.domain.convert.forms import Form


class Target(Form):
    """`spec.to` and an entry of `spec.alternateBackends`; the API's default weight is 100."""

    kind: str = "Service"
    name: str
    weight: int | None = Field(default=None, ge=0, le=256)

    @property
    def share(self) -> int:
        """The weight that counts."""
        return 100 if self.weight is None else self.weight


class Port(Form):
    """`spec.port`."""

    target_port: int | str


class ExternalCertificate(Form):
    """`spec.tls.externalCertificate`: a kubernetes.io/tls Secret of the same namespace."""

    name: str


class Tls(Form):
    """`spec.tls`; keys and certificates are read only to see that they are there."""

    termination: str = ""
    certificate: str | None = Field(default=None, repr=False)
    key: str | None = Field(default=None, repr=False)
    ca_certificate: str | None = Field(default=None, alias="caCertificate", repr=False)
    destination_ca_certificate: str | None = Field(default=None, alias="destinationCACertificate", repr=False)
    insecure_edge_termination_policy: str | None = None
    external_certificate: ExternalCertificate | None = None


class HeaderSet(Form):
    """`action.set`."""

    value: str


class HeaderAction(Form):
    """`action` of a header: Set with a value, or Delete."""

    type: str
    set: HeaderSet | None = None


class Header(Form):
    """One entry of `httpHeaders.actions.request` or `.response`."""

    name: str
    action: HeaderAction


class HeaderActions(Form):
    """`spec.httpHeaders.actions`."""

    request: list[Header] | None = None
    response: list[Header] | None = None


class HttpHeaders(Form):
    """`spec.httpHeaders`."""

    actions: HeaderActions | None = None


class RouteSpec(Form):
    """`spec` of a Route."""

    host: str | None = None
    subdomain: str | None = None
    path: str | None = None
    to: Target
    alternate_backends: list[Target] | None = None
    port: Port | None = None
    tls: Tls | None = None
    wildcard_policy: str | None = None
    http_headers: HttpHeaders | None = None

    def secrets(self) -> dict[str, Any]:
        """The inline key material that is set, by its pointer."""
        fields = ("certificate", "key") if self.tls else ()
        return {f"/spec/tls/{f}": True for f in fields if getattr(self.tls, f)}
