"""RoleBindings and Roles of OpenShift's own API to Kubernetes RBAC (aks_facts_source 4.6), and people of Entra ID in bindings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.rbac import only_on_openshift
from shared.domain.checks.subjects import DROP, OBJECT_ID, people, subject_key
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.convert.edits import namespace_of, retype, without_fields
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.pointer import child, parent

RBAC = "rbac.authorization.k8s.io"
SERVICE_ACCOUNT = "system:serviceaccount:"
SUBJECTS = {"SystemUser": "User", "SystemGroup": "Group"}


@fix("openshift-rbac", Nothing)
def openshift_rbac(obj: Mapping[str, Any], _: Found, __: Nothing, facts: Facts) -> Conversion:
    """The same grant in Kubernetes RBAC; raises CannotConvert where it would grant nothing, or something else."""
    operations = retype(obj, f"{RBAC}/v1", obj["kind"])
    if obj["kind"].endswith("Binding"):
        losses = tuple(_listed_people(obj, facts))
        lists = without_fields(obj, "", ("userNames", "groupNames"))
        return Conversion((*operations, *_role_ref(obj), *_subjects(obj), *lists), losses=losses)
    return Conversion((*operations, *_rules(obj)))


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


def _listed_people(obj: Mapping[str, Any], facts: Facts) -> Iterator[Loss]:
    """Users and groups of the legacy lists for whom nobody is named yet: their findings end with the list."""
    for path, kind, name in people(obj):
        if not path.startswith("/subjects") and not isinstance(facts.decision(subject_key(kind, name)), str):
            yield Loss(path, f"{kind} {name} belongs to the old cluster's login; Entra ID needs its object id here.")


@fix("entra-subject", Nothing)
def entra_subject(_: Mapping[str, Any], found: Found, __: Nothing, facts: Facts) -> Conversion:
    """Whom a Decision names in the place of a user or group of the old login; `drop` takes the subject out."""
    kind, name, key = found.fields["who"], found.fields["value"], found.fields["key"]
    answer = facts.decision(key)
    if not isinstance(answer, str) or not answer:
        how = "its object id" if kind == "Group" else "the object id or sign-in name"
        text = f"Which {kind.lower()} of Entra ID is the {kind.lower()} {name} on AKS? ({how}; keep: the same name; drop: no right)"
        question = Question(key, text, "00000000-0000-0000-0000-000000000000")
        raise CannotConvert("Only you know who this is in Entra ID.", question, found.path)
    if answer == DROP:
        return Conversion((Op("remove", parent(found.path) if found.path.endswith("/name") else found.path),))
    if kind == "Group" and not OBJECT_ID.fullmatch(answer):
        raise CannotConvert("AKS knows a group of Entra ID by its object id alone.", path=found.path)
    return Conversion((Op("replace", found.path, answer),))


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
