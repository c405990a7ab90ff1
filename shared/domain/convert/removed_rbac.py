"""RBAC objects of v1alpha1 and v1beta1, whose bindings let API groups be left out that v1 wants written.

Facts: the defaults of rbac.authorization.k8s.io (an empty `apiGroup` of a role, a user or a group means that group itself) and the
conversion from v1alpha1 (subjects carried `apiVersion`; the user `*` meant every user who is logged in).
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.convert.edits import retype
from shared.domain.pointer import child

GROUP = "rbac.authorization.k8s.io"
PEOPLE = ("User", "Group")


def removed_rbac(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Roles change their version only; bindings also get the API groups that were understood. Raises CannotConvert for the user `*`."""
    del lookup
    if obj.get("apiVersion") not in (f"{GROUP}/v1alpha1", f"{GROUP}/v1beta1"):
        raise CannotConvert("the object is not a role or binding of a removed API")
    operations = retype(obj, f"{GROUP}/v1", obj["kind"])
    role, subjects = obj.get("roleRef"), obj.get("subjects")
    if isinstance(role, dict) and not role.get("apiGroup"):
        operations.append(Op("replace" if "apiGroup" in role else "add", "/roleRef/apiGroup", GROUP))
    for i, subject in enumerate(subjects if isinstance(subjects, list) else []):
        if isinstance(subject, dict):
            operations += _subject(subject, child("/subjects", str(i)), alpha=obj["apiVersion"].endswith("v1alpha1"))
    return Conversion(tuple(operations))


def _subject(subject: dict[str, Any], path: str, *, alpha: bool) -> list[Op]:
    if alpha and (subject.get("kind"), subject.get("name")) == ("User", "*"):
        raise CannotConvert("the user * meant everybody who is logged in: name the group system:authenticated, or fewer", path=path)
    operations = [Op("remove", f"{path}/apiVersion")] if "apiVersion" in subject else []
    if subject.get("kind") in PEOPLE and not subject.get("apiGroup"):
        operations.append(Op("replace" if "apiGroup" in subject else "add", f"{path}/apiGroup", GROUP))
    return operations
