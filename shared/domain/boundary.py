"""Which objects no fix may touch, whatever a rule says (DESIGN 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SYSTEM_NAMESPACES = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "gatekeeper-system", "app-routing-system", "aks-istio-system", "aks-istio-ingress",
     "azure-arc"}
)  # fmt: skip
"""Namespaces that AKS runs its own components in and reconciles (aks_facts_target 7.1)."""


CHARTS = ("helm.cattle.io/v1/HelmChart", "helm.cattle.io/v1/HelmChartConfig")
"""Objects that k3s keeps in kube-system whatever they install, and where: AKS runs nothing of them."""


def off_limits(obj: Mapping[str, Any]) -> str | None:
    """Why an object is never changed, or None: it lives in a namespace that the cluster's own components share."""
    metadata = obj.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    charts = f"{obj.get('apiVersion')}/{obj.get('kind')}" in CHARTS and not _installs_into_the_system(obj)
    if isinstance(namespace, str) and namespace in SYSTEM_NAMESPACES and not charts:
        return f"Not changed: {namespace} belongs to the cluster itself. Move the object to a namespace of its own, or leave it out."
    return None


def _installs_into_the_system(obj: Mapping[str, Any]) -> bool:
    spec = obj.get("spec")
    return isinstance(spec, dict) and spec.get("targetNamespace") in SYSTEM_NAMESPACES
