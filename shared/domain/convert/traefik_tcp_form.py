"""IngressRouteTCP and IngressRouteUDP of Traefik as forms: every field of its CRDs (traefik.io/v1alpha1), and the host names of a match."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from shared.domain.convert.base import CannotConvert
from shared.domain.convert.forms import Form
from shared.domain.convert.httproute import hostname

EVERY_NAME = re.compile(r"\s*HostSNI\(\s*[`\"]\*[`\"]\s*\)\s*")
QUOTED = r"\s*(?:`[^`]*`|\"[^\"]*\")\s*"
HOST_SNI = re.compile(rf"\s*HostSNI\((?P<names>{QUOTED}(?:,{QUOTED})*)\)\s*")
PASSED_ON = {"passthrough": True}


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


def host_names(match: str, path: str) -> list[str]:
    """The names of a match that is nothing but `HostSNI(..)`, several joined by `||`. Raises CannotConvert for anything else."""
    names: list[str] = []
    for part in match.split("||"):
        found = HOST_SNI.fullmatch(part)
        if found is None:
            raise CannotConvert("the rule says more than HostSNI with plain names, which a TLSRoute cannot", path=path)
        names += [name.strip().strip('`"') for name in found["names"].split(",")]
    return list(dict.fromkeys(hostname(name, path) for name in names))
