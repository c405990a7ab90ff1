"""What an OpenShift object grants, said in the words of the target: the pod security level that pods under it need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.pointer import MISSING, get

PRIVILEGES = (
    "allowPrivilegedContainer", "allowHostNetwork", "allowHostPorts", "allowHostPID", "allowHostIPC", "allowHostDirVolumePlugin",
)  # fmt: skip
"""Grants that only the level `privileged` of Pod Security admits."""

SAFE_CAPABILITIES = frozenset(
    """
    AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT
    """.split()  # noqa: SIM905 (the list as the Pod Security Standards print it)
)
"""Capabilities that the level `baseline` lets a container add (Kubernetes documentation, Pod Security Standards)."""


@check("security-context-constraints", Nothing)
def security_context_constraints(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires once, with the pod security `level` that its grants need, and what it `wrote` into pods, as half a sentence."""
    added = ", ".join(_added(obj))
    wrote = f"what it wrote into them ({added}) must stand in their securityContext" if added else "it wrote nothing into them"
    yield Found("/kind", {"level": _level(obj), "wrote": wrote})


def _level(obj: Mapping[str, Any]) -> str:
    capabilities = {c for field in ("allowedCapabilities", "defaultAddCapabilities") for c in _texts(obj.get(field))}
    if any(obj.get(f) is True for f in PRIVILEGES) or capabilities - SAFE_CAPABILITIES:
        return "privileged"
    free = get(obj, "/runAsUser/type") not in ("MustRunAsRange", "MustRunAsNonRoot", "MustRunAs") or get(obj, "/runAsUser/uid") == 0
    return "baseline" if free or capabilities - {"NET_BIND_SERVICE"} or obj.get("allowPrivilegeEscalation") is not False else "restricted"


OWN_CONSTRAINTS: Mapping[str, str] = {
    "privileged": "privileged", "hostaccess": "privileged", "hostmount-anyuid": "privileged", "hostnetwork": "privileged",
    "hostnetwork-v2": "privileged", "node-exporter": "privileged", "anyuid": "baseline", "nonroot": "baseline",
    "nonroot-v2": "baseline",
}  # fmt: skip
"""Pod security level of what OpenShift's own constraints grant beyond the default (OpenShift documentation, managing SCCs)."""

GRANT = "system:openshift:scc:"
LEVELS = ("baseline", "privileged")


@check("namespace-of-constraints", Nothing, needs_whole=True)
def namespace_of_constraints(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """A Namespace without a pod security label whose ServiceAccounts the run grants a constraint. Fields: `level`, `by`, `key`."""
    name = get(obj, "/metadata/name")
    if not isinstance(name, str) or get(obj, f"/metadata/labels/{LABEL}") is not MISSING:
        return
    granted = [*_by_binding(name, facts), *_by_constraint(name, facts)]
    if granted:
        level, by = max(granted, key=lambda g: LEVELS.index(g[0]))
        yield Found(f"/metadata/labels/{LABEL}", {"level": level, "by": by, "key": LABEL.replace("~1", "/")})


LABEL = "pod-security.kubernetes.io~1enforce"


def _by_binding(namespace: str, facts: Facts) -> Iterator[tuple[str, str]]:
    """RoleBindings of the namespace to OpenShift's roles that grant one of its own constraints."""
    for binding in facts.of_kind("RoleBinding"):
        role = get(binding, "/roleRef/name")
        level = OWN_CONSTRAINTS.get(role.removeprefix(GRANT)) if isinstance(role, str) and role.startswith(GRANT) else None
        if level and get(binding, "/metadata/namespace") == namespace:
            yield level, f"RoleBinding {get(binding, '/metadata/name')}"


def _by_constraint(namespace: str, facts: Facts) -> Iterator[tuple[str, str]]:
    """SecurityContextConstraints of the run that name ServiceAccounts of the namespace."""
    for constraint in facts.of_kind("SecurityContextConstraints"):
        users = any(user.startswith(f"system:serviceaccount:{namespace}:") for user in _texts(constraint.get("users")))
        level = _level(constraint)
        if level in LEVELS and (users or f"system:serviceaccounts:{namespace}" in _texts(constraint.get("groups"))):
            yield level, f"SecurityContextConstraints {get(constraint, '/metadata/name')}"


def _added(obj: Mapping[str, Any]) -> Iterator[str]:
    """What the constraint itself changes in pods: it must stand in them from now on."""
    uid, group = get(obj, "/runAsUser/uid"), get(obj, "/fsGroup/ranges/0/min")
    if get(obj, "/runAsUser/type") == "MustRunAs" and isinstance(uid, int):
        yield f"runAsUser {uid}"
    if get(obj, "/fsGroup/type") == "MustRunAs" and isinstance(group, int):
        yield f"fsGroup {group}"
    if obj.get("readOnlyRootFilesystem") is True:
        yield "readOnlyRootFilesystem"
    for field, name in (("defaultAddCapabilities", "added"), ("requiredDropCapabilities", "dropped")):
        found = _texts(obj.get(field))
        if found:
            yield f"{name} capabilities {' '.join(found)}"


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
