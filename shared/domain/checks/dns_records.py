"""external-dns: while both clusters live, each takes the records of its owner id for its own and deletes what it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.chart_values import leaves
from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.paths import containers
from shared.domain.pointer import get

PROGRAM = "external-dns"
CHARTS = ("/spec/chart/spec/chart", "/spec/source/chart", "/spec/chart")
OWNER, PROVIDER = "--txt-owner-id=", "--provider="
DEFAULT_OWNER = "default"
"""What external-dns takes where it is told none."""


@check("external-dns", Nothing)
def external_dns(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires where external-dns is installed, as pods or as a chart. Fields: its `owner` id and `provider`."""
    for place, container in containers(obj):
        image = container.get("image")
        if isinstance(image, str) and image.split("@")[0].split("/")[-1].partition(":")[0] == PROGRAM:
            yield Found(
                f"{place}/image", {"owner": _flag(container, OWNER) or DEFAULT_OWNER, "provider": _flag(container, PROVIDER) or "none"}
            )
    for path in CHARTS:
        chart = get(obj, path)
        if isinstance(chart, str) and chart.split("/")[-1] == PROGRAM:
            yield Found(
                path, {"owner": _setting(obj, "txtOwnerId") or DEFAULT_OWNER, "provider": _setting(obj, "provider") or "of the chart"}
            )


def _flag(container: Mapping[str, Any], flag: str) -> str | None:
    given = [container.get(field) for field in ("command", "args")]
    words = [w for words in given if isinstance(words, list) for w in words if isinstance(w, str)]
    return next((w.removeprefix(flag) for w in words if w.startswith(flag)), None)


def _setting(obj: Mapping[str, Any], name: str) -> str | None:
    """A setting of the chart at its top: `provider` is a text, or since version 1.14 a mapping with a name."""
    for leaf in leaves(obj):
        if leaf.names in ((name,), (name, "name")) and isinstance(leaf.value, str):
            return leaf.value
    return None
