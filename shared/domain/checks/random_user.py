"""Pods that OpenShift ran as a random user of their project, and the storage written in that user's name (aks_facts_source 4.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.openshift import GRANT
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.paths import containers, expand, metadata_places, pod_spec, workload_name
from shared.domain.pointer import MISSING, get

FREE_CONSTRAINTS = frozenset({"anyuid", "privileged", "hostmount-anyuid", "node-exporter", "nonroot", "nonroot-v2"})
"""OpenShift's own constraints that leave the user to the pod or the image (OpenShift documentation, managing SCCs)."""

PROJECT_RANGES = range(1_000_000_000, 1_001_000_000)
"""The user ids that OpenShift hands out to projects, ten thousand to each."""


def user_key(obj: Mapping[str, Any]) -> str:
    """The Decision that holds the user id of a workload's pods."""
    return decision_key("users", workload_name(obj))


def chosen(value: Any) -> bool:
    """Whether a user or group id is one that somebody wrote, not one out of a project's range."""
    return isinstance(value, int) and value not in PROJECT_RANGES


@check("random-user", Nothing, needs_whole=True)
def random_user(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires once at a workload that keeps data and names neither a user nor a group for it, unless a constraint left the user free."""
    base = pod_spec(obj)
    owned = get(obj, "/metadata/ownerReferences") is not MISSING
    storage = sorted(_storage(obj)) if base is not None and not owned else []
    if not storage or chosen(get(obj, f"{base}/securityContext/fsGroup")) or _has_a_user(obj, facts) or _is_free(obj, facts):
        return
    yield Found(f"{base}/securityContext/fsGroup", {"storage": ", ".join(storage)})


def _storage(obj: Mapping[str, Any]) -> Iterator[str]:
    """The names of the volumes whose content outlives the pods."""
    for path in expand(obj, "$pod/volumes/*"):
        volume = get(obj, path)
        claim = volume.get("persistentVolumeClaim") if isinstance(volume, dict) else None
        if isinstance(claim, dict) and claim.get("readOnly") is not True:
            yield str(volume.get("name"))
    yield from (str(get(obj, path)) for path in expand(obj, "/spec/volumeClaimTemplates/*/metadata/name"))


def _has_a_user(obj: Mapping[str, Any], facts: Facts) -> bool:
    """Whether every container runs as a user that the manifest chose, and no answer did."""
    whole = get(obj, f"{pod_spec(obj)}/securityContext/runAsUser")
    if str(whole) == str(facts.decision(user_key(obj))):
        return False
    users = [get(container, "/securityContext/runAsUser") for _, container in containers(obj)]
    return all(chosen(whole if user is MISSING else user) for user in users)


def _is_free(obj: Mapping[str, Any], facts: Facts) -> bool:
    noted = [get(obj, f"{place}/annotations/openshift.io~1{key}") for place in metadata_places(obj) for key in ("scc", "required-scc")]
    account = get(obj, f"{pod_spec(obj)}/serviceAccountName")
    name = account if isinstance(account, str) else "default"
    granted = free_subjects(facts)
    every = f"system:serviceaccounts:{get(obj, '/metadata/namespace')}"
    return bool(FREE_CONSTRAINTS.intersection(n for n in noted if isinstance(n, str))) or bool({name, every, EVERYBODY} & granted)


EVERYBODY = "system:serviceaccounts"


def free_subjects(facts: Facts) -> set[str]:
    """The names of the ServiceAccounts, and the groups, to which the run grants a constraint that leaves the user free."""
    found: set[str] = set()
    for binding in (*facts.of_kind("RoleBinding"), *facts.of_kind("ClusterRoleBinding")):
        role = get(binding, "/roleRef/name")
        if isinstance(role, str) and role.startswith(GRANT) and role.removeprefix(GRANT) in FREE_CONSTRAINTS:
            found |= {str(get(binding, path)) for path in expand(binding, "/subjects/*/name")}
    for constraint in facts.of_kind("SecurityContextConstraints"):
        if get(constraint, "/runAsUser/type") not in ("MustRunAsRange", MISSING):
            found |= {str(get(constraint, path)).rpartition(":")[2] for path in expand(constraint, "/users/*")}
            found |= {str(get(constraint, path)) for path in expand(constraint, "/groups/*")}
    return found
