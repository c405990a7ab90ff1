"""Which storage classes the target has, and what kind of storage a source's class was."""

from __future__ import annotations

import fnmatch

from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.target import profiles


def class_exists(name: str, facts: Facts) -> bool:
    """Whether a claim of this class can be provisioned on the target."""
    if name in facts.typed_target.storage.known:
        return True
    own = facts.find("StorageClass", None, name)
    return own is not None and own.get("provisioner") in facts.typed_target.provisioners


def class_shape(name: str, facts: Facts) -> str | None:
    """What a class was (`disk`, `file`, `by-access-mode`, or `decided` by a human); None where nothing says.

    The source's own profile is asked before the others: `standard` is not the same thing everywhere.
    """
    if isinstance(facts.decision(decision_key("storageClasses", name)), str):
        return "decided"
    for profile in (facts.profile, *profiles().values()):
        for pattern, shape in profile.storage_classes.items():
            if fnmatch.fnmatchcase(name, pattern):
                return shape
    return None
