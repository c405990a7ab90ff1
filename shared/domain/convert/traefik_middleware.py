"""Traefik Middlewares as filters of an HTTPRoute, where a filter does exactly the same.

Facts: guide/aks_facts_source.md 5.3 (table of middlewares). Whatever guards the application (logins, allow lists, rate limits) has no
equivalent and is refused: a route without it would be open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, Loss
from shared.domain.convert.forms import Form, read_form
from shared.domain.convert.httproute import filter_of, header_modifier

DEPTH_LIMIT = 5
HARMLESS_TYPES = {
    "compress": "responses are no longer compressed on the way",
    "buffering": "request and response sizes are no longer limited",
}
FLAG_HEADERS = {"frameDeny": ("X-Frame-Options", "DENY"), "contentTypeNosniff": ("X-Content-Type-Options", "nosniff"),
                "browserXssFilter": ("X-XSS-Protection", "1; mode=block")}  # fmt: skip
VALUE_HEADERS = {"customFrameOptionsValue": "X-Frame-Options", "contentSecurityPolicy": "Content-Security-Policy",
                 "referrerPolicy": "Referrer-Policy", "permissionsPolicy": "Permissions-Policy",
                 "customBrowserXSSValue": "X-XSS-Protection"}  # fmt: skip
MAPS = ("customRequestHeaders", "customResponseHeaders")
STS = ("stsSeconds", "stsIncludeSubdomains", "stsPreload", "forceSTSHeader")


class RedirectScheme(Form):
    """`spec.redirectScheme`."""

    scheme: str
    port: str | int | None = None
    permanent: bool | None = None


class StripPrefix(Form):
    """`spec.stripPrefix`."""

    prefixes: list[str]
    force_slash: bool | None = None


class Named(Form):
    """A reference to a Middleware; the same namespace where none is named."""

    name: str
    namespace: str | None = None


@dataclass
class Filters:
    """What the Middlewares of a route do. `redirect` applies to plain HTTP only; everything else to what is served."""

    request: dict[str, str] = field(default_factory=dict)
    response: dict[str, str] = field(default_factory=dict)
    tls_response: dict[str, str] = field(default_factory=dict)
    rewrite: dict[str, Any] | None = None
    redirect: dict[str, Any] | None = None
    losses: list[Loss] = field(default_factory=list)
    redirect_losses: list[Loss] = field(default_factory=list)
    """What is lost where the redirect is used."""

    def entries(self, *, tls: bool) -> list[dict[str, Any]]:
        """`rules[].filters`. An empty header value removes the header, as in Traefik."""
        found = [("RequestHeaderModifier", self.request), ("ResponseHeaderModifier", self.response | (self.tls_response if tls else {}))]
        filters = [filter_of(kind, _modifier(values)) for kind, values in found if values]
        return filters + ([filter_of("URLRewrite", self.rewrite)] if self.rewrite else [])


def _modifier(values: Mapping[str, str]) -> dict[str, Any]:
    return header_modifier({k: v for k, v in values.items() if v}, [k for k, v in values.items() if not v], "")


def read_middlewares(names: Iterable[Named], namespace: str | None, prefix: str | None, path: str, lookup: Lookup) -> Filters:
    """The filters of these Middlewares, in order. `prefix` is the route's only path prefix, None where it has none or several.

    Raises CannotConvert naming the Middleware and what has no equivalent.
    """
    filters = Filters()
    for name, spec in _flattened(names, namespace, path, lookup, 0):
        if len(spec) != 1:
            raise CannotConvert(f"Middleware {name} does not have exactly one type", path=path)
        ((kind, options),) = spec.items()
        _apply(filters, name, kind, options or {}, prefix, path)
    return filters


def _flattened(
    names: Iterable[Named], namespace: str | None, path: str, lookup: Lookup, depth: int
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for named in names:
        found = lookup.find("Middleware", named.namespace or namespace, named.name)
        spec = found.get("spec") if found else None
        if not isinstance(spec, Mapping) or depth > DEPTH_LIMIT:
            raise CannotConvert(f"Middleware {named.name} is not among the manifests, so what it does is not known", path=path)
        if set(spec) == {"chain"}:
            parts = (spec["chain"] or {}).get("middlewares") or []
            yield from _flattened([read_form(Named, p, path) for p in parts], named.namespace or namespace, path, lookup, depth + 1)
        else:
            yield named.name, spec


def _apply(filters: Filters, name: str, kind: str, options: Mapping[str, Any], prefix: str | None, path: str) -> None:
    if kind == "redirectScheme":
        filters.redirect = _redirect(read_form(RedirectScheme, options, path), name, path)
        status = filters.redirect["statusCode"]
        said = f"the redirect answers {status} to every method; Traefik answered 307 or 308 to all but GET"
        filters.redirect_losses.append(Loss(path, said))
    elif kind == "headers":
        _headers(filters, name, options, path)
    elif kind in ("stripPrefix", "addPrefix", "replacePath"):
        if filters.rewrite is not None:
            raise CannotConvert(f"Middleware {name} changes the path a second time", path=path)
        filters.rewrite = _rewrite(name, kind, options, prefix, path)
        filters.losses += _rewrite_losses(kind, path)
    elif kind in HARMLESS_TYPES:
        filters.losses.append(Loss(path, f"Middleware {name} ({kind}): {HARMLESS_TYPES[kind]}"))
    else:
        raise CannotConvert(f"Middleware {name} is of type {kind}, for which a Gateway has no equivalent", path=path)


def _redirect(options: RedirectScheme, name: str, path: str) -> dict[str, Any]:
    if options.scheme != "https" or not re.fullmatch(r"\d+|", str(options.port or "")):
        raise CannotConvert(
            f"Middleware {name} redirects to {options.scheme}, which an HTTPRoute cannot say as Traefik means it", path=path
        )
    body: dict[str, Any] = {"scheme": "https", "statusCode": 301 if options.permanent else 302}
    if str(options.port or "443") != "443":
        body["port"] = int(str(options.port))
    return body


def _headers(filters: Filters, name: str, options: Mapping[str, Any], path: str) -> None:
    known = {*MAPS, *STS, *FLAG_HEADERS, *VALUE_HEADERS}
    unknown = sorted(k for k, v in options.items() if k not in known and v not in (None, False, [], {}, ""))
    if unknown:
        raise CannotConvert(f"Middleware {name} (headers) uses {unknown[0]}, for which a Gateway has no equivalent", path=path)
    request, response = (dict(options.get(m) or {}) for m in MAPS)
    if not all(isinstance(v, str) for v in (*request.values(), *response.values())) or any(k.lower() == "host" for k in request):
        raise CannotConvert(f"Middleware {name} sets a header that a filter of an HTTPRoute cannot set", path=path)
    filters.request |= request
    own = {h: v for k, (h, v) in FLAG_HEADERS.items() if options.get(k)}
    own |= {h: str(options[k]) for k, h in VALUE_HEADERS.items() if options.get(k)}
    filters.response = own | response | filters.response  # the first Middleware sees a response last
    if options.get("stsSeconds"):
        flags = [t for k, t in (("stsIncludeSubdomains", "; includeSubDomains"), ("stsPreload", "; preload")) if options.get(k)]
        where = filters.response if options.get("forceSTSHeader") else filters.tls_response
        where.setdefault("Strict-Transport-Security", f"max-age={options['stsSeconds']}{''.join(flags)}")


def _rewrite(name: str, kind: str, options: Mapping[str, Any], prefix: str | None, path: str) -> dict[str, Any]:
    if kind == "replacePath" and isinstance(options.get("path"), str):
        return {"path": {"type": "ReplaceFullPath", "replaceFullPath": options["path"]}}
    if kind == "addPrefix" and prefix is not None and isinstance(options.get("prefix"), str):
        added = options["prefix"].rstrip("/") + ("" if prefix == "/" else prefix)
        return {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": added}}
    if kind == "stripPrefix":
        prefixes: Sequence[str] = read_form(StripPrefix, options, path).prefixes
        if prefix is not None and [p.rstrip("/") for p in prefixes] == [prefix.rstrip("/")]:
            return {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    raise CannotConvert(f"Middleware {name} ({kind}) does not fit the one path prefix of the route", path=path)


def _rewrite_losses(kind: str, path: str) -> list[Loss]:
    headers = {"stripPrefix": "X-Forwarded-Prefix", "replacePath": "X-Replaced-Path"}
    return [Loss(path, f"the application no longer gets the header {headers[kind]}")] if kind in headers else []
