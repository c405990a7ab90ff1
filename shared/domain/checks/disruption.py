"""Disruption budgets that let no pod go: a node with such a pod cannot be drained, so that AKS cannot upgrade it.

Sources: the pages error-codes/unsatisfiablepdb-error and error-code-poddrainfailure of learn.microsoft.com/troubleshoot/azure/
azure-kubernetes (read 2026-08).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.basic import text_of
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.pointer import MISSING, get

SCALED = ("Deployment", "DeploymentConfig", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")


@check("blocking-budget", Nothing)
def blocking_budget(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a limit that allows no eviction: by itself (0, 0 %, 100 %), or for the replicas that the run gives its pods."""
    if text_of(get(obj, "/spec/maxUnavailable")) in ("0", "0%"):
        yield Found("/spec/maxUnavailable", {"field": "maxUnavailable", "value": text_of(get(obj, "/spec/maxUnavailable")), "pods": ""})
        return
    wanted = get(obj, "/spec/minAvailable")
    if wanted == "100%":
        yield Found("/spec/minAvailable", {"field": "minAvailable", "value": "100%", "pods": ""})
        return
    replicas = _replicas(obj, facts)
    if replicas and _at_least(wanted, replicas) >= replicas:
        pods = f" of the {replicas} replicas" if replicas > 1 else " of the only replica"
        yield Found("/spec/minAvailable", {"field": "minAvailable", "value": text_of(wanted), "pods": pods})


def _at_least(wanted: object, replicas: int) -> int:
    """How many pods must stay: a number, or a share rounded up as Kubernetes rounds it; 0 where it says neither."""
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return wanted
    share = re.fullmatch(r"(\d{1,3})%", wanted) if isinstance(wanted, str) else None
    return math.ceil(int(share[1]) * replicas / 100) if share else 0


def _replicas(obj: Mapping[str, Any], facts: Facts) -> int:
    """The replicas of the workloads that a budget is for; 0 where they are not in the run, leave it open, or something else sets them.

    Something else: an autoscaler, or a kustomization over the one that the workload is built by.
    """
    labels, namespace = get(obj, "/spec/selector/matchLabels"), get(obj, "/metadata/namespace")
    if not isinstance(labels, dict) or not labels or get(obj, "/spec/selector/matchExpressions") is not MISSING:
        return 0
    if any(_shares(namespace, scaler) for scaler in facts.of_kind("HorizontalPodAutoscaler")):
        return 0
    near = facts.selected(namespace if isinstance(namespace, str) else None, labels, SCALED)
    if any(file in facts.patch_files or len(facts.kustomizations.building(file)) > 1 for file, _ in near):
        return 0
    counts = [other["pod"].get("replicas") for _, other in near]
    return sum(counts) if all(isinstance(count, int) for count in counts) else 0


def _shares(namespace: object, other: Mapping[str, Any]) -> bool:
    """Whether an object may be of this namespace; one that names none may be of any."""
    theirs = (other.get("metadata") or {}).get("namespace")
    return theirs == namespace or not isinstance(theirs, str) or not isinstance(namespace, str)
