"""Objects whose removed API has a successor of the same form, or one that differs in a field or two.

Facts: guide/aks_facts_source.md 6 and guide/api_lifecycle.txt (what each release serves).
"""

from __future__ import annotations

import re
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.edits import retype
from shared.domain.convert.forms import read_form
from shared.domain.convert.selectors import LabelSelector
from shared.domain.pointer import child

_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
_FLOW = ("FlowSchema", "PriorityLevelConfiguration")
_STORAGE = ("StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "CSIStorageCapacity", "VolumeAttributesClass")
_SAME_FORM: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("extensions/v1beta1", ("NetworkPolicy",), "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", ("IngressClass", "IPAddress", "ServiceCIDR"), "networking.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", ("PriorityClass",), "scheduling.k8s.io/v1"),
    ("scheduling.k8s.io/v1alpha1", ("PriorityClass",), "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", _STORAGE, "storage.k8s.io/v1"),
    ("resource.k8s.io/v1beta2", ("DeviceClass", "ResourceClaim", "ResourceClaimTemplate"), "resource.k8s.io/v1"),
    ("node.k8s.io/v1beta1", ("RuntimeClass",), "node.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", ("APIService",), "apiregistration.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", ("Lease",), "coordination.k8s.io/v1"),
    ("admissionregistration.k8s.io/v1beta1", _POLICIES, "admissionregistration.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", ("FlowSchema",), "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", ("FlowSchema",), "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", _FLOW, "flowcontrol.apiserver.k8s.io/v1"),
    ("snapshot.storage.k8s.io/v1beta1", ("VolumeSnapshot", "VolumeSnapshotClass", "VolumeSnapshotContent"), "snapshot.storage.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1beta1", ("Gateway", "GatewayClass", "HTTPRoute"), "gateway.networking.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1alpha2", ("Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute"), "gateway.networking.k8s.io/v1"),
    ("gateway.networking.k8s.io/v1alpha2", ("ReferenceGrant",), "gateway.networking.k8s.io/v1beta1"),
)
SUCCESSORS = {(old, kind): new for old, kinds, new in _SAME_FORM for kind in kinds}
ZONED_SCHEDULE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.+)")
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def removed_simple(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Only the apiVersion changes."""
    del lookup
    return Conversion(tuple(retype(obj, _successor(obj, SUCCESSORS), obj["kind"])))


def _successor(obj: dict[str, Any], successors: dict[tuple[str, str], str]) -> str:
    found = successors.get((str(obj.get("apiVersion")), str(obj.get("kind"))))
    if found is None:
        raise CannotConvert(f"{obj.get('apiVersion')} {obj.get('kind')} has no successor of this form")
    return found


def removed_cronjob(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """batch/v1beta1 to batch/v1; a zone inside the schedule becomes `timeZone`, which is the only form served since 1.29."""
    del lookup
    operations = retype(
        obj, _successor(obj, {("batch/v1beta1", "CronJob"): "batch/v1", ("batch/v2alpha1", "CronJob"): "batch/v1"}), "CronJob"
    )
    return Conversion((*operations, *_zone(obj)))


def cronjob_zone(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """A zone inside the schedule becomes `timeZone`. Raises CannotConvert where there is none, or two."""
    del lookup
    operations = _zone(obj) if obj.get("kind") == "CronJob" and obj.get("apiVersion") == "batch/v1" else []
    if not operations:
        raise CannotConvert("the object is not a CronJob with a time zone in its schedule")
    return Conversion(tuple(operations))


def _zone(obj: dict[str, Any]) -> list[Op]:
    spec = obj.get("spec")
    schedule = spec.get("schedule") if isinstance(spec, dict) else None
    zoned = ZONED_SCHEDULE.fullmatch(schedule.strip()) if isinstance(schedule, str) else None
    if zoned and isinstance(spec, dict):
        if spec.get("timeZone") is not None:
            raise CannotConvert("the schedule names a time zone and spec.timeZone does too", path="/spec/schedule")
        zone = Op("replace" if "timeZone" in spec else "add", "/spec/timeZone", zoned[1])
        return [Op("replace", "/spec/schedule", zoned[2]), zone]
    return []


def removed_disruption_budget(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """policy/v1beta1 to policy/v1. An empty selector selected no pod and would now select all: refused."""
    del lookup
    operations = retype(obj, _successor(obj, {("policy/v1beta1", "PodDisruptionBudget"): "policy/v1"}), "PodDisruptionBudget")
    spec = obj.get("spec")
    selector = spec.get("selector") if isinstance(spec, dict) else None
    if selector is not None and read_form(LabelSelector, selector, "/spec/selector").is_empty:
        reason = "an empty selector selects no pod in policy/v1beta1, but every pod of the namespace in policy/v1: say which pods are meant"
        raise CannotConvert(reason, path="/spec/selector")
    return Conversion(tuple(operations))


def removed_endpoint_slice(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """discovery.k8s.io/v1beta1 to v1: `topology` becomes nodeName and zone."""
    del lookup
    operations = retype(obj, _successor(obj, {("discovery.k8s.io/v1beta1", "EndpointSlice"): "discovery.k8s.io/v1"}), "EndpointSlice")
    losses, endpoints = [], obj.get("endpoints")
    for i, endpoint in enumerate(endpoints if isinstance(endpoints, list) else []):
        topology = endpoint.get("topology") if isinstance(endpoint, dict) else None
        if not isinstance(topology, dict):
            continue
        path = f"/endpoints/{i}"
        operations.append(Op("remove", f"{path}/topology"))
        moved = {"nodeName": topology.get(HOSTNAME), "zone": topology.get(ZONE)}
        operations += [Op("add", child(path, k), v) for k, v in moved.items() if v is not None and endpoint.get(k) is None]
        rest = sorted(topology.keys() - {HOSTNAME, ZONE})
        losses += [Loss(f"{path}/topology", f"topology key {k} has no place in discovery.k8s.io/v1") for k in rest]
    return Conversion(tuple(operations), losses=tuple(losses))


def removed_priority_level(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """PriorityLevelConfiguration before v1beta3: `assuredConcurrencyShares` is now `nominalConcurrencyShares`."""
    del lookup
    olds = {
        (f"flowcontrol.apiserver.k8s.io/{v}", "PriorityLevelConfiguration"): "flowcontrol.apiserver.k8s.io/v1"
        for v in ("v1beta1", "v1beta2")
    }
    operations = retype(obj, _successor(obj, olds), "PriorityLevelConfiguration")
    spec = obj.get("spec")
    limited = spec.get("limited") if isinstance(spec, dict) else None
    if isinstance(limited, dict) and "assuredConcurrencyShares" in limited:
        operations.append(Op("remove", "/spec/limited/assuredConcurrencyShares"))
        operations.append(Op("add", "/spec/limited/nominalConcurrencyShares", limited["assuredConcurrencyShares"]))
    return Conversion(tuple(operations))


def removed_pod_security_policy(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Always refused: nothing that AKS serves is a PodSecurityPolicy; the reason says what stands in its place."""
    del lookup
    if obj.get("kind") != "PodSecurityPolicy":
        raise CannotConvert("the object is not a PodSecurityPolicy")
    reason = (
        "PodSecurityPolicy has no successor object: label the namespaces with pod-security.kubernetes.io/enforce (or assign the AKS pod"
        " security policies of Azure Policy), write what the policy filled in into the pods, and drop the RBAC rules that `use` it"
    )
    raise CannotConvert(reason)
