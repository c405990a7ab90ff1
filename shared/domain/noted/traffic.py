"""What takes traffic, for which hosts and with which certificate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.noted.values import Noted, annotation, filled, items, number, strings, text, texts
from shared.domain.pointer import get

HOST_IN_RULE = re.compile(r"Host(?:SNI)?\(([^)]*)\)")
"""Traefik's matcher for host names (doc.traefik.io, routers)."""
QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
ISSUERS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


def service(obj: Mapping[str, Any]) -> Noted:
    """`ports`, and whether the address is `internal`; only of a Service of type LoadBalancer."""
    if get(obj, "/spec/type") != "LoadBalancer":
        return {}
    ports = [p["port"] for p in items(obj, "/spec/ports/*") if isinstance(p.get("port"), int)]
    return {"ports": ports, "internal": annotation(obj, INTERNAL) == "true" or None}


def ingress(obj: Mapping[str, Any]) -> Noted:
    """`hosts`, the first path of each in `paths` ("" for any host), `tls` as secret and hosts, and the `issuer`."""
    paths = {str(r.get("host") or ""): text(get(r, "/http/paths/0/path")) or "/" for r in items(obj, "/spec/rules/*")}
    tls = [filled({"secret": text(t.get("secretName")), "hosts": strings(t.get("hosts"))}) for t in items(obj, "/spec/tls/*")]
    return {"hosts": sorted(filter(None, paths)), "paths": paths, "tls": tls, "issuer": _issuer(obj)}


def route(obj: Mapping[str, Any]) -> Noted:
    """`hosts` of an OpenShift Route."""
    return {"hosts": strings([get(obj, "/spec/host")])}


def ingress_route(obj: Mapping[str, Any]) -> Noted:
    """`hosts` that the rules of Traefik's routes match; not the wildcard of HostSNI."""
    rules = [r.get("match") for r in items(obj, "/spec/routes/*")]
    found = [host for rule in rules if isinstance(rule, str) for args in HOST_IN_RULE.findall(rule) for host in QUOTED.findall(args)]
    return {"hosts": sorted(set(found) - {"*"})}


def gateway_route(obj: Mapping[str, Any]) -> Noted:
    """`hosts`, `parents`, the first `path`, and whether every rule `redirects`."""
    rules = items(obj, "/spec/rules/*")
    filters = [[f.get("type") for f in items(rule, "/filters/*")] for rule in rules]
    return {
        "hosts": strings(get(obj, "/spec/hostnames")),
        "parents": [filled({k: text(p.get(k)) for k in ("name", "namespace", "sectionName")}) for p in items(obj, "/spec/parentRefs/*")],
        "path": text(get(obj, "/spec/rules/0/matches/0/path/value")),
        "redirects": (bool(filters) and all("RequestRedirect" in f for f in filters)) or None,
    }


def gateway(obj: Mapping[str, Any]) -> Noted:
    """`class`, whether its address is `internal`, `issuer` and `listeners`."""
    note = f"/spec/infrastructure/annotations/{INTERNAL.replace('/', '~1')}"
    return {
        "class": text(get(obj, "/spec/gatewayClassName")),
        "internal": get(obj, note) == "true" or None,
        "issuer": _issuer(obj),
        "listeners": [filled(_listener(x)) for x in items(obj, "/spec/listeners/*")],
    }


def _listener(listener: Mapping[str, Any]) -> Noted:
    options = get(listener, "/tls/options")
    return {
        "name": text(listener.get("name")),
        "host": text(listener.get("hostname")),
        "port": number(listener.get("port")),
        "protocol": text(listener.get("protocol")),
        "secrets": texts(listener, "/tls/certificateRefs/*/name"),
        "vault": (isinstance(options, dict) and any("keyvault" in key for key in options)) or None,
    }


def certificate(obj: Mapping[str, Any]) -> Noted:
    """`secret`, `hosts` and `issuer` of cert-manager's Certificate."""
    return {
        "secret": text(get(obj, "/spec/secretName")),
        "hosts": strings(get(obj, "/spec/dnsNames")),
        "issuer": text(get(obj, "/spec/issuerRef/name")),
    }


def solvers(obj: Mapping[str, Any]) -> Noted:
    """`solvers`: the kinds of ACME challenge that an issuer of cert-manager answers."""
    return {"solvers": sorted({key for solver in items(obj, "/spec/acme/solvers/*") for key in solver if key in ("http01", "dns01")})}


def _issuer(obj: Mapping[str, Any]) -> str | None:
    return next((found for key in ISSUERS if (found := text(annotation(obj, key)))), None)
