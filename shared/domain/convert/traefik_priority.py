"""Whether a Gateway chooses between the routes of an IngressRoute as Traefik did.

Facts: guide/aks_facts_source.md 5.3: Traefik takes the route of the highest priority (the length of the rule's text where none is
written); a Gateway the most specific match.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from shared.domain.convert.base import CannotConvert
from shared.domain.convert.ingress_route_form import Route
from shared.domain.convert.traefik_rule import Alternative


def priority(route: Route) -> int:
    """Traefik's: the one written, else the length of the rule's text."""
    return route.priority or len(route.match)


def check_priorities(routes: Sequence[tuple[Route, list[Alternative]]]) -> None:
    """Raises CannotConvert where a request that two routes match would go to the other one on a Gateway."""
    for (a, left), (b, right) in itertools.combinations(routes, 2):
        first, second = (left, right) if priority(a) >= priority(b) else (right, left)
        for x, y in itertools.product(first, second):
            if priority(a) != priority(b) and x.host == y.host and _overlap(x, y) and _precedence(x) < _precedence(y):
                raise CannotConvert("Traefik's priorities choose between routes otherwise than a Gateway does", path="/spec/routes")


def _precedence(item: Alternative) -> tuple[bool, int, bool, int, int]:
    """Gateway API: exact path, then the longest prefix, then method, then the number of headers and query parameters."""
    match = item.match
    path = match.get("path") or {"type": "PathPrefix", "value": "/"}
    return (
        path["type"] == "Exact",
        len(path["value"].rstrip("/")),
        "method" in match,
        len(match.get("headers", ())),
        len(match.get("queryParams", ())),
    )


def _overlap(x: Alternative, y: Alternative) -> bool:
    methods = {x.match.get("method"), y.match.get("method")} - {None}
    a, b = ((m.match.get("path") or {"type": "PathPrefix", "value": "/"}) for m in (x, y))
    short, long = sorted((a, b), key=lambda p: len(p["value"]))
    if short["type"] == "Exact" and short["value"] != long["value"]:
        return False
    return len(methods) < 2 and (long["value"] + "/").startswith(short["value"].rstrip("/") + "/")
