"""HTTP routes: ASP.NET templates such as ``api/runs/{*rest}`` turned into expressions, tried most specific first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from funchost.errors import ConfigurationError

_SEGMENT = re.compile(r"^(?:\{(\*{0,2})([A-Za-z_][A-Za-z0-9_]*)(?::(int|alpha))?(\?)?\}|([^{}]+))$")
_CONSTRAINTS = {"int": r"-?\d+", "alpha": r"[A-Za-z]+", None: r"[^/]+"}
_RESERVED = ("admin", "runtime")


@dataclass(frozen=True)
class Route:
    """One function's route; ``rank`` sorts literal before parameter before catch-all."""

    function: str
    methods: frozenset[str]
    auth_level: str
    expression: re.Pattern[str]
    rank: tuple[int, ...]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route parameters of a request, or None; a missing optional one is left out."""
        if self.methods and method not in self.methods:
            return None
        found = self.expression.fullmatch(path.strip("/"))
        return None if found is None else {name[2:]: value for name, value in found.groupdict().items() if value}


def make_route(function: str, template: str, prefix: str, methods: Sequence[str], auth_level: str) -> Route:
    """A route for ``function``; raises ConfigurationError for what this host does not parse or may not serve."""
    path = "/".join(part for part in (prefix.strip("/"), template.strip("/")) if part)
    segments = path.split("/") if path else []
    if segments and segments[0].lower() in _RESERVED:
        raise ConfigurationError(f"function {function}: routes under /{segments[0]} belong to the host")
    expression, rank = "", []
    for position, segment in enumerate(segments):
        part, weight = _segment(function, segment, last=position == len(segments) - 1, first=position == 0)
        expression += part
        rank.append(weight)
    if auth_level.lower() not in {"anonymous", "function", "admin"}:
        raise ConfigurationError(f"function {function}: auth level {auth_level!r} is not served by this host")
    return Route(function, frozenset(m.upper() for m in methods), auth_level.lower(), re.compile(expression, re.IGNORECASE), tuple(rank))


def sort_routes(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Most specific first; raises ConfigurationError when two functions claim the same method and path."""
    seen: dict[tuple[str, str], str] = {}
    for route in routes:
        for method in route.methods or {"*"}:
            other = seen.setdefault((method, route.expression.pattern.lower()), route.function)
            if other != route.function:
                raise ConfigurationError(f"functions {other} and {route.function} have the same route and method")
    return tuple(sorted(routes, key=lambda route: route.rank))


def _segment(function: str, segment: str, *, last: bool, first: bool) -> tuple[str, int]:
    found = _SEGMENT.match(segment)
    if found is None:
        raise ConfigurationError(f"function {function}: route segment {segment!r} is not served by this host")
    stars, name, constraint, optional, literal = found.groups()
    slash = "" if first else "/"
    if literal is not None:
        return slash + re.escape(literal), 0
    group = f"(?P<p_{name}>"
    if stars:
        if not last:
            raise ConfigurationError(f"function {function}: a catch-all {segment!r} must be the last segment")
        return f"(?:{slash}{group}.*))?", 3
    if optional and not last:
        raise ConfigurationError(f"function {function}: an optional {segment!r} must be the last segment")
    part = f"{slash}{group}{_CONSTRAINTS[constraint]})"
    return (f"(?:{part})?", 2) if optional else (part, 1 if constraint else 2)
