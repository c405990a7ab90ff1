"""Workloads of extensions/v1beta1, apps/v1beta1 and apps/v1beta2 (removed in 1.16) to apps/v1.

Facts: guide/aks_facts_source.md 6. apps/v1 requires a selector that matches the pod template; the defaults differ, so what ran by a
default of the old API is written down where it decides when pods are replaced, and said where it only shapes a rollout.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.edits import retype, without_fields
from shared.domain.convert.forms import read_form
from shared.domain.convert.selectors import LabelSelector

API_VERSIONS = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
KINDS = ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet", "ControllerRevision")
DROPPED = ("rollbackTo", "templateGeneration")
ON_DELETE = {("extensions/v1beta1", "DaemonSet"), ("apps/v1beta1", "StatefulSet")}
OLD_DEFAULTS = {
    "extensions/v1beta1": {
        "strategy": "one pod at a time instead of 25 %",
        "progressDeadlineSeconds": "no progress deadline instead of 600 s",
        "revisionHistoryLimit": "every old ReplicaSet kept instead of 10",
    },
    "apps/v1beta1": {"revisionHistoryLimit": "2 old ReplicaSets kept instead of 10"},
}


def removed_workload(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The same workload in apps/v1. Raises CannotConvert where its selector does not match its pods."""
    del lookup
    if obj.get("apiVersion") not in API_VERSIONS or obj.get("kind") not in KINDS:
        raise CannotConvert("the object is not a workload of a removed apps API")
    operations = retype(obj, "apps/v1", obj["kind"])
    if obj["kind"] == "ControllerRevision":
        return Conversion(tuple(operations))
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        raise CannotConvert("the object has no spec")
    operations += [*_selector(spec), *without_fields(spec, "/spec", DROPPED), *_update_strategy(obj, spec)]
    return Conversion(tuple(operations), losses=tuple(_losses(obj, spec)))


def _selector(spec: dict[str, Any]) -> list[Op]:
    template = spec.get("template")
    meta = template.get("metadata") if isinstance(template, dict) else None
    labels = meta.get("labels") if isinstance(meta, dict) else None
    if not isinstance(labels, dict) or not labels:
        raise CannotConvert("the pod template has no labels to select by", path="/spec")
    selector = spec.get("selector")
    if selector in (None, {}):
        return [Op("replace" if "selector" in spec else "add", "/spec/selector", {"matchLabels": dict(labels)})]
    if not read_form(LabelSelector, selector, "/spec/selector").matches(labels):
        raise CannotConvert("spec.selector does not match the labels of the pod template", path="/spec/selector")
    return []


def _update_strategy(obj: dict[str, Any], spec: dict[str, Any]) -> list[Op]:
    """Pods that were replaced only when deleted (the old default) stay so: apps/v1 would roll them."""
    strategy = spec.get("updateStrategy")
    if (obj["apiVersion"], obj["kind"]) not in ON_DELETE or (isinstance(strategy, dict) and strategy.get("type")):
        return []
    return [Op("replace" if "updateStrategy" in spec else "add", "/spec/updateStrategy", {"type": "OnDelete"})]


def _losses(obj: dict[str, Any], spec: dict[str, Any]) -> list[Loss]:
    losses = []
    if "rollbackTo" in spec:
        losses.append(Loss("/spec/rollbackTo", "rollbackTo is gone: roll back with `kubectl rollout undo` or Git"))
    if obj["kind"] == "Deployment":
        old = [text for field, text in OLD_DEFAULTS.get(obj["apiVersion"], {}).items() if spec.get(field) is None]
        if old:
            losses.append(Loss("/spec", f"defaults differ in apps/v1; the old API meant: {', '.join(old)}"))
    return losses
