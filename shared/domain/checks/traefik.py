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
from shared.domain.nearness import Placed
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

ROUTERS = "/metadata/annotations/traefik.ingress.kubernetes.io~1router.middlewares"


class MiddlewareParams(Closed):
    """`unneeded` true: only Middlewares that routes of the run use, all of which are translated; false: all others."""

    unneeded: bool


@check("middleware", MiddlewareParams)
def middleware(obj: Mapping[str, Any], params: MiddlewareParams, facts: Facts) -> Iterator[Found]:
    """Fires at a Middleware that is, or is not, needed once the routes of the run are translated."""
    known = obj.get("kind") == "Middleware"
    translated, names = _use(str(get(obj, "/metadata/name")), _namespace(obj), facts) if known else (False, "")
    if translated is params.unneeded:
        yield Found("/kind", {"type": middleware_type(obj.get("spec")) or "unknown", "users": names})


def _use(name: str, namespace: str | None, facts: Facts) -> tuple[bool, str]:
    """Whether routes name a Middleware and all of them are translated, and which; one answer for all Middlewares of the name."""
    key = ("users of a Middleware", name, namespace)
    if key not in facts.kept:
        users = list(_users(name, namespace, facts, 0))
        names = dict.fromkeys(f"{u['kind']} {get(u, '/metadata/name')}" for _, u in users)
        facts.kept[key] = bool(users) and all(_translated(u, facts.view_of(file)) for file, u in users), ", ".join(names)
    found: tuple[bool, str] = facts.kept[key]
    return found


def _users(name: str, namespace: str | None, facts: Facts, depth: int) -> Iterator[Placed]:
    """The IngressRoutes and Ingresses of the run that name a Middleware, themselves or through a chain."""
    for file, route in facts.placed("IngressRoute"):
        routes = get(route, "/spec/routes")
        named = [m for r in routes if isinstance(r, dict) for m in r.get("middlewares") or ()] if isinstance(routes, list) else []
        if any(_names(m, _namespace(route), name, namespace) for m in named):
            yield file, route
    for file, ingress in facts.placed("Ingress"):
        given = get(ingress, ROUTERS)
        if isinstance(given, str) and f"{namespace or 'default'}-{name}@kubernetescrd" in [g.strip() for g in given.split(",")]:
            yield file, ingress
    for chain in facts.of_kind("Middleware") if depth < DEPTH_LIMIT else ():
        members = get(chain, "/spec/chain/middlewares")
        if isinstance(members, list) and any(_names(m, _namespace(chain), name, namespace) for m in members):
            yield from _users(str(get(chain, "/metadata/name")), _namespace(chain), facts, depth + 1)


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
