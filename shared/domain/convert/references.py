"""References to a workload that must follow it: of a DeploymentConfig that becomes a Deployment, of an API version that is gone.

Autoscalers, KEDA, VPA and Argo Rollouts look their target up by the group in the reference: `extensions` has no Deployment any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.paths import expand
from shared.domain.pointer import get

WORKLOADS, INGRESSES = "apps/v1", "networking.k8s.io/v1"
SUCCESSORS = {(old, False): WORKLOADS for old in ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")} | {
    (old, True): INGRESSES for old in ("extensions/v1beta1", "networking.k8s.io/v1beta1")
}
"""What took the place of a removed API version; the second part of the key: whether it means an Ingress."""
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
    """Point `spec.scaleTargetRef`, its like and objects of metrics at the API served now. Raises CannotConvert where none is removed."""
    del lookup
    operations = [
        Op("replace", f"{path}/apiVersion", SUCCESSORS[reference["apiVersion"], reference.get("kind") == "Ingress"])
        for path, reference in _references(obj)
        if (reference.get("apiVersion"), reference.get("kind") == "Ingress") in SUCCESSORS
    ]
    if not operations:
        raise CannotConvert("no reference of this object names a removed API")
    return Conversion(tuple(operations))


def _references(obj: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    patterns = (*(f"/spec/{h}" for h in HOLDERS), "/spec/metrics/*/object/describedObject")
    for path in (p for pattern in patterns for p in expand(obj, pattern)):
        reference = get(obj, path)
        if isinstance(reference, dict) and isinstance(reference.get("apiVersion"), str):
            yield path, reference
