"""TraefikService, weighted: the Services and weights that a route takes up in its place.

Facts: guide/aks_facts_source.md 5.3. Weights of one TraefikService are exact on an HTTPRoute; beside other services they would mix with
theirs, and mirrors, failover and nesting have no counterpart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from shared.domain.convert.base import CannotConvert, Lookup
from shared.domain.convert.forms import Form, read_form
from shared.domain.convert.ingress_route_form import Service


class Weighted(Form):
    """`spec.weighted`."""

    services: list[Service] = Field(min_length=1)
    sticky: dict[str, Any] | None = None


def weighted_services(services: Sequence[Service], namespace: str | None, path: str, lookup: Lookup) -> list[Service]:
    """A route's services, a weighted TraefikService of the run replaced by its own. Raises CannotConvert where that is not exact.

    The cookie of the whole stands with the first, so that its loss is told once.
    """
    if all(s.kind != "TraefikService" or "@" in s.name for s in services):
        return list(services)
    only = services[0]
    if len(services) > 1:
        raise CannotConvert(f"{path} mixes a TraefikService with other services, whose weights do not add up exactly", path=path)
    found = lookup.find("TraefikService", only.namespace or namespace, only.name)
    spec = found.get("spec") if found else None
    if not isinstance(spec, dict) or set(spec) != {"weighted"}:
        kind = ", ".join(sorted(spec)) if isinstance(spec, dict) else "not among the manifests"
        raise CannotConvert(f"TraefikService {only.name} ({kind}) has no counterpart on a Gateway", path=path)
    weighted = read_form(Weighted, spec["weighted"], path)
    if any(s.kind != "Service" for s in weighted.services):
        raise CannotConvert(f"TraefikService {only.name} names another TraefikService", path=path)
    first, *others = weighted.services
    first = first.model_copy(update={"sticky": weighted.sticky or only.sticky or first.sticky})
    return [s.model_copy(update={"namespace": s.namespace or only.namespace}) for s in (first, *others)]
