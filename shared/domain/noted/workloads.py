"""What a workload runs, what it asks of a node, which data it mounts; and what scales it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.noted.storage import ZONE_KEYS, claim
from shared.domain.noted.values import Noted, filled, items, number, text, texts
from shared.domain.paths import pod_spec
from shared.domain.pointer import get

NODE_KEYS: Mapping[str, tuple[str, ...]] = {
    "arch": ("kubernetes.io/arch", "beta.kubernetes.io/arch"),
    "os": ("kubernetes.io/os", "beta.kubernetes.io/os"),
    "zone": ZONE_KEYS,
}


def workload(obj: Mapping[str, Any]) -> Noted:
    """Pods: how many, their containers with amounts, their data, and the node labels that they need (`arch`, `os`, `zone`)."""
    base = pod_spec(obj) or ""
    volumes = f"{base}/volumes/*"
    return {
        "replicas": number(get(obj, "/spec/replicas")),
        "parallelism": number(get(obj, "/spec/parallelism")),
        "suspended": get(obj, "/spec/suspend") is True or None,
        "containers": [*_containers(obj, f"{base}/initContainers"), *_containers(obj, f"{base}/containers")],
        "amounts": _amounts(get(obj, f"{base}/resources")),
        "claims": sorted(set(texts(obj, f"{volumes}/persistentVolumeClaim/claimName"))),
        "deletesClaims": "Delete" in _kept(obj) or None,
        "templates": [filled(claim(t)) for t in items(obj, "/spec/volumeClaimTemplates/*")],
        "ephemeral": [filled(claim(t)) for t in items(obj, f"{volumes}/ephemeral/volumeClaimTemplate")],
        "shares": sorted(set(texts(obj, f"{volumes}/nfs/server"))),
        "pullSecrets": sorted(set(texts(obj, f"{base}/imagePullSecrets/*/name"))),
        **{fact: sorted(set(_wanted(obj, base, keys))) for fact, keys in NODE_KEYS.items()},
    }


def _kept(obj: Mapping[str, Any]) -> list[Any]:
    """What a StatefulSet says of its claims when it shrinks or goes."""
    policy = get(obj, "/spec/persistentVolumeClaimRetentionPolicy")
    return [policy.get("whenScaled"), policy.get("whenDeleted")] if isinstance(policy, dict) else []


def _containers(obj: Mapping[str, Any], place: str) -> list[Noted]:
    init = place.endswith("initContainers")
    return [filled(_container(c, init=init)) for c in items(obj, f"{place}/*")]


def _container(container: Mapping[str, Any], *, init: bool) -> Noted:
    command = container.get("command")
    first = command[0] if isinstance(command, list) and command else command
    return {
        "name": text(container.get("name")),
        "image": text(container.get("image")),
        "role": ("sidecar" if container.get("restartPolicy") == "Always" else "init") if init else None,
        "starts": str(first).rpartition("/")[2] if isinstance(first, str) else None,
        **_amounts(container.get("resources")),
    }


def _amounts(resources: Any) -> Noted:
    """`requests` and `limits` of CPU, memory and devices."""
    parts = {part: resources.get(part) for part in ("requests", "limits")} if isinstance(resources, dict) else {}
    return {part: _sized(amounts) for part, amounts in parts.items() if isinstance(amounts, dict) and _sized(amounts)}


def _sized(amounts: Mapping[str, Any]) -> Noted:
    return {k: v for k, v in amounts.items() if (k in ("cpu", "memory") or "/" in k) and isinstance(v, (str, int, float))}


def _wanted(obj: Mapping[str, Any], base: str, keys: tuple[str, ...]) -> Iterator[str]:
    """The values of a node label without which a pod is not placed."""
    selector = get(obj, f"{base}/nodeSelector")
    yield from (selector[key] for key in keys if isinstance(selector, dict) and isinstance(selector.get(key), str))
    terms = f"{base}/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/*/matchExpressions/*"
    for term in items(obj, terms):
        if term.get("key") in keys and term.get("operator") == "In" and isinstance(term.get("values"), list):
            yield from (value for value in term["values"] if isinstance(value, str))


def scaler(obj: Mapping[str, Any]) -> Noted:
    """`min`, `max` and `target` of an autoscaler: a HorizontalPodAutoscaler or a ScaledObject of KEDA."""
    keda = obj["kind"] == "ScaledObject"
    return {
        "min": number(get(obj, "/spec/minReplicaCount" if keda else "/spec/minReplicas")),
        "max": number(get(obj, "/spec/maxReplicaCount" if keda else "/spec/maxReplicas")),
        "target": text(get(obj, "/spec/scaleTargetRef/name")),
        "targetKind": text(get(obj, "/spec/scaleTargetRef/kind")) or "Deployment",
    }
