"""What an OpenShift object grants, said in the words of the target: the pod security level that pods under it need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.pointer import get

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
    """Fires once, with the pod security `level` that its grants need and the `added` settings that it wrote into pods."""
    yield Found("/kind", {"level": _level(obj), "added": ", ".join(_added(obj)) or "nothing"})


def _level(obj: Mapping[str, Any]) -> str:
    capabilities = {c for field in ("allowedCapabilities", "defaultAddCapabilities") for c in _texts(obj.get(field))}
    if any(obj.get(f) is True for f in PRIVILEGES) or capabilities - SAFE_CAPABILITIES:
        return "privileged"
    free = get(obj, "/runAsUser/type") not in ("MustRunAsRange", "MustRunAsNonRoot", "MustRunAs") or get(obj, "/runAsUser/uid") == 0
    return "baseline" if free or capabilities - {"NET_BIND_SERVICE"} or obj.get("allowPrivilegeEscalation") is not False else "restricted"


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
