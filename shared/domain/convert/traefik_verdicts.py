"""What becomes of each type of Traefik Middleware and of Traefik's other objects on AKS: one table for messages and docs/coverage.md.

Facts: guide/aks_facts_source.md 5.3. `traefik_middleware.py` does what the table calls translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Fate = Literal["translated", "lost", "needs", "impossible"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`translated` into the routes (with what limits), `lost` without harm, `needs` something else on AKS, or `impossible` there."""

    fate: Fate
    what: str

    @property
    def sentence(self) -> str:
        heads = {"translated": "translated into the routes", "lost": "left out, and said", "needs": "needs", "impossible": "impossible"}
        return f"{heads[self.fate]}: {self.what}" if self.fate != "needs" else f"needs {self.what}"


MIDDLEWARES: Mapping[str, Verdict] = {
    "addPrefix": Verdict("translated", "a URLRewrite filter, where the route has one path prefix"),
    "stripPrefix": Verdict("translated", "a URLRewrite filter, where the stripped prefix is the one of the route"),
    "stripPrefixRegex": Verdict("impossible", "a Gateway rewrites no paths by pattern; strip a fixed prefix, or let the application do it"),
    "replacePath": Verdict("translated", "a URLRewrite filter"),
    "replacePathRegex": Verdict("impossible", "a Gateway rewrites no paths by pattern; let the application do it"),
    "redirectScheme": Verdict("translated", "a RequestRedirect filter, where it leads to HTTPS"),
    "redirectRegex": Verdict("needs", "a RequestRedirect filter written by hand: only fixed hosts and paths can be said"),
    "headers": Verdict("translated", "header filters; cross-origin headers, allowed hosts and proxy headers have none"),
    "basicAuth": Verdict("needs", "a login of its own (oauth2-proxy, or the application): without it the application is open"),
    "digestAuth": Verdict("needs", "a login of its own (oauth2-proxy, or the application): without it the application is open"),
    "forwardAuth": Verdict(
        "needs", "a login of its own (oauth2-proxy as the backend, or the Istio add-on): without it the application is open"
    ),
    "ipAllowList": Verdict(
        "needs", "an allow list elsewhere (a web application firewall, or an internal Gateway): without it everybody gets in"
    ),
    "ipWhiteList": Verdict(
        "needs", "an allow list elsewhere (a web application firewall, or an internal Gateway): without it everybody gets in"
    ),
    "rateLimit": Verdict("needs", "a limit elsewhere (Front Door or the application)"),
    "inFlightReq": Verdict("needs", "a limit elsewhere (Front Door or the application)"),
    "inFlightConn": Verdict("needs", "a limit elsewhere (the application)"),
    "buffering": Verdict("lost", "request and response sizes are no longer limited"),
    "compress": Verdict("lost", "responses are no longer compressed on the way"),
    "circuitBreaker": Verdict("impossible", "a Gateway has none; the Istio add-on's outlier detection is the nearest"),
    "retry": Verdict("impossible", "retries are no part of the standard HTTPRoute"),
    "passTLSClientCert": Verdict("impossible", "the shared Gateway asks clients for no certificates"),
    "contentType": Verdict("impossible", "a Gateway guesses no content types"),
    "grpcWeb": Verdict("needs", "a proxy that translates gRPC-Web, beside the application"),
    "encodedCharacters": Verdict("impossible", "a Gateway has its own handling of encoded characters"),
    "errors": Verdict("impossible", "a Gateway serves no error pages of its own; the application must"),
    "plugin": Verdict("impossible", "plugins run inside Traefik only"),
    "chain": Verdict("translated", "its Middlewares, in order"),
}
"""By type: the one key of a Middleware's `spec`."""

OBJECTS: Mapping[str, Verdict] = {
    "TLSOption": Verdict("needs", "a look: versions and ciphers are the Gateway's own; client certificates cannot be asked for there"),
    "TLSStore": Verdict("needs", "its default certificate on the HTTPS listeners of the Gateway"),
    "ServersTransport": Verdict("needs", "a BackendTLSPolicy for HTTPS towards the pods; verification cannot be turned off"),
    "ServersTransportTCP": Verdict("impossible", "a LoadBalancer Service passes bytes on as they are"),
    "TraefikService": Verdict(
        "translated", "weights on the backends of the routes that use it; mirrors, failover and sticky sessions are not"
    ),
}
"""By kind."""


def middleware_type(spec: object) -> str | None:
    """The type of a Middleware; None where it has none, or several."""
    return next(iter(spec)) if isinstance(spec, dict) and len(spec) == 1 else None
