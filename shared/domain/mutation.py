"""What AKS makes of a workload under Deployment Safeguards at the level Enforce: requests and limits, and the spread over nodes.

Source: learn.microsoft.com/azure/aks/deployment-safeguards, "Resource requests mutator" and "Anti-affinity and topology spread mutator"
(2026-06-02); DaemonSets and Jobs get requests as well since 2026-06-19.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.paths import pod_metadata
from shared.domain.pointer import get
from shared.domain.quantities import quantity

DEFAULTS = {"cpu": "500m", "memory": "2048Mi"}
MINIMUM = {"cpu": "100m", "memory": "100Mi"}
HOST = "kubernetes.io/hostname"
FALLBACK_LABEL = "default-antiaffinity-applabel"
WEIGHT = 100

Amounts = dict[str, Any]


def mutated_amounts(resources: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(`requests` or `limits`, `cpu` or `memory`, new value) of every amount that AKS sets or changes.

    An amount that cannot be read (`${VAR}`) leaves its kind of resource alone.
    """
    for name in DEFAULTS:
        given = {part: _given(resources, part, name) for part in ("requests", "limits")}
        if any(value is not None and quantity(value) is None for value in given.values()):
            continue
        for part, value in _mutated(name, given).items():
            if value != given[part]:
                yield part, name, value


def _given(resources: Mapping[str, Any], part: str, name: str) -> Any:
    amounts = resources.get(part)
    return amounts.get(name) if isinstance(amounts, dict) else None


def _mutated(name: str, given: Amounts) -> Amounts:
    request, limit = (_raised(name, given[part]) for part in ("requests", "limits"))
    if request is None and limit is None:
        return dict.fromkeys(given, DEFAULTS[name])
    if name == "cpu":
        request, limit = limit if request is None else request, request if limit is None else limit
    if _more(request, limit):
        request = limit
    return {"requests": request, "limits": limit}


def _raised(name: str, value: Any) -> Any:
    return MINIMUM[name] if _more(MINIMUM[name], value) else value


def _more(one: Any, other: Any) -> bool:
    amounts = quantity(one), quantity(other)
    return amounts[0] is not None and amounts[1] is not None and amounts[0] > amounts[1]


def spread_label(obj: Mapping[str, Any]) -> tuple[str, str] | None:
    """The label by which AKS tells a workload's pods apart: `app`, else `app.kubernetes.io/name`, else one that it adds."""
    labels = get(obj, f"{pod_metadata(obj)}/labels")
    for key in ("app", "app.kubernetes.io/name"):
        if isinstance(labels, dict) and isinstance(labels.get(key), str) and labels[key]:
            return key, labels[key]
    name = get(obj, "/metadata/name")
    return (FALLBACK_LABEL, name) if isinstance(name, str) and name else None


def anti_affinity(label: tuple[str, str]) -> dict[str, Any]:
    """The podAntiAffinity that AKS adds."""
    term = {"labelSelector": {"matchLabels": dict([label])}, "topologyKey": HOST}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": WEIGHT, "podAffinityTerm": term}]}


def topology_spread(label: tuple[str, str]) -> list[dict[str, Any]]:
    """The topologySpreadConstraints that AKS adds."""
    selector = {"matchLabels": dict([label])}
    return [{"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}]
