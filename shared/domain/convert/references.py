"""References to a workload that must follow it: of a DeploymentConfig that becomes a Deployment, of an API version that is gone.

Autoscalers, KEDA, VPA and Argo Rollouts look their target up by the group in the reference: `extensions` has no Deployment any more.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op

GONE = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
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


def reference_removed_workload(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Point `spec.scaleTargetRef` and its like at apps/v1. Raises CannotConvert where none names a removed API."""
    del lookup
    spec = obj.get("spec")
    holders = {h: spec.get(h) for h in HOLDERS} if isinstance(spec, dict) else {}
    operations = [
        Op("replace", f"/spec/{h}/apiVersion", "apps/v1") for h, r in holders.items() if isinstance(r, dict) and r.get("apiVersion") in GONE
    ]
    if not operations:
        raise CannotConvert("no reference of this object names a removed API")
    return Conversion(tuple(operations))
