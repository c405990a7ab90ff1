"""Identities of other clouds on ServiceAccounts, and the pods that run under one that got an Azure identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.paths import pod_spec
from shared.domain.pointer import MISSING, get, parent

USE_LABEL = "azure.workload.identity/use"


def identity_key(account: str) -> str:
    """The Decision that holds the client id of the managed identity for a ServiceAccount, by its name."""
    return decision_key("identities", account)


@check("workload-identity-pod", Nothing, needs_whole=True)
def workload_identity_pod(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a pod template without the workload identity label whose ServiceAccount got an identity by Decision."""
    base = pod_spec(obj)
    account = get(obj, f"{base}/serviceAccountName") if base else MISSING
    if not isinstance(account, str) or not isinstance(facts.decision(identity_key(account)), str):
        return
    metadata = "/metadata" if base == "/spec" else f"{parent(str(base))}/metadata"
    labels = get(obj, f"{metadata}/labels")
    if not isinstance(labels, dict) or USE_LABEL not in labels:
        yield Found(f"{metadata}/labels", {"value": account})
