"""Ingress that stays an Ingress, of the target's own class: what the old controller did is said in the words of the new one.

Facts: guide/aks_facts_target.md 2.4 (the application routing add-on runs ingress-nginx, without snippets) and the controllers' defaults:
ingress-nginx redirects a host with TLS, Traefik and the cloud load balancers serve it on both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.edits import annotation_path, annotations_of, metadata, without_annotations
from shared.domain.convert.gateway_classes import class_of, like_nginx
from shared.domain.convert.ingress_controllers import CLASS_ANNOTATION, NGINX, ROUTER, UNKNOWN, Controller
from shared.domain.convert.ingress_form import IngressSpec
from shared.domain.convert.ingress_rules import EXACT, Builder, HostRules
from shared.domain.convert.ingress_settings import Settings, own_annotations, read_annotations
from shared.domain.convert.route_annotations import TIMEOUT

REDIRECT = f"{NGINX.prefixes[0]}ssl-redirect"
UNREAD = "the target's controller does not read this annotation"
NOT_KNOWN = "whether the old controller redirected plain HTTP to HTTPS is not known: both are served now"


def reclass(obj: dict[str, Any], spec: IngressSpec, controller: Controller, lookup: Lookup) -> Conversion:
    """The same Ingress in the target's class. Raises CannotConvert for what only the old controller could do."""
    as_nginx = like_nginx(lookup)
    if controller is NGINX:
        _check_nginx(obj, as_nginx=as_nginx)
        return Conversion(tuple(_class(obj, lookup, {})))
    settings = read_annotations(obj, controller, lookup)
    if settings.middlewares or settings.filters or settings.prefix_rewrite:
        raise CannotConvert(f"what {controller.name} was told by annotations must be said anew for the target's controller")
    builder = Builder(obj, spec, settings, controller, lookup)
    hosts = builder.hosts()
    _check_certificates(builder, hosts)
    secure = any(h.secret for h in hosts)
    added = {REDIRECT: "false"} if secure and settings.plain and as_nginx else {}
    losses = [*_annotation_losses(obj, controller, settings), *builder.losses, *_redirect_losses(settings, controller, secure=secure)]
    return Conversion((*_paths(spec, builder), *_class(obj, lookup, added)), losses=tuple(dict.fromkeys(losses)))


def _check_nginx(obj: Mapping[str, Any], *, as_nginx: bool) -> None:
    own = own_annotations(obj, NGINX)
    for name in own:
        if name.endswith("-snippet"):
            raise CannotConvert(f"annotation {name} is a snippet, which AKS does not allow", path=annotation_path(name))
    if own and not as_nginx:
        raise CannotConvert("what ingress-nginx was told by annotations must be said anew for the target's controller")


def _check_certificates(builder: Builder, hosts: list[HostRules]) -> None:
    """TLS that only an annotation of the old controller asked for has no place in the Ingress yet."""
    named = {t.secret_name for t in builder.spec.tls or ()}
    lost = [h.host or "every host" for h in hosts if h.secret is not None and h.secret not in named]
    if lost:
        raise CannotConvert(f"the certificate of {lost[0]} must stand in spec.tls, where the target's controller looks", path="/spec")


def _paths(spec: IngressSpec, builder: Builder) -> list[Op]:
    """Paths as the old controller read them, in words that every controller reads alike."""
    operations: list[Op] = []
    for i, rule in enumerate(spec.rules or ()):
        for j, item in enumerate(rule.http.paths if rule.http else ()):
            place = f"/spec/rules/{i}/http/paths/{j}"
            kind, value = builder.match(item, place)
            wanted = "Exact" if kind == EXACT else "Prefix"
            if item.path_type != wanted:
                operations.append(Op("replace", f"{place}/pathType", wanted))
            if (item.path or "/") != value:
                operations.append(Op("replace" if item.path is not None else "add", f"{place}/path", value))
    return operations


def _class(obj: Mapping[str, Any], lookup: Lookup, added: Mapping[str, str]) -> list[Op]:
    """The class, and new annotations; the old annotation of the class goes."""
    operations = [Op("replace" if "ingressClassName" in obj["spec"] else "add", "/spec/ingressClassName", class_of(lookup))]
    if not added:
        return [*operations, *without_annotations(obj, [CLASS_ANNOTATION])]
    there = annotations_of(obj)
    if not there.keys() - {CLASS_ANNOTATION}:
        return [*operations, Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", dict(added))]
    operations += [Op("replace" if k in there else "add", annotation_path(k), v) for k, v in added.items()]
    return [*operations, *without_annotations(obj, [CLASS_ANNOTATION])]


def _annotation_losses(obj: Mapping[str, Any], controller: Controller, settings: Settings) -> list[Loss]:
    """What the new controller does not read; what cert-manager and external-dns are told of a Gateway is no loss on an Ingress."""
    theirs = {annotation_path(a) for a in own_annotations(obj, controller)} - {annotation_path(TIMEOUT)}
    known = [x for x in settings.losses if x.path in theirs]
    own = [a for a in own_annotations(obj, controller) if controller is not ROUTER or a == TIMEOUT]
    said = {x.path for x in known}
    return [*known, *(Loss(annotation_path(a), UNREAD) for a in own if annotation_path(a) not in said)]


def _redirect_losses(settings: Settings, controller: Controller, *, secure: bool) -> list[Loss]:
    if secure and controller is UNKNOWN:
        return [Loss("/spec/tls", NOT_KNOWN)]
    if secure and not settings.plain and not settings.redirect:
        return [Loss("/spec/tls", "plain HTTP was not served; the Ingress redirects it with 308")]
    return []
