"""HorizontalPodAutoscaler of autoscaling/v2beta1 and v2beta2 (removed in 1.25 and 1.26) to autoscaling/v2.

Facts: guide/aks_facts_source.md 6. v2beta2 has v2's form; v2beta1 says each metric's target in flat fields.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.convert.edits import retype

SOURCES = {"Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object", "External": "external"}


def removed_autoscaler(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The same autoscaler in autoscaling/v2. Raises CannotConvert for a metric that does not have its API's form."""
    del lookup
    if obj.get("kind") != "HorizontalPodAutoscaler" or obj.get("apiVersion") not in ("autoscaling/v2beta1", "autoscaling/v2beta2"):
        raise CannotConvert("the object is not a HorizontalPodAutoscaler of a removed API")
    operations = retype(obj, "autoscaling/v2", "HorizontalPodAutoscaler")
    if obj["apiVersion"] == "autoscaling/v2beta1":
        spec = obj.get("spec")
        metrics = spec.get("metrics") if isinstance(spec, dict) else None
        for i, metric in enumerate(metrics if isinstance(metrics, list) else []):
            operations.append(_metric(metric, f"/spec/metrics/{i}"))
    if "status" in obj:
        operations.append(Op("remove", "/status"))
    return Conversion(tuple(operations))


def _metric(metric: Any, path: str) -> Op:
    source = SOURCES.get(str(metric.get("type"))) if isinstance(metric, dict) else None
    old = metric.get(source) if source else None
    if source is None or not isinstance(old, dict):
        raise CannotConvert(f"{path} is not a metric of autoscaling/v2beta1", path=path)
    new: dict[str, Any] = {k: old[k] for k in ("name", "container") if k in old and source in ("resource", "containerResource")}
    required = {"pods": ("metricName",), "object": ("metricName", "target"), "external": ("metricName",)}.get(source, ("name",))
    if any(old.get(k) is None for k in required):
        raise CannotConvert(f"{path} lacks {' or '.join(required)}", path=path)
    if source == "object":
        new["describedObject"] = old["target"]
    if source not in ("resource", "containerResource"):
        new["metric"] = _identifier(old)
    return Op("replace", f"{path}/{source}", new | {"target": _target(old, source, path)})


def _identifier(old: dict[str, Any]) -> dict[str, Any]:
    selector = old.get("metricSelector", old.get("selector"))
    return {"name": old["metricName"]} | ({"selector": selector} if selector is not None else {})


def _target(old: dict[str, Any], source: str, path: str) -> dict[str, Any]:
    average = old.get("averageValue") if source == "object" else old.get("targetAverageValue")
    if old.get("targetAverageUtilization") is not None:
        return {"type": "Utilization", "averageUtilization": old["targetAverageUtilization"]}
    if average is not None:
        return {"type": "AverageValue", "averageValue": average}
    if old.get("targetValue") is not None:
        return {"type": "Value", "value": old["targetValue"]}
    raise CannotConvert(f"{path} has no target", path=path)
