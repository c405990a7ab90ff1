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


@check("container-resources", Nothing, needs_whole=True)
def container_resources(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires once per container that leaves out a CPU request, a memory request or a memory limit."""
    for path, container in containers(obj):
        resources = container.get("resources")
        if "/ephemeralContainers/" in path or (resources is not None and not isinstance(resources, dict)):
            continue
        missing = [w[1:].replace("/", ".") for w in WANTED if not _given(resources or {}, w)]
        if missing:
            name = container.get("name")
            yield Found(f"{path}/resources", {"value": ", ".join(missing), "container": name if isinstance(name, str) else "?"})


def _given(resources: Mapping[str, Any], wanted: str) -> bool:
    """A limit without a request counts as the request too: the API server copies it."""
    return get(resources, wanted) is not MISSING or get(resources, wanted.replace("/requests/", "/limits/")) is not MISSING
