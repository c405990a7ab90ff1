"""Claims for one node (ReadWriteOnce) that several pods mount: an Azure disk attaches to one node, wherever the other pods are put.

On the old cluster that could work: k3s' local volumes keep all pods of a claim on their node, an NFS share serves any node.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.model import ResourceRef
from shared.domain.paths import expand, pod_spec
from shared.domain.pointer import MISSING, get
from shared.domain.rulebook import Closed
from shared.domain.storage_classes import becomes_a_disk

CLAIM_NAMES = "$pod/volumes/*/persistentVolumeClaim/claimName"
ONE_NODE = ["ReadWriteOnce"]


class RolloutParams(Closed):
    """Globs of the classes whose volumes let the old and the new pod share them; a claim without a class has the empty name."""

    classes: tuple[str, ...]


@check("one-node-claim-of-several-pods", Nothing, needs_whole=True)
def one_node_claim_of_several_pods(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires where a claim for one node, which gets a disk, is mounted by more than one pod: replicas, or other workloads of the run."""
    if _kept_together(obj) or get(obj, "/metadata/ownerReferences") is not MISSING:
        return
    for path, name, claim in _disk_claims(obj, facts):
        others = sorted({f"{o['kind']} {ResourceRef.of(o).name}" for o in facts.mounting(name, claim) if _differs(o, obj)})
        several = _pods(obj)
        if several or others:
            yield Found(path, {"value": name, "users": " and ".join([*several, *others])})


@check("one-node-claim-in-a-rollout", RolloutParams, needs_whole=True)
def one_node_claim_in_a_rollout(obj: Mapping[str, Any], params: RolloutParams, facts: Facts) -> Iterator[Found]:
    """Fires where the new pod of a rolling update waits for the disk that the old pod holds, and did not have to on the old cluster."""
    if _pods(obj) or get(obj, "/spec/replicas") == 0 or not _rolls(obj) or _kept_together(obj):
        return
    for path, name, claim in _disk_claims(obj, facts):
        was = get(claim, "/spec/storageClassName")
        if any(fnmatch.fnmatchcase("" if was in (MISSING, None) else str(was), pattern) for pattern in params.classes):
            yield Found(path, {"value": name})


def _disk_claims(obj: Mapping[str, Any], facts: Facts) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(place of the name, name, claim) of every claim of the run that an object's pods mount and that gets a disk for one node."""
    namespace = ResourceRef.of(obj).namespace
    for path in expand(obj, CLAIM_NAMES):
        name = get(obj, path)
        claim = facts.find("PersistentVolumeClaim", namespace, name) if isinstance(name, str) and not opaque(name) else None
        if claim is not None and get(claim, "/spec/accessModes") == ONE_NODE and becomes_a_disk(claim, facts):
            yield path, name, claim


def _pods(obj: Mapping[str, Any]) -> list[str]:
    """`3 pods` where an object itself runs more than one; [] where it does not, or says nothing."""
    count = get(obj, "/spec/parallelism" if obj["kind"] == "Job" else "/spec/replicas")
    if obj["kind"] == "DaemonSet":
        return ["a pod on each node"]
    return [f"{count} pods of its own"] if isinstance(count, int) and not isinstance(count, bool) and count > 1 else []


def _rolls(obj: Mapping[str, Any]) -> bool:
    """Whether an update starts the new pod before the old one is gone: the default of a Deployment with one replica."""
    strategy = get(obj, "/spec/strategy")
    strategy = strategy if isinstance(strategy, dict) else {}
    rolling = strategy.get("rollingUpdate")
    surge = rolling.get("maxSurge") if isinstance(rolling, dict) else None
    return strategy.get("type") != "Recreate" and surge not in ("0", "0%") and not (surge == 0 and isinstance(surge, int))


def _kept_together(obj: Mapping[str, Any]) -> bool:
    """Whether a rule of the pods' own keeps them on one node."""
    base = pod_spec(obj) or ""
    required = get(obj, f"{base}/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution")
    terms = [t for t in required if isinstance(t, dict)] if isinstance(required, list) else []
    return any(t.get("topologyKey") == "kubernetes.io/hostname" for t in terms)


def _differs(other: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    """Another workload; one of the same name is a variant of this one (a DeploymentConfig beside its Deployment)."""
    return ResourceRef.of(other).name != ResourceRef.of(obj).name
