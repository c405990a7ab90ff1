"""Another mount of Vault's Kubernetes auth method: the one that a human made for the AKS cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.vault import mount_of
from shared.domain.convert.base import CannotConvert, Conversion
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix, put
from shared.domain.model import Question
from shared.domain.pointer import get

ISSUERS_PREFIX = "/v1/auth/"
"""What cert-manager's issuers write before the mount (cert-manager documentation, Vault)."""


@fix("auth-mount", Nothing)
def auth_mount(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The mount that a Decision names; the form of the path stays."""
    mount, key = found.fields["value"], found.fields["key"]
    answer = facts.decision(key)
    if not isinstance(answer, str) or not answer:
        text = f"Which Kubernetes auth mount of Vault trusts the AKS cluster, in the place of {mount}? (keep: the same mount)"
        question = Question(key, text, "aks")
        raise CannotConvert("Vault must trust the AKS cluster first, under a mount that only you can name.", question, found.path)
    held = get(obj, found.path)
    before = mount_of(held)[0] if isinstance(held, str) else ISSUERS_PREFIX if found.path.startswith("/spec/vault/") else ""
    return Conversion((put(obj, found.path, before + answer.strip("/")),))
