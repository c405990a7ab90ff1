"""The rules of an Ingress as rules of HTTPRoutes: paths, backends, certificates, and hosts grouped by what they serve.

Facts: guide/aks_facts_source.md 5.3, 5.8, 5.9 (how controllers match), the Ingress API (default backend), HTTPRoute's precedence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.backend_services import check_backend, speaks_tls
from shared.domain.convert.base import CannotConvert, Lookup, Loss, decision_key
from shared.domain.convert.edits import namespace_of
from shared.domain.convert.gateway_classes import uses_gateway
from shared.domain.convert.httproute import filter_of, hostname, path_value
from shared.domain.convert.ingress_controllers import TRAEFIK, Controller
from shared.domain.convert.ingress_form import Backend, HttpPath, IngressSpec, IngressTls
from shared.domain.convert.ingress_settings import Settings
from shared.domain.convert.service_ports import ingress_port
from shared.domain.convert.traefik_middleware import read_middlewares
from shared.domain.model import Question

PREFIX, EXACT = "PathPrefix", "Exact"
CAPTURED_PATH = re.compile(r"(/[-\w./~]*?)/?\(/\|\$\)\(\.\*\)")
REGEX_SIGNS = re.compile(r"[\[\](){}|^$*+?\\]")


@dataclass
class HostRules:
    """What one host serves: rules without their certificate, and the redirect that its Middlewares ask of plain HTTP."""

    host: str | None
    secret: str | None = None
    rules: list[dict[str, Any]] = field(default_factory=list)
    redirect: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """Hosts of the same key share an HTTPRoute."""
        return json.dumps([self.secret is not None, self.rules, self.redirect], sort_keys=True)


@dataclass
class Builder:
    """Turns one Ingress into rules per host; collects what is lost on the way."""

    obj: Mapping[str, Any]
    spec: IngressSpec
    settings: Settings
    controller: Controller
    lookup: Lookup
    losses: list[Loss] = field(default_factory=list)

    def hosts(self) -> list[HostRules]:
        """Every host in the order of the manifest; rules of one host are merged; the default backend catches the rest."""
        found: dict[str | None, HostRules] = {}
        for i, rule in enumerate(self.spec.rules or ()):
            host = hostname(rule.host, f"/spec/rules/{i}/host") if rule.host else None
            if host and host.startswith("*.") and uses_gateway(self.lookup):
                self.losses.append(Loss(f"/spec/rules/{i}/host", "on a Gateway the wildcard also covers deeper subdomains"))
            place = found.setdefault(host, HostRules(host))
            for j, item in enumerate(rule.http.paths if rule.http else ()):
                self._add(place, item, f"/spec/rules/{i}/http/paths/{j}")
        if self.spec.default_backend is not None:
            self._add_default(found, self.spec.default_backend)
        hosts = [h for h in found.values() if h.rules]
        if not hosts:
            raise CannotConvert("the Ingress routes nothing", path="/spec")
        for place in hosts:
            place.secret = self._secret(place.host)
        return hosts

    def _add_default(self, found: dict[str | None, HostRules], backend: Backend) -> None:
        refs = self._backend(backend, "/spec/defaultBackend")
        found.setdefault(None, HostRules(None))
        for place in found.values():
            matches = [m for r in place.rules for m in r["matches"]]
            if {"path": {"type": PREFIX, "value": "/"}} not in matches:
                place.rules.append({"matches": [{"path": {"type": PREFIX, "value": "/"}}], "backendRefs": refs})

    def _add(self, place: HostRules, item: HttpPath, path: str) -> None:
        kind, value = self.match(item, path)
        filters = [*self.settings.filters, *self._rewrites(kind, value, item.path or "", path)]
        if self.settings.middlewares:
            prefix = value if kind == PREFIX else None
            found = read_middlewares(self.settings.middlewares, namespace_of(self.obj), prefix, path, self.lookup)
            self.losses += [x for x in (*found.losses, *found.redirect_losses) if x not in self.losses]
            place.redirect = found.redirect or place.redirect
            filters += found.entries(tls=self._is_secure(place.host))
        rule: dict[str, Any] = {"matches": [{"path": {"type": kind, "value": value}}]}
        rule |= ({"filters": filters} if filters else {}) | ({"timeouts": self.settings.timeouts} if self.settings.timeouts else {})
        _merge(place.rules, rule | {"backendRefs": self._backend(item.backend, f"{path}/backend")})

    # paths

    def match(self, item: HttpPath, path: str) -> tuple[str, str]:
        """The kind and value of a path as HTTPRoute says what the old controller matched. Raises CannotConvert."""
        value = item.path or "/"
        captured = CAPTURED_PATH.fullmatch(value)
        if captured and self.settings.capture_rewrite is not None:
            self.losses.append(Loss(f"{path}/path", "the path was matched without regard to case"))
            return PREFIX, path_value(captured[1].rstrip("/") or "/", f"{path}/path")
        if item.path_type == "ImplementationSpecific" and self.controller.specific == "glob":
            return self._glob(item.path or "/*", path)
        if self.settings.regex or (REGEX_SIGNS.search(value) and "${" not in value):
            raise CannotConvert(f"{path}/path is a regular expression, which controllers read differently", path=f"{path}/path")
        kind = self._kind(item.path_type, path)
        if kind == PREFIX and item.path_type in self.controller.raw and value != "/" and not value.endswith("/"):
            message = f"{self.controller.name} matched every path that begins with {value}; now only {value} and what lies below it match"
            self.losses.append(Loss(f"{path}/path", message))
        return kind, path_value(value, f"{path}/path")

    def _kind(self, path_type: str, path: str) -> str:
        if path_type in ("Exact", "Prefix"):
            return {"Exact": EXACT, "Prefix": PREFIX}[path_type]
        if path_type != "ImplementationSpecific" or self.controller.specific == "unknown":
            raise CannotConvert(f"how the old controller read pathType {path_type} is not known", path=f"{path}/pathType")
        return self.settings.specific_path or PREFIX

    def _glob(self, value: str, path: str) -> tuple[str, str]:
        """`/*` and `/app/*` are prefixes, a path without a star is exact."""
        base = value.removesuffix("/*")
        if "*" in base or "?" in base:
            raise CannotConvert(f"{path}/path holds a wildcard that is no prefix", path=f"{path}/path")
        if base == value:
            return EXACT, path_value(value, f"{path}/path")
        if base:
            self.losses.append(Loss(f"{path}/path", f"{base} alone matches now too"))
        return PREFIX, path_value(base or "/", f"{path}/path")

    def _rewrites(self, kind: str, value: str, written: str, path: str) -> list[dict[str, Any]]:
        full, captured, prefix = self.settings.full_rewrite, self.settings.capture_rewrite, self.settings.prefix_rewrite
        if captured is not None:
            if not CAPTURED_PATH.fullmatch(written):
                raise CannotConvert(f"{path}/path has not the capture that the rewrite uses", path=f"{path}/path")
            return [_replace_prefix(path_value(captured, path))] if value != captured else []
        if full is not None and full != value:
            self.losses.append(Loss(f"{path}/path", f"{value} was matched without regard to case, and as the beginning of longer names"))
            return [filter_of("URLRewrite", {"path": {"type": "ReplaceFullPath", "replaceFullPath": path_value(full, path)}})]
        if prefix is not None and prefix != value:
            if kind != PREFIX or value == "/" or (value.endswith("/") != prefix.endswith("/") and prefix != "/"):
                raise CannotConvert(f"rewriting {value} to {prefix} gives other paths on a Gateway than in the router", path=path)
            return [_replace_prefix(path_value(prefix, path))]
        return []

    # backends and certificates

    def _backend(self, backend: Backend, path: str) -> list[dict[str, Any]]:
        service = backend.service
        if service is None or service.port is None or backend.resource is not None:
            raise CannotConvert(f"{path} does not name a Service and its port", path=path)
        if service.port.number is not None and service.port.name:
            raise CannotConvert(f"{path} names its port twice, by number and by name", path=path)
        port = service.port.number
        if port is None:
            port = ingress_port(self.lookup, namespace_of(self.obj), service.name, service.port.name or "", path)
        namespace = namespace_of(self.obj)
        check_backend(self.lookup, namespace, service.name, path)
        if self.controller is TRAEFIK and speaks_tls(self.lookup, namespace, service.name, port, service.port.name or ""):
            raise CannotConvert(f"Traefik spoke https to Service {service.name}, which needs a BackendTLSPolicy", path=path)
        return [{"name": service.name, "port": port}]

    def _certificates(self, host: str | None) -> list[IngressTls]:
        """The entries of spec.tls that mean a host, those that name it first; one without hosts means every host."""
        entries = [t for t in self.spec.tls or () if not t.hosts or any(_covers(h.lower(), host) for h in t.hosts)]
        return sorted(entries, key=lambda t: host not in (t.hosts or ()))

    def _is_secure(self, host: str | None) -> bool:
        return self.settings.secure and (self.settings.tls_wanted or bool(self._certificates(host)))

    def _secret(self, host: str | None) -> str | None:
        """The Secret of a host's certificate; None where it is served plainly. Asked for where no Secret is named."""
        if not self._is_secure(host):
            if self.settings.forced:
                raise CannotConvert("plain HTTP is redirected to HTTPS, which ends before the Ingress: a redirect here would go in circles")
            return None
        whose, example = host or "every host", (host or "default").removeprefix("*.").replace(".", "-")
        question = Question(
            decision_key("tls", host or "*"), f"Which kubernetes.io/tls Secret holds the certificate of {whose}?", f"{example}-tls"
        )
        answer = self.lookup.decision(question.key)
        named = [t.secret_name for t in self._certificates(host) if t.secret_name]
        secret = answer if isinstance(answer, str) and answer else next(iter(named), None)
        if secret is None:
            raise CannotConvert(
                f"{host or 'the Ingress'} is served with a certificate of the old controller, not of a Secret", question, "/spec/tls"
            )
        return secret


def _covers(pattern: str, host: str | None) -> bool:
    return pattern == host or (pattern.startswith("*.") and host is not None and host.partition(".")[2] == pattern[2:])


def _replace_prefix(value: str) -> dict[str, Any]:
    return filter_of("URLRewrite", {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": value}})


def _merge(rules: list[dict[str, Any]], rule: dict[str, Any]) -> None:
    """Paths of one backend share a rule, except where a rewrite allows one match only."""
    rest = {k: v for k, v in rule.items() if k != "matches"}
    for known in rules:
        if {k: v for k, v in known.items() if k != "matches"} == rest and "ReplacePrefixMatch" not in json.dumps(rest):
            known["matches"] += [m for m in rule["matches"] if m not in known["matches"]]
            return
    rules.append(rule)


def grouped(hosts: Sequence[HostRules]) -> list[list[HostRules]]:
    """Hosts that can share an HTTPRoute, in the order of their first member; the host-less one stands alone."""
    groups: dict[str, list[HostRules]] = {}
    for place in hosts:
        groups.setdefault(place.key if place.host is not None else "", []).append(place)
    return list(groups.values())
