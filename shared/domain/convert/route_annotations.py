"""What the OpenShift router's annotations become on a Gateway or on an Ingress of the application routing add-on.

Facts: guide/aks_facts_source.md 1.4 (the complete list of the 2026-08 router; the router ignored anything else with these prefixes, so
dropping the rest loses nothing). Annotations that guard the application are never dropped: the conversion is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.convert.base import CannotConvert, Lookup, Loss
from shared.domain.convert.durations import gateway_duration, haproxy_milliseconds
from shared.domain.convert.edits import LAST_APPLIED, annotation_path, is_opaque
from shared.domain.convert.gateway_classes import reads_timeouts

HAPROXY = "haproxy.router.openshift.io/"
NGINX = "nginx.ingress.kubernetes.io/"
TIMEOUT, REWRITE, HSTS, COOKIES = (HAPROXY + n for n in ("timeout", "rewrite-target", "hsts_header", "disable_cookies"))
ALLOW_LISTS = (HAPROXY + "ip_allowlist", HAPROXY + "ip_whitelist")
RATE_LIMIT = HAPROXY + "rate-limit-connections"
COOKIE_NAME = "router.openshift.io/cookie_name"
TLS_ACME = "kubernetes.io/tls-acme"
TLS_SECRET = "cert-utils-operator.redhat-cop.io/certs-from-secret"  # noqa: S105 (an annotation's name)
GENERATED = "openshift.io/host.generated"
DEAD = ("haproxy.router.openshift.io/", "router.openshift.io/", "route.openshift.io/", "console.alpha.openshift.io/",
        "template.openshift.io/expose-", "cert-utils-operator.redhat-cop.io/", GENERATED, LAST_APPLIED, TLS_ACME)  # fmt: skip
LOST = {
    HAPROXY + "timeout-tunnel": "the idle time of web sockets and tunnels has no equivalent on this target",
    HAPROXY + "balance": "the balancing algorithm cannot be chosen per route on this target",
    HAPROXY + "set-forwarded-headers": "how Forwarded headers are set cannot be chosen per route: the Gateway appends",
    HAPROXY + "pod-concurrent-connections": "the limit of connections per pod has no equivalent on this target",
    HAPROXY + "h1-adjust-case": "header case is not adjusted for old servers on this target",
    "router.openshift.io/haproxy.health.check.interval": "the router's own health check is gone: the pods need a readinessProbe",
    "router.openshift.io/cookie-same-site": "there are no session cookies on this target",
    COOKIE_NAME: "clients are no longer kept on one pod by the cookie asked for: replicas must share their sessions",
    TLS_ACME: "the certificate was requested by this annotation: cert-manager must be told on the Gateway",
}
HARMLESS = {HAPROXY + "set-forwarded-headers": "append"}


@dataclass
class RouterSettings:
    """The annotations that count, read; times in milliseconds."""

    timeout: int | None = None
    timeout_text: str = ""
    rewrite: str | None = None
    hsts: str | None = None
    tls_secret: str | None = None
    allow_list: str | None = None
    allowed_by: str = ALLOW_LISTS[0]
    """The annotation that holds the allow list."""
    losses: list[Loss] = field(default_factory=list)


def is_true(text: str | None) -> bool:
    """Go's strconv.ParseBool."""
    return text in ("1", "t", "T", "true", "TRUE", "True")


def dead_annotations(annotations: Mapping[str, str]) -> list[str]:
    """The annotations that mean nothing outside OpenShift."""
    return [a for a in annotations if a.startswith(DEAD)]


def read_settings(annotations: Mapping[str, str], *, tls: bool) -> RouterSettings:
    """What the router did because of the annotations. Raises CannotConvert for what guards the application and has no equivalent."""
    found = RouterSettings(rewrite=annotations.get(REWRITE), tls_secret=annotations.get(TLS_SECRET))
    if is_true(annotations.get(RATE_LIMIT)):
        raise CannotConvert(
            "the Route limits the rate per client, which has no equivalent on this target", path=annotation_path(RATE_LIMIT)
        )
    for name in reversed(ALLOW_LISTS):
        if annotations.get(name, "").strip():
            found.allow_list, found.allowed_by = annotations[name], name
    found.hsts = annotations.get(HSTS) if tls else None
    found.losses = _losses(annotations)
    _read_timeout(found, annotations)
    return found


def check_open(settings: RouterSettings) -> None:
    """Raises CannotConvert where the router let only some clients in: no route of a Gateway does so."""
    if settings.allow_list is not None:
        reason = "the Route lets only some client addresses in, which a Gateway cannot do per route: anyone could come in"
        raise CannotConvert(reason, path=annotation_path(settings.allowed_by))


def networks(settings: RouterSettings) -> list[str]:
    """The entries of the allow list as networks. Raises CannotConvert for what is none: the router passed over it."""
    try:
        return [str(ipaddress.ip_network(entry, strict=False)) for entry in (settings.allow_list or "").split()]
    except ValueError as error:
        raise CannotConvert("an entry of the allow list is no network", path=annotation_path(settings.allowed_by)) from error


def _losses(annotations: Mapping[str, str]) -> list[Loss]:
    losses = [Loss(annotation_path(a), text) for a, text in LOST.items() if a in annotations and annotations[a] != HARMLESS.get(a)]
    if COOKIE_NAME not in annotations and not is_true(annotations.get(COOKIES)):
        losses.append(Loss("", "the router kept a client on one pod by a cookie (its default); nothing does so on this target"))
    return losses


def _read_timeout(found: RouterSettings, annotations: Mapping[str, str]) -> None:
    text = annotations.get(TIMEOUT)
    if text is None:
        return
    if is_opaque(text):
        raise CannotConvert("the timeout is filled in later and cannot be translated", path=annotation_path(TIMEOUT))
    found.timeout, found.timeout_text = haproxy_milliseconds(text), text.strip()
    if found.timeout is None:
        found.losses.append(Loss(annotation_path(TIMEOUT), f"{text!r} is no time the router understood: it was ignored and is removed"))


def gateway_timeouts(settings: RouterSettings, lookup: Lookup) -> dict[str, str]:
    """`rules[].timeouts` of an HTTPRoute; adds the loss that the meaning of the time brings."""
    if settings.timeout is None:
        return {}
    if not reads_timeouts(lookup):
        settings.losses.append(Loss(annotation_path(TIMEOUT), "the target's class reads times from a RoutePolicy only: write one"))
        return {}
    text = "the router's time without an answer became the limit of the whole request: long downloads and web sockets end then"
    settings.losses.append(Loss(annotation_path(TIMEOUT), text))
    return {"request": gateway_duration(settings.timeout, settings.timeout_text)}


def nginx_annotations(settings: RouterSettings) -> dict[str, str]:
    """The same settings in the words of ingress-nginx. Raises CannotConvert for a rewrite, which needs a regular expression there."""
    if settings.rewrite is not None:
        raise CannotConvert("a rewrite needs a regular expression on an Ingress", path=annotation_path(REWRITE))
    if settings.hsts is not None:
        settings.losses.append(Loss(annotation_path(HSTS), "HSTS is a setting of the whole ingress controller"))
    found: dict[str, str] = {}
    if settings.timeout is not None:
        seconds = str(-(-settings.timeout // 1000))
        found |= {NGINX + "proxy-read-timeout": seconds, NGINX + "proxy-send-timeout": seconds}
    if settings.allow_list is not None:
        found[NGINX + "whitelist-source-range"] = ",".join(settings.allow_list.split())
        settings.losses.append(Loss("", "the allow list sees client addresses only with externalTrafficPolicy: Local on the controller"))
    return found
