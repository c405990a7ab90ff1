"""Which objects no fix may touch, whatever a rule says (DESIGN 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SYSTEM_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "gatekeeper-system", "app-routing-system", "aks-istio-system", "aks-istio-ingress",
     "azure-arc"}
)  # fmt: skip
"""Namespaces that AKS runs its own components in and reconciles (aks_facts_target 7.1)."""


def off_limits(obj: Mapping[str, Any]) -> str | None:
    """Why an object is never changed, or None: it lives in a namespace that the cluster's own components share."""
    metadata = obj.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if isinstance(namespace, str) and namespace in SYSTEM_NAMESPACES:
        return f"Not changed: {namespace} belongs to the cluster itself. Move the object to a namespace of its own, or leave it out."
    return None
