"""Objects of every workload kind around one PodSpec, and what `inspect` says of them on a target, for the tests of policies."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.model import Violation
from shared.domain.paths import POD_SPECS, pod_metadata
from shared.domain.pointer import split
from shared.domain.rulebook import by_id
from shared.domain.run import RunOptions, SourceFile

APIS = {"Pod": "v1", "PodTemplate": "v1", "ReplicationController": "v1", "Job": "batch/v1", "CronJob": "batch/v1"} | {
    "Rollout": "argoproj.io/v1alpha1"
}
KINDS = tuple(kind for kind in POD_SPECS if kind != "DeploymentConfig")
LISTS = ("containers", "initContainers", "ephemeralContainers")

PROBED = {"readinessProbe": {"tcpSocket": {"port": 80}}, "livenessProbe": {"tcpSocket": {"port": 80}}}
AMOUNTS = {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "100m", "memory": "100Mi"}}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def container(context: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A container that breaks no policy; `context` joins its securityContext."""
    return {
        "name": "c",
        "image": "registry.example.com/c:1",
        "resources": AMOUNTS,
        **PROBED,
        "securityContext": {**RESTRICTED, **(context or {})},
        **fields,
    }


def pod_spec(context: Mapping[str, Any] | None = None, containers: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """A PodSpec that breaks no policy, the level restricted included; `context` joins its securityContext."""
    own = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **(context or {})}
    spec = {"securityContext": own, "initContainers": [container(name="init")], "containers": containers or [container()], **fields}
    return copy.deepcopy({k: v for k, v in spec.items() if v is not None})


def workload(
    kind: str, spec: Mapping[str, Any], *, namespace: str | None = None, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An object of a kind whose pods have this PodSpec."""
    obj: dict[str, Any] = {"apiVersion": APIS.get(kind, "apps/v1"), "kind": kind, "metadata": {"name": "web"}}
    if namespace:
        obj["metadata"]["namespace"] = namespace
    at = obj
    *steps, last = split(POD_SPECS[kind])
    for step in steps:
        at = at.setdefault(step, {})
    at[last] = copy.deepcopy(dict(spec))
    if annotations:
        at = obj
        for step in split(pod_metadata(obj) or ""):
            at = at.setdefault(step, {})
        at["annotations"] = dict(annotations)
    return obj


def findings(*objects: Mapping[str, Any], **target: Any) -> list[Violation]:
    """Every finding of a rule with a policy on a file of these objects; `target` are keys of the target file."""
    return [v for v in all_findings(*objects, **target) if by_id()[v.rule_id].policy]


def all_findings(*objects: Mapping[str, Any], **target: Any) -> list[Violation]:
    """Every finding on a file of these objects; `target` are keys of the target file."""
    text = "---\n".join(json.dumps(obj) + "\n" for obj in objects)
    file = SourceFile("app.yaml", text.encode())
    setup = plan_run([file], RunOptions("test", "generic", json.dumps(target)))
    return inspect(file, setup).violations


def controls(*objects: Mapping[str, Any], **target: Any) -> set[str]:
    """The controls of the Pod Security Standards that fire; safeguards are off, so that only these speak."""
    found = findings(*objects, **{"safeguards": "off", **target})
    return {str(p.control) for v in found if (p := by_id()[v.rule_id].policy) and p.control}
