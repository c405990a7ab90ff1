"""Claims for several nodes that would get a disk, which AKS attaches to one node only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, patching
from shared.domain.checks.cluster import CLASS_ANNOTATION, Nothing
from shared.domain.facts import Facts
from shared.domain.paths import expand
from shared.domain.pointer import MISSING, get
from shared.domain.rulebook import Closed
from shared.domain.storage_classes import SHARED_MODES, access_modes

CLAIMS = ("/spec/volumeClaimTemplates/*/spec", "$pod/volumes/*/ephemeral/volumeClaimTemplate/spec")
DISK_CLASSES = frozenset({"default", "managed", "managed-csi", "managed-csi-premium", "managed-csi-premium-v2", "managed-premium"})
"""The built-in classes on Azure Disk (learn.microsoft.com/azure/aks/concepts-storage)."""

DYNAMIC = re.compile(r"pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The name that provisioners give a volume: `pvc-` and the claim's uid."""

STATIC = ("volumeName", "selector", "dataSource", "dataSourceRef")
"""Fields of a claim that is meant for a volume that exists, or a copy of one."""


class SharedClaimParams(Closed):
    """`named` true: claims that name a disk class; false: claims that name none and so get the cluster's default, a disk."""

    named: bool


@check("shared-claim-on-disk", SharedClaimParams)
def shared_claim_on_disk(obj: Mapping[str, Any], params: SharedClaimParams, facts: Facts) -> Iterator[Found]:
    """Fires at the storage class of a file system claim with ReadWriteMany or ReadOnlyMany on a disk.

    A patch that names no class leaves it to its claim: it fires where the claim is among the files and names none either.
    """
    if not params.named and obj.get("kind") == "PersistentVolumeClaim" and patching(facts) and not _base_names_none(obj, facts):
        return
    places = ["/spec"] if obj.get("kind") == "PersistentVolumeClaim" else [p for c in CLAIMS for p in expand(obj, c)]
    for place in places:
        spec = get(obj, place)
        if not isinstance(spec, dict) or not _shared(spec) or any(k in spec for k in STATIC) or get(obj, CLASS_ANNOTATION) is not MISSING:
            continue
        name = spec.get("storageClassName")
        if (str(name) in DISK_CLASSES) if params.named else (name is None and "storageClassName" not in spec):
            yield Found(f"{place}/storageClassName", {"value": str(name)})


@check("claim-of-a-missing-volume", Nothing)
def claim_of_a_missing_volume(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires where a claim names a dynamically made volume (`pvc-<uid>`) that the run does not bring."""
    name = get(obj, "/spec/volumeName")
    if isinstance(name, str) and DYNAMIC.fullmatch(name) and not facts.exists("PersistentVolume", None, name):
        yield Found("/spec/volumeName", {"value": name})


def _base_names_none(patch: Mapping[str, Any], facts: Facts) -> bool:
    name = get(patch, "/metadata/name")
    placed = facts.placed("PersistentVolumeClaim")
    bases = [o for file, o in placed if file not in facts.patch_files and get(o, "/metadata/name") == name]
    return bool(bases) and all(get(o, "/spec/storageClassName") is MISSING for o in bases)


def _shared(spec: Mapping[str, Any]) -> bool:
    return spec.get("volumeMode") != "Block" and bool(SHARED_MODES & access_modes(spec))
