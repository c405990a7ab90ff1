"""References to a DeploymentConfig that must follow it when it becomes a Deployment (autoscalers, KEDA, VPA, Argo Rollouts)."""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op

HOLDERS = ("scaleTargetRef", "targetRef", "workloadRef")


def reference_deployment_config(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Point `spec.scaleTargetRef` and its like at the Deployment. Raises CannotConvert where none names a DeploymentConfig."""
    del lookup
    spec = obj.get("spec")
    operations = []
    for holder in HOLDERS:
        reference = spec.get(holder) if isinstance(spec, dict) else None
        if isinstance(reference, dict) and reference.get("kind") == "DeploymentConfig":
            operations += _retarget(reference, f"/spec/{holder}")
    if not operations:
        raise CannotConvert("no reference of this object names a DeploymentConfig")
    return Conversion(tuple(operations))


def _retarget(reference: dict[str, Any], path: str) -> list[Op]:
    kind = Op("replace", f"{path}/kind", "Deployment")
    if reference.get("apiVersion") == "apps/v1":
        return [kind]
    return [kind, Op("replace" if "apiVersion" in reference else "add", f"{path}/apiVersion", "apps/v1")]
