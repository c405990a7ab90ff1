"""What the old controller did because of an Ingress's annotations, in terms an HTTPRoute can take up.

Facts: guide/aks_facts_source.md 1.4, 5.3, 5.8, 5.9. Three fates: translated; lost and said (tuning that a Gateway does not have); refused
(whatever guards the application or changes what is served, and anything this program does not know of that controller).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, Loss
from shared.domain.convert.edits import LAST_APPLIED, annotation_path, annotations_of, namespace_of
from shared.domain.convert.httproute import filter_of
from shared.domain.convert.ingress_controllers import ALB, CLASS_ANNOTATION, GCE, HAPROXY, NGINX, ROUTER, TRAEFIK, Controller
from shared.domain.convert.route_annotations import ALLOW_LISTS, gateway_timeouts, is_true, read_settings
from shared.domain.convert.traefik_middleware import Named
from shared.domain.model import Question

EXPOSURE = Question(
    "ingress.exposure", "The old load balancer was internal: shall the Gateway's address be public or internal?", "internal"
)
CAPTURED = re.compile(r"(/[^$]*?)?/?\$2")
NGINX_LOST = re.compile(
    r"(client-body-buffer-size|client-max-body-size|proxy-(body-size|buffering|buffers-number|buffer-size|busy-buffers-size|request-buffering"
    r"|connect-timeout|read-timeout|send-timeout|next-upstream.*|http-version|max-temp-file-size)|load-balance|upstream-hash-by.*|affinity.*"
    r"|session-cookie-.*|service-upstream|enable-access-log|enable-rewrite-log|http2-push-preload|connection-proxy-header|enable-open.*"
    r"|custom-http-errors|ssl-ciphers|ssl-prefer-server-ciphers|websocket-services|use-port-in-redirects)"
)
ALB_LOST = re.compile(
    r"(target-type|healthcheck-.*|success-codes|healthy-threshold-count|unhealthy-threshold-count|load-balancer-attributes|target-group-attributes"
    r"|tags|subnets|group\.(name|order)|load-balancer-name|ip-address-type|ssl-policy|backend-protocol-version|target-node-labels)"
)
TRAEFIK_IGNORED = ("router.rulesyntax", "router.observability.", "frontend-entry-points")
OPEN_LISTS = ("whitelist-source-range", "allowlist-source-range", "inbound-cidrs")
OTHER_NGINX = ("nginx.org/", "nginx.com/")
EVERYONE = ("0.0.0.0/0", "::/0")


@dataclass
class Settings:
    """How the Ingress was served. `plain`, `secure`: on which listeners a host with TLS answers; `tls_wanted`: TLS beyond spec.tls;
    `forced`: plain HTTP is redirected even where the Ingress has no TLS."""

    redirect: bool = False
    plain: bool = True
    secure: bool = True
    tls_wanted: bool = False
    forced: bool = False
    regex: bool = False
    full_rewrite: str | None = None
    capture_rewrite: str | None = None
    specific_path: str | None = None
    prefix_rewrite: str | None = None
    middlewares: list[Named] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    timeouts: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def lose(self, annotation: str, message: str) -> None:
        """Say that an annotation is lost."""
        self.losses.append(Loss(annotation_path(annotation), message))


def own_annotations(obj: Mapping[str, Any], controller: Controller) -> dict[str, str]:
    """The annotations that the old controller read."""
    return {k: v for k, v in annotations_of(obj).items() if k.startswith(controller.prefixes)} if controller.prefixes else {}


def dead_annotations(obj: Mapping[str, Any], controller: Controller) -> list[str]:
    """The annotations that go with the conversion."""
    dead = {CLASS_ANNOTATION, LAST_APPLIED, *own_annotations(obj, controller)}
    return [a for a in annotations_of(obj) if a in dead or (controller is GCE and a.startswith("kubernetes.io/ingress."))]


def read_annotations(obj: Mapping[str, Any], controller: Controller, lookup: Lookup) -> Settings:
    """Raises CannotConvert naming the annotation that has no equivalent."""
    settings = Settings(redirect=controller.redirects, plain=not controller.redirects)
    reader = _READERS.get(controller.name)
    if reader is None:
        _check_unknown(obj)
    else:
        reader(settings, obj, own_annotations(obj, controller), lookup)
    for name, value in annotations_of(obj).items():
        if re.match(r"(acme\.)?cert-?manager\.(io|k8s\.io)/", name) or name == "kubernetes.io/tls-acme":
            settings.lose(
                name, f"cert-manager must make the certificate for the Gateway now ({value}): annotate the Gateway, or keep a Certificate"
            )
        if name == "external-dns.alpha.kubernetes.io/target":
            settings.lose(name, "external-dns reads a target from the Gateway, not from its routes")
    return settings


def _check_unknown(obj: Mapping[str, Any]) -> None:
    """Of a controller that this program does not know, every annotation that may be its own is a refusal."""
    spec = obj.get("spec")
    named = (spec.get("ingressClassName") if isinstance(spec, Mapping) else None) or annotations_of(obj).get(CLASS_ANNOTATION)
    for name in annotations_of(obj):
        if name != CLASS_ANNOTATION and ("ingress" in name or name.startswith(OTHER_NGINX) or (isinstance(named, str) and named in name)):
            raise _refuse(name, "belongs to an ingress controller that this program does not know")


def _refuse(annotation: str, reason: str = "has no equivalent on a Gateway") -> CannotConvert:
    return CannotConvert(f"annotation {annotation} {reason}", path=annotation_path(annotation))


def _says_the_default(key: str, value: str) -> bool:
    """Whether an annotation asks for what happens anyway: plain HTTP to the pods, every client let in."""
    if key == "backend-protocol":
        return value.upper() in ("HTTP", "AUTO_HTTP")
    return key in OPEN_LISTS and all(v.strip() in EVERYONE for v in value.split(","))


def _nginx(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    del lookup
    for name in annotations_of(obj):
        if name.startswith(OTHER_NGINX):
            raise _refuse(name, "belongs to the controller of NGINX Inc, which is not ingress-nginx")
    for name, value in own.items():
        key = name.removeprefix(NGINX.prefixes[0])
        if key == "ssl-redirect":
            settings.redirect = is_true(value)
            settings.plain = not settings.redirect
        elif key == "use-regex":
            settings.regex = is_true(value)
        elif key == "rewrite-target":
            captured = CAPTURED.fullmatch(value)
            settings.capture_rewrite = (captured[1] or "/") if captured else None
            settings.full_rewrite = value if "$" not in value else None
            if captured is None and "$" in value:
                raise _refuse(name, "rewrites by captures that are no path prefix")
        elif _says_the_default(key, value):
            continue
        elif NGINX_LOST.fullmatch(key):
            settings.lose(name, f"{key} has no equivalent on a Gateway")
        elif key != "force-ssl-redirect":
            raise _refuse(name)
    force = NGINX.prefixes[0] + "force-ssl-redirect"
    if is_true(own.get(force)):
        settings.forced, settings.redirect, settings.plain = True, True, False


def _traefik(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    values = {k.removeprefix(TRAEFIK.prefixes[0]): v for k, v in own.items()}
    entries = {e.strip() for e in values.pop("router.entrypoints", "web,websecure").split(",")}
    if not entries <= {"web", "websecure"}:
        raise _refuse(TRAEFIK.prefixes[0] + "router.entrypoints", "names an entry point of its own, which the shared Gateway does not have")
    resolver = values.pop("router.tls.certresolver", None)
    tls = is_true(values.pop("router.tls", None)) or resolver is not None
    settings.secure, settings.plain = "websecure" in entries, "web" in entries and not tls
    settings.tls_wanted = tls or entries == {"websecure"}
    settings.specific_path = {"Path": "Exact", "PathPrefix": "PathPrefix"}.get(values.pop("router.pathmatcher", "PathPrefix"))
    settings.middlewares = [_middleware(m.strip(), obj, lookup) for m in values.pop("router.middlewares", "").split(",") if m.strip()]
    if settings.specific_path is None:
        raise _refuse(TRAEFIK.prefixes[0] + "router.pathmatcher")
    for key in values:
        if not key.startswith(TRAEFIK_IGNORED) and not re.match(r"router\.tls\.domains\.", key):
            raise _refuse(TRAEFIK.prefixes[0] + key)


def _middleware(reference: str, obj: Mapping[str, Any], lookup: Lookup) -> Named:
    """`<namespace>-<name>@kubernetescrd`, where either may hold hyphens: the Ingress's own namespace first, else the only one that fits."""
    joined, _, provider = reference.partition("@")
    own = namespace_of(obj) or "default"
    parts = joined.split("-")
    splits = [("-".join(parts[:i]), "-".join(parts[i:])) for i in range(1, len(parts))]
    found = [Named(namespace=ns, name=name) for ns, name in splits if lookup.exists("Middleware", ns, name)]
    if provider == "kubernetescrd" and joined.startswith(f"{own}-"):
        return Named(name=joined.removeprefix(f"{own}-"))
    if provider != "kubernetescrd" or len(found) != 1:
        raise _refuse(
            TRAEFIK.prefixes[0] + "router.middlewares",
            f"names {reference}, which is not a Middleware among the manifests: add it to them, or take its name out",
        )
    return found[0]


