"""Middlewares of Traefik, and whether every route that uses them is translated: then nothing needs them any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import INGRESS_CLASS_ANNOTATION, ingress_class_exists
from shared.domain.convert.base import CannotConvert
from shared.domain.convert.registry import CONVERSIONS
from shared.domain.convert.traefik_middleware import DEPTH_LIMIT
from shared.domain.convert.traefik_verdicts import middleware_type
from shared.domain.facts import Facts
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

ROUTERS = "/metadata/annotations/traefik.ingress.kubernetes.io~1router.middlewares"


class MiddlewareParams(Closed):
    """`unneeded` true: only Middlewares that routes of the run use, all of which are translated; false: all others."""

    unneeded: bool


@check("middleware", MiddlewareParams)
def middleware(obj: Mapping[str, Any], params: MiddlewareParams, facts: Facts) -> Iterator[Found]:
    """Fires at a Middleware that is, or is not, needed once the routes of the run are translated."""
    users = list(_users(obj, facts, 0)) if obj.get("kind") == "Middleware" else []
    if (bool(users) and all(_translated(u, facts) for u in users)) is params.unneeded:
        names = dict.fromkeys(f"{u['kind']} {get(u, '/metadata/name')}" for u in users)
        yield Found("/kind", {"type": middleware_type(obj.get("spec")) or "unknown", "users": ", ".join(names)})


def _users(obj: Mapping[str, Any], facts: Facts, depth: int) -> Iterator[Mapping[str, Any]]:
    """The IngressRoutes and Ingresses of the run that name a Middleware, themselves or through a chain."""
    name, namespace = get(obj, "/metadata/name"), _namespace(obj)
    for route in facts.of_kind("IngressRoute"):
        routes = get(route, "/spec/routes")
        named = [m for r in routes if isinstance(r, dict) for m in r.get("middlewares") or ()] if isinstance(routes, list) else []
        if any(_names(m, _namespace(route), name, namespace) for m in named):
            yield route
    for ingress in facts.of_kind("Ingress"):
        given = get(ingress, ROUTERS)
        if isinstance(given, str) and f"{namespace or 'default'}-{name}@kubernetescrd" in [g.strip() for g in given.split(",")]:
            yield ingress
    for chain in facts.of_kind("Middleware") if depth < DEPTH_LIMIT else ():
        members = get(chain, "/spec/chain/middlewares")
        if isinstance(members, list) and any(_names(m, _namespace(chain), name, namespace) for m in members):
            yield from _users(chain, facts, depth + 1)


def _names(reference: object, own: str | None, name: object, namespace: str | None) -> bool:
    return isinstance(reference, dict) and reference.get("name") == name and (reference.get("namespace") or own) == namespace


def _namespace(obj: Mapping[str, Any]) -> str | None:
    found = get(obj, "/metadata/namespace")
    return found if isinstance(found, str) else None


def _translated(user: Mapping[str, Any], facts: Facts) -> bool:
    if user["kind"] == "Ingress" and any(
        isinstance(c := get(user, p), str) and ingress_class_exists(c, facts) for p in (INGRESS_CLASS_ANNOTATION, "/spec/ingressClassName")
    ):
        return False
    try:
        CONVERSIONS["ingress-route" if user["kind"] == "IngressRoute" else "ingress"](dict(user), facts)
    except CannotConvert:
        return False
    return True
