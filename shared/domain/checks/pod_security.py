"""The Pod Security Standards as the checks of k8s.io/pod-security-admission make them, by the target's version of Kubernetes.

Read from staging/src/k8s.io/pod-security-admission/policy of release 1.36 (2026-08): what may be there (`listed-value`), what must be there
(`container-setting`, `inherited-setting`), which volumes (`restricted-volume`).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.basic import text_of
from shared.domain.facts import Facts
from shared.domain.paths import container_of, containers, expand, pod_spec
from shared.domain.pointer import MISSING, child, get, split
from shared.domain.policy import RANKS, numbers
from shared.domain.rulebook import Closed

VOLUME_TYPES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}
)
"""What the level restricted allows (check_restrictedVolumes.go; `image` since 1.33, at every level of policy)."""

OS_LABEL = "kubernetes.io/os"


class Relaxed(Closed):
    """`user_namespace`: from this version on a pod with `hostUsers: false` is free of the control, up to the level `free_up_to`.

    `linux_only`: pods of Windows are free of it: by `os.name`, as Kubernetes sees it, or by their nodeSelector, as the templates of
    Azure Policy see it (github.com/Azure/draft, allowed-seccomp-profiles).
    """

    user_namespace: str | None = None
    free_up_to: str = "restricted"
    linux_only: bool = False

    def free(self, obj: Mapping[str, Any], facts: Facts) -> bool:
        """Whether the control says nothing of this object's pods."""
        base = pod_spec(obj) or ""
        if self.linux_only and "windows" in (get(obj, f"{base}/os/name"), get(obj, child(f"{base}/nodeSelector", OS_LABEL))):
            return True
        if self.user_namespace is None or get(obj, f"{base}/hostUsers") is not False:
            return False
        enforced = facts.enforcement
        return enforced.version >= numbers(self.user_namespace) and RANKS[enforced.pod_security] <= RANKS[self.free_up_to]


class ListedParams(Relaxed):
    """`paths` are patterns of values; `allowed` the globs that they may match, by the version of Kubernetes that brought them."""

    paths: tuple[str, ...] = Field(min_length=1)
    allowed: dict[str, tuple[str, ...]]


class SettingParams(Relaxed):
    """`field` of a securityContext, and the value that it must have, or must have among its items."""

    field: str
    value: str


class InheritedParams(Relaxed):
    """`field` of a securityContext that a container takes over from the pod."""

    field: str


class NoParams(Closed):
    """No parameters."""


@check("listed-value", ListedParams)
def listed_value(obj: Mapping[str, Any], params: ListedParams, facts: Facts) -> Iterator[Found]:
    """Fires at a value that is not on the list; null, empty and unset values are the default, and fine."""
    if params.free(obj, facts):
        return
    allowed = [g for since, globs in params.allowed.items() if facts.enforcement.version >= numbers(since) for g in globs]
    for path in (p for pattern in params.paths for p in expand(obj, pattern)):
        value = get(obj, path)
        if value in (None, "") or isinstance(value, (dict, list)) or value is MISSING or opaque(value):
            continue
        if not any(fnmatch.fnmatchcase(text_of(value), glob) for glob in allowed):
            holder = container_of(obj, path) or "the pod"
            yield Found(path, {"value": text_of(value), "field": split(path)[-1], "holder": holder})


@check("container-setting", SettingParams, needs_whole=True)
def container_setting(obj: Mapping[str, Any], params: SettingParams, facts: Facts) -> Iterator[Found]:
    """Fires once per container whose securityContext does not have the value."""
    if params.free(obj, facts):
        return
    for path, container in containers(obj):
        value = get(container, f"/securityContext/{params.field}")
        values = [
            text_of(v) for v in (value if isinstance(value, list) else [value]) if not isinstance(v, (dict, list)) and v is not MISSING
        ]
        if params.value not in values and not any(map(opaque, values)):
            yield Found(f"{path}/securityContext/{params.field}", {"holder": container_of(obj, path) or "", "value": ", ".join(values)})


@check("inherited-setting", InheritedParams, needs_whole=True)
def inherited_setting(obj: Mapping[str, Any], params: InheritedParams, facts: Facts) -> Iterator[Found]:
    """Fires once per pod where neither the pod nor every container sets the field. A wrong value is another rule's."""
    base = pod_spec(obj)
    if base is None or params.free(obj, facts) or _given(get(obj, f"{base}/securityContext/{params.field}")):
        return
    without = [path for path, container in containers(obj) if not _given(get(container, f"/securityContext/{params.field}"))]
    if without:
        names = ", ".join(dict.fromkeys(container_of(obj, path) or "" for path in without))
        yield Found(child(base, "securityContext", params.field), {"value": names, "field": params.field})


def _given(value: object) -> bool:
    """Whether a field says anything: a profile without its `type` does not."""
    return value is not MISSING and value is not None and (not isinstance(value, dict) or value.get("type") not in (None, ""))


@check("restricted-volume", NoParams)
def restricted_volume(obj: Mapping[str, Any], _: NoParams, __: Facts) -> Iterator[Found]:
    """Fires at the source of a volume that the level restricted does not allow; hostPath has rules of its own."""
    for path in expand(obj, "$pod/volumes/*"):
        volume = get(obj, path)
        sources = [k for k, v in volume.items() if k != "name" and v is not None] if isinstance(volume, dict) else []
        for source in sources:
            if source not in VOLUME_TYPES and source != "hostPath":
                yield Found(child(path, source), {"value": source, "volume": text_of(volume.get("name"))})


class HostPathParams(Closed):
    """`any_of` and `none_of` are globs of paths; those of `logs` AKS Automatic lets pods read (AKS changelog 2026-05-29)."""

    any_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()


@check("host-path", HostPathParams)
def host_path(obj: Mapping[str, Any], params: HostPathParams, facts: Facts) -> Iterator[Found]:
    """Fires at a hostPath volume's path; on AKS Automatic not at the logs that every container mounts read-only."""
    for path in expand(obj, "$pod/volumes/*/hostPath/path"):
        value = get(obj, path)
        if not isinstance(value, str) or opaque(value) or not _matches(value, params.any_of) or _matches(value, params.none_of):
            continue
        if not (facts.enforcement.automatic and _matches(value, params.logs) and _only_read(obj, path)):
            yield Found(path, {"value": value})


def _matches(value: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(value, glob) for glob in globs)


def _only_read(obj: Mapping[str, Any], path: str) -> bool:
    name = get(obj, f"{path.removesuffix('/hostPath/path')}/name")
    mounts = [get(obj, p) for p in expand(obj, "$containers/volumeMounts/*")]
    return all(m.get("readOnly") is True for m in mounts if isinstance(m, dict) and m.get("name") == name)
