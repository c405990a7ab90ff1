"""Volume snapshots: they lie in the storage of the cluster that took them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.claims import CLAIMS
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.model import ResourceRef
from shared.domain.paths import expand
from shared.domain.pointer import child, get

SOURCES = ("dataSource", "dataSourceRef")
DRIVERS = ("/driver", "/spec/driver")


@check("claim-from-a-snapshot", Nothing)
def claim_from_a_snapshot(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires where a claim is filled from a VolumeSnapshot that the run does not take anew, of a claim on the target."""
    places = ["/spec"] if obj["kind"] == "PersistentVolumeClaim" else [p for pattern in CLAIMS for p in expand(obj, pattern)]
    for place in places:
        for path in (child(place, key) for key in SOURCES):
            source = get(obj, path)
            name = source.get("name") if isinstance(source, dict) and source.get("kind") == "VolumeSnapshot" else None
            if isinstance(name, str) and not opaque(name) and not _taken_anew(name, ResourceRef.of(obj).namespace, facts):
                yield Found(path, {"value": name})
                break


@check("foreign-snapshot-driver", Nothing)
def foreign_snapshot_driver(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at the driver of a snapshot class or content that the target does not run."""
    for path in DRIVERS:
        driver = get(obj, path)
        if isinstance(driver, str) and not opaque(driver) and driver not in facts.typed_target.provisioners:
            yield Found(path, {"value": driver})


def _taken_anew(name: str, namespace: str | None, facts: Facts) -> bool:
    own = facts.find("VolumeSnapshot", namespace, name)
    return own is not None and isinstance(get(own, "/spec/source/persistentVolumeClaimName"), str)