def _router(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    termination = own.get("route.openshift.io/termination", "edge")
    if termination != "edge":
        raise _refuse("route.openshift.io/termination", f"asks for {termination}, which the shared Gateway does not do")
    found = read_settings(annotations_of(obj), tls=True)
    if found.allow_list is not None:
        raise _refuse(next(a for a in ALLOW_LISTS if a in own), "lets only some client addresses in, which a Gateway cannot do per route")
    settings.prefix_rewrite = found.rewrite
    settings.timeouts = gateway_timeouts(found, lookup)
    settings.losses += found.losses
    if found.hsts:
        settings.filters.append(filter_of("ResponseHeaderModifier", {"set": [{"name": "Strict-Transport-Security", "value": found.hsts}]}))


def _alb(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    del obj
    values = {k.removeprefix(ALB.prefixes[0]): v for k, v in own.items()}
    if values.pop("scheme", "internal") != "internet-facing":
        _check_exposure(lookup)
    ports = values.pop("listen-ports", None)
    settings.redirect = values.pop("ssl-redirect", None) is not None
    settings.tls_wanted = values.pop("certificate-arn", None) is not None or "HTTPS" in _protocols(ports) or settings.redirect
    settings.plain = not settings.redirect and (not settings.tls_wanted or "HTTP" in _protocols(ports))
    for key, value in values.items():
        name = ALB.prefixes[0] + key
        if (key == "inbound-cidrs" and all(v.strip() in EVERYONE for v in value.split(","))) or (
            key == "backend-protocol" and value == "HTTP"
        ):
            continue
        if not ALB_LOST.fullmatch(key):
            raise _refuse(name)
        settings.lose(name, f"{key} is a setting of the AWS load balancer")


def _protocols(ports: str | None) -> set[str]:
    """The protocols of `listen-ports`. Raises CannotConvert for ports that the shared Gateway does not have."""
    try:
        parsed = json.loads(ports) if ports else []
        pairs = {(p, n) for entry in parsed for p, n in entry.items()}
    except (ValueError, AttributeError, TypeError):
        pairs = {("", 0)}
    if not pairs <= {("HTTP", 80), ("HTTPS", 443)}:
        raise _refuse(ALB.prefixes[0] + "listen-ports", "names ports that the shared Gateway does not have")
    return {p for p, _ in pairs}


def _gce(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    annotations = annotations_of(obj)
    if annotations.get(CLASS_ANNOTATION) == "gce-internal":
        _check_exposure(lookup)
    certificates = ("ingress.gcp.kubernetes.io/pre-shared-cert", "networking.gke.io/managed-certificates")
    settings.tls_wanted = any(c in own for c in certificates)
    settings.plain = annotations.get("kubernetes.io/ingress.allow-http") != "false"
    for name in own:
        if name not in certificates:
            raise _refuse(name)
    for name in ("kubernetes.io/ingress.global-static-ip-name", "kubernetes.io/ingress.regional-static-ip-name"):
        if name in annotations:
            settings.lose(name, "the reserved address stays at Google: the Gateway gets another")


def _haproxy(settings: Settings, obj: Mapping[str, Any], own: Mapping[str, str], lookup: Lookup) -> None:
    del obj, lookup
    for name, value in own.items():
        if name.removeprefix(next(p for p in HAPROXY.prefixes if name.startswith(p))) != "ssl-redirect":
            raise _refuse(name)
        settings.redirect = is_true(value)
        settings.plain = not settings.redirect


def _check_exposure(lookup: Lookup) -> None:
    if lookup.decision(EXPOSURE.key) not in ("public", "internal"):
        raise CannotConvert("the old load balancer was internal, and the Gateway would get a public address", EXPOSURE)


Reader = Callable[[Settings, Mapping[str, Any], Mapping[str, str], Lookup], None]
_READERS: Mapping[str, Reader] = {
    NGINX.name: _nginx, TRAEFIK.name: _traefik, ROUTER.name: _router, ALB.name: _alb, GCE.name: _gce, HAPROXY.name: _haproxy,
}  # fmt: skip
