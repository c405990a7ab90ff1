"""Volume snapshots: they lie in the storage of the cluster that took them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.claims import CLAIMS
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.model import ResourceRef
from shared.domain.paths import expand
from shared.domain.pointer import child, get
from shared.domain.rulebook import Closed

SOURCES = ("dataSource", "dataSourceRef")
DRIVERS = ("/driver", "/spec/driver")
SNAPSHOT_CLASS = "/spec/volumeSnapshotClassName"


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


class SnapshotParams(Closed):
    """Globs of the class names that the sources' drivers give: such a class is foreign where the run does not bring it."""

    classes: tuple[str, ...]


@check("foreign-snapshot", SnapshotParams)
def foreign_snapshot(obj: Mapping[str, Any], params: SnapshotParams, facts: Facts) -> Iterator[Found]:
    """Fires at the driver that the target does not run, of a snapshot class or content, or of the class that a snapshot names."""
    for path in DRIVERS:
        driver = get(obj, path)
        if isinstance(driver, str) and not opaque(driver) and driver not in facts.typed_target.provisioners:
            yield Found(path, {"value": driver})
    name = get(obj, SNAPSHOT_CLASS)
    if obj["kind"] == "VolumeSnapshot" and isinstance(name, str) and not opaque(name):
        own = facts.find("VolumeSnapshotClass", None, name)
        foreign = own.get("driver") not in facts.typed_target.provisioners if own else any(map(partial(fnmatchcase, name), params.classes))
        if foreign:
            yield Found(SNAPSHOT_CLASS, {"value": name})


def _taken_anew(name: str, namespace: str | None, facts: Facts) -> bool:
    own = facts.find("VolumeSnapshot", namespace, name)
    return own is not None and isinstance(get(own, "/spec/source/persistentVolumeClaimName"), str)
