"""Which storage classes the target has, and what kind of storage a source's class was."""

from __future__ import annotations

import fnmatch

from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.pointer import get

IN_TREE = frozenset({"kubernetes.io/azure-disk", "kubernetes.io/azure-file"})
"""Provisioners that are mended in place (rule AKS0104), so that their classes exist on the target."""


def class_exists(name: str, facts: Facts) -> bool:
    """Whether a claim of this class can be provisioned on the target."""
    if name in facts.typed_target.storage.known:
        return True
    own = facts.find("StorageClass", None, name)
    return own is not None and own.get("provisioner") in IN_TREE.union(facts.typed_target.provisioners)


def names_a_volume(name: str, facts: Facts) -> bool:
    """Whether the run brings a PersistentVolume of this class: the name then only ties claim and volume, no class is needed."""
    return any(get(volume, "/spec/storageClassName") == name for volume in facts.of_kind("PersistentVolume"))


def class_shape(name: str, facts: Facts) -> str | None:
    """What a class was (`disk`, `file`, `by-access-mode`, or `decided` by a human); None where nothing says.

    A StorageClass of the run tells by its driver. By name, the source's own profile is asked before the others:
    `standard` is not the same thing everywhere.
    """
    if isinstance(facts.decision(decision_key("storageClasses", name)), str):
        return "decided"
    ordered = (facts.profile, *facts.knowledge.profiles.values())
    own = facts.find("StorageClass", None, name)
    driver = own.get("provisioner") if own else None
    by_driver = (shape for p in ordered for pattern, shape in p.provisioners.items() if fnmatch.fnmatchcase(str(driver), pattern))
    by_name = (shape for p in ordered for pattern, shape in p.storage_classes.items() if fnmatch.fnmatchcase(name, pattern))
    return next(by_driver, None) if own else next(by_name, None)
