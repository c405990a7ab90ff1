"""RoleBindings and Roles of OpenShift's own API to Kubernetes RBAC (aks_facts_source 4.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.convert.edits import namespace_of, retype, without_fields
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.pointer import child

RBAC = "rbac.authorization.k8s.io"
SERVICE_ACCOUNT = "system:serviceaccount:"
SUBJECTS = {"SystemUser": "User", "SystemGroup": "Group"}
ONLY_ON_OPENSHIFT = (
    "basic-user", "self-provisioner", "cluster-reader", "registry-viewer", "registry-editor", "registry-admin", "sudoer", "storage-admin",
    "cluster-monitoring-view", "self-access-reviewer", "system:image-puller", "system:image-builder", "system:image-pusher",
    "system:deployer",
)  # fmt: skip
"""ClusterRoles that OpenShift creates and AKS does not; so are all that start with `system:openshift:`."""


@fix("openshift-rbac", Nothing)
def openshift_rbac(obj: Mapping[str, Any], _: Found, __: Nothing, ___: Facts) -> Conversion:
    """The same grant in Kubernetes RBAC; raises CannotConvert where it would grant nothing, or something else."""
    operations = retype(obj, f"{RBAC}/v1", obj["kind"])
    if obj["kind"].endswith("Binding"):
        losses = tuple(_human_subjects(obj))
        lists = without_fields(obj, "", ("userNames", "groupNames"))
        return Conversion((*operations, *_role_ref(obj), *_subjects(obj), *lists), losses=losses)
    return Conversion((*operations, *_rules(obj)))


def only_on_openshift(role: object) -> bool:
    """Whether a ClusterRole of this name exists on OpenShift alone."""
    return isinstance(role, str) and (role in ONLY_ON_OPENSHIFT or role.startswith("system:openshift:"))


def _role_ref(obj: Mapping[str, Any]) -> Iterator[Op]:
    ref = obj.get("roleRef")
    name = ref.get("name") if isinstance(ref, dict) else None
    if not isinstance(ref, dict) or not isinstance(name, str):
        raise CannotConvert("The binding names no role.", path="/roleRef")
    if only_on_openshift(name):
        raise CannotConvert(f"ClusterRole {name} exists on OpenShift only: on AKS the binding grants nothing.", path="/roleRef/name")
    kind = "Role" if ref.get("namespace") else "ClusterRole"
    for field, value in (("apiGroup", RBAC), ("kind", kind)):
        if ref.get(field) != value:
            yield Op("replace" if field in ref else "add", child("/roleRef", field), value)
    yield from without_fields(ref, "/roleRef", ("namespace",))


def _subjects(obj: Mapping[str, Any]) -> Iterator[Op]:
    subjects = obj.get("subjects")
    if not isinstance(subjects, list) or not subjects:
        yield Op("replace" if "subjects" in obj else "add", "/subjects", list(_named_subjects(obj)))
        return
    for i, subject in enumerate(subjects):
        if not isinstance(subject, dict) or not isinstance(subject.get("kind"), str):
            raise CannotConvert("A subject has no kind.", path=f"/subjects/{i}")
        if subject["kind"] in SUBJECTS:
            yield Op("replace", f"/subjects/{i}/kind", SUBJECTS[subject["kind"]])
        if subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            yield Op("replace" if "namespace" in subject else "add", f"/subjects/{i}/namespace", _own_namespace(obj))


def _own_namespace(obj: Mapping[str, Any]) -> str:
    namespace = namespace_of(obj)
    if namespace is None:
        raise CannotConvert("A ServiceAccount subject names no namespace, and neither does the binding; RBAC wants one.", path="/subjects")
    return namespace


def _named_subjects(obj: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The subjects that the legacy lists `userNames` and `groupNames` stand for."""
    for name in _names(obj, "userNames"):
        if name.startswith(SERVICE_ACCOUNT):
            namespace, _, account = name.removeprefix(SERVICE_ACCOUNT).partition(":")
            yield {"kind": "ServiceAccount", "name": account, "namespace": namespace}
        else:
            yield {"kind": "User", "apiGroup": RBAC, "name": name}
    yield from ({"kind": "Group", "apiGroup": RBAC, "name": name} for name in _names(obj, "groupNames"))


def _names(obj: Mapping[str, Any], field: str) -> list[str]:
    names = obj.get(field) or []
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise CannotConvert(f"The binding's {field} is no list of names.", path=f"/{field}")
    return names


def _human_subjects(obj: Mapping[str, Any]) -> Iterator[Loss]:
    """Users and groups of the old cluster's login, which Entra ID does not know by these names."""
    subjects = obj.get("subjects")
    listed = [(f"/subjects/{i}", s) for i, s in enumerate(subjects)] if isinstance(subjects, list) and subjects else []
    named = [] if listed else [("/userNames" if s["kind"] == "User" else "/groupNames", s) for s in _named_subjects(obj)]
    for path, subject in (*listed, *named):
        if isinstance(subject, dict) and subject.get("kind") in ("User", "Group") and not str(subject.get("name")).startswith("system:"):
            who = f"{subject['kind']} {subject.get('name')}"
            yield Loss(path, f"{who} belongs to the old cluster's login; Entra ID needs its object id here.")


def _rules(obj: Mapping[str, Any]) -> Iterator[Op]:
    rules = obj.get("rules") or []
    if not isinstance(rules, list):
        raise CannotConvert("The role's rules are no list.", path="/rules")
    for i, rule in enumerate(rules):
        if not isinstance(rule, dict):
            raise CannotConvert("A rule is no mapping.", path=f"/rules/{i}")
        yield from without_fields(rule, f"/rules/{i}", ("attributeRestrictions",))
        if rule.get("apiGroups") is None and rule.get("resources"):
            yield Op("replace" if "apiGroups" in rule else "add", f"/rules/{i}/apiGroups", [""])
