"""Who gets rights: people whom the old cluster's login knows by names that Entra ID does not (aks_facts_source 4.6, aks_facts_target 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.rbac import only_on_openshift
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.pointer import get

GROUP = "subjects"
"""The Decisions that say who takes a subject's place."""

KEEP, DROP = "keep", "drop"
OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KINDS = {"User": "User", "Group": "Group", "SystemUser": "User", "SystemGroup": "Group"}
_LISTS = {"userNames": "User", "groupNames": "Group"}
_COMPONENT = re.compile(r"(?:k3s|rke2)-|kube-(?:apiserver|scheduler|controller-manager|proxy|aggregator)$|kubelet$|kubernetes$")
"""Users of client certificates: programs of the control plane, nobody's login."""


def subject_key(kind: str, name: str) -> str:
    """The Decision for a subject: `subjects.Group/dev-team`."""
    return decision_key("subjects", f"{kind}/{name}")


def people(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(pointer of the name, User or Group, name) of each subject that stands for people, in the old lists of OpenShift too."""
    subjects = obj.get("subjects")
    listed = isinstance(subjects, list) and bool(subjects)
    for i, subject in enumerate(subjects if isinstance(subjects, list) else ()):
        kind = _KINDS.get(str(subject.get("kind"))) if isinstance(subject, Mapping) else None
        if kind and _is_person(kind, subject.get("name")):
            yield f"/subjects/{i}/name", kind, subject["name"]
    for field, kind in () if listed else _LISTS.items():
        names = obj.get(field)
        for i, name in enumerate(names if isinstance(names, list) else ()):
            if _is_person(kind, name):
                yield f"/{field}/{i}", kind, name


def _is_person(kind: str, name: object) -> bool:
    """Whether the login of a cluster must know the name: no part of Kubernetes itself, and nothing that is filled in later."""
    if not isinstance(name, str) or name in ("", "*") or opaque(name) or name.startswith(("system:", "kubeadm:")):
        return False
    return OBJECT_ID.fullmatch(name) is None and not (kind == "User" and _COMPONENT.match(name))


@check("old-subject", Nothing)
def old_subject(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at each user or group of a binding that no answer settles. Fields: `value`, `who` (its kind), `key` of the Decision."""
    if only_on_openshift(get(obj, "/roleRef/name")):
        return
    given = facts.setup.decisions.get(GROUP)
    settled = {v for v in given.values() if isinstance(v, str)} if isinstance(given, dict) else set()
    for path, kind, name in people(obj):
        key = subject_key(kind, name)
        if name not in settled and facts.decision(key) != KEEP:
            yield Found(path, {"value": name, "who": kind, "key": key})


@check("powerful-subject", Nothing)
def powerful_subject(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires once at a ClusterRoleBinding that makes people masters of the whole cluster; `value` names them."""
    named = [f"{kind} {name}" for _, kind, name in people(obj)]
    if get(obj, "/roleRef/name") == "cluster-admin" and named:
        yield Found("/roleRef/name", {"value": ", ".join(named)})
