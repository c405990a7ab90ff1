"""Checks of PodSpecs that one path cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.paths import containers
from shared.domain.pointer import MISSING, get

WANTED = ("/requests/cpu", "/requests/memory", "/limits/memory")
AMOUNTS_KEY = "resources.default"
"""The Decision about requests and limits of containers that set none."""


@check("container-resources", Nothing, needs_whole=True)
def container_resources(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires once per container that leaves out a CPU or a memory request; a memory limit that is missing too is named with them.

    Where AKS sets what is missing (the level Enforce), only if a Decision gives other amounts.
    """
    if facts.enforcement.safeguards == "enforce" and facts.decision(AMOUNTS_KEY) is None:
        return
    for path, container in containers(obj):
        resources = container.get("resources")
        if "/ephemeralContainers/" in path or (resources is not None and not isinstance(resources, dict)):
            continue
        missing = missing_amounts(resources or {})
        if missing:
            name = container.get("name")
            yield Found(f"{path}/resources", {"value": ", ".join(missing), "container": name if isinstance(name, str) else "?"})


def missing_amounts(resources: Mapping[str, Any]) -> list[str]:
    """`requests.cpu` and the like that are to be added; [] where no request is missing.

    A limit without a request counts as the request too: the API server copies it.
    """
    missing = [w[1:].replace("/", ".") for w in WANTED if not _given(resources, w)]
    return missing if any(m.startswith("requests.") for m in missing) else []


def _given(resources: Mapping[str, Any], wanted: str) -> bool:
    amounts = get(resources, wanted), get(resources, wanted.replace("/requests/", "/limits/"))
    return any(amount is not MISSING and amount is not None for amount in amounts)
