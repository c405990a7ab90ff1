"""What a kustomization takes from elsewhere, so that no rule has seen it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.kustomize_remote import foreign_bases, inflated_charts
from shared.domain.facts import Facts


@check("remote-base", Nothing)
def remote_base(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at every base, component, resource or patch that is not among the files of the run."""
    for found in foreign_bases(facts.asking, obj):
        yield Found(found.pointer, {"value": found.name, "why": found.why})


@check("inflated-chart", Nothing)
def inflated_chart(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at every chart that kustomize inflates."""
    for pointer, chart in inflated_charts(obj):
        yield Found(pointer, {"value": chart})
