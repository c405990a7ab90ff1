"""The boundary for a model's operations (DESIGN 6.3 to 6.6), stricter than for rules: nobody reviewed this answer.

Judged by effect: the operations are applied to a copy of the object and every leaf that differs afterwards must lie where the rule allows
it and where nothing is ever guessed. So neither a wide replace nor a shifted list carries anything along. All reasons are
given, so that the next try can mend all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.domain.boundary import off_limits
from shared.domain.convert.base import Op
from shared.domain.llm.effect import applied, changed, leaves, lists
from shared.domain.llm.security import capabilities_gained, node_ports_left, weakened
from shared.domain.llm.slices import ELIDED
from shared.domain.pointer import MISSING, JsonValue, get, join, split

if TYPE_CHECKING:
    from shared.domain.llm.redaction import Redactor

CLUSTER_WIDE = frozenset(
    {"APIService", "CertificateSigningRequest", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CSIDriver",
     "CSINode", "CustomResourceDefinition", "FlowSchema", "GatewayClass", "IngressClass", "MutatingWebhookConfiguration", "Namespace",
     "Node", "PersistentVolume", "PodSecurityPolicy", "PriorityClass", "PriorityLevelConfiguration", "Project", "RuntimeClass",
     "SecurityContextConstraints", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
     "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeSnapshotClass", "VolumeSnapshotContent"}
)  # fmt: skip
"""Kinds without a namespace (Kubernetes API reference; OpenShift, cert-manager and External Secrets documentation)."""

SENSITIVE = frozenset({"Secret", "Role", "RoleBinding", "ServiceAccount", "SealedSecret"})
"""Kinds of which nothing is left to a model, beside every kind of policy: they hold or grant what must not move."""

IDENTITY = frozenset({"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/generateName", "/metadata/uid",
                      "/metadata/creationTimestamp", "/metadata/resourceVersion", "/metadata/generation"})  # fmt: skip
NEVER_BELOW = (
    "/status",
    "/metadata/managedFields",
    "/metadata/ownerReferences",
    "/metadata/finalizers",
    "/data",
    "/binaryData",
    "/stringData",
)
GUESSES = frozenset(
    {"image", "command", "args", "env", "envFrom", "valueFrom", "lifecycle", "httpGet", "exec", "tcpSocket", "grpc", "selector",
     "matchLabels", "matchExpressions", "labels", "host", "hosts", "hostname", "hostnames", "rules", "tls", "certificate", "caBundle",
     "caCertificate", "destinationCACertificate", "key", "serviceAccountName", "serviceAccount", "serviceName", "roleRef", "subjects",
     "clientConfig", "hostPath", "hostAliases", "nodeName", "externalName", "externalIPs", "loadBalancerIP", "secretName", "secretKeyRef",
     "secretRef", "imagePullSecrets", "initContainers", "ephemeralContainers", "volumeMounts", "mountPath", "sysctls", "unsafeSysctls",
     "livenessProbe", "readinessProbe", "startupProbe", "server", "repository", "repoURL", "chart", "auth", "destination", "source",
     "images", "valuesContent", "valuesObject", "provider", "runAsUserName", "loadBalancerSourceRanges", "ephemeral", "projected",
     "claimName", "dataSource", "dataSourceRef", "configMap", "volumes", "volumeClaimTemplates",
     "storage", "volumeSnapshotClassName"}
)  # fmt: skip
"""Fields whose right value is in nobody's manifest (an image, a probe's path, a host, a certificate), or that run code, grant or select."""

WHOLE = frozenset({"containers", "initContainers", "volumes", "volumeClaimTemplates", "ports", "rules", "paths", "parentRefs"})
"""Lists that may keep all of their items: a model that deletes configuration breaks the application (guide peers 4.1)."""

_TEXT = re.compile(r"[a-z][a-z0-9+.-]*://|\{\{|\$\(|`|<script|javascript:|redacted-(?:secret|host|text)-\d", re.IGNORECASE)
_ANNOTATION = re.compile(
    r"(?i)snippet|lua|last-applied|script|identity|client-id|tenant|auth|inject|sidecar|dns|host|cert|seccomp|apparmor|role|kubectl|argocd|helm|aks-copilot"
)
"""Annotations that carry code, grant an identity, name hosts, steer the tools that deploy, or accept a finding of this program."""
_TEXTS = frozenset({"annotations", "nodeSelector"})
"""Maps whose values are texts; of custom resources no schema says so."""
_INDEX = re.compile(r"0|[1-9]\d{0,4}")


def out_of_reach(obj: Mapping[str, Any]) -> str | None:
    """Why nothing of an object is left to a model, or None."""
    kind, meta = obj.get("kind"), obj.get("metadata")
    if kind in CLUSTER_WIDE or kind in SENSITIVE or str(kind).endswith("Policy"):
        return f"A {kind} is never changed by a model."
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        return "An object without a name is never changed by a model."
    return off_limits(obj)


def offences(obj: Mapping[str, Any], operations: Sequence[Op], allowed: Sequence[str]) -> list[str]:
    """Every reason why operations (placeholders restored) may not be applied to an object; [] where they may.

    `allowed` are pointers inside the object: what lies at or below one of them may change.
    """
    reason = out_of_reach(obj)
    if reason:
        return [reason]
    found = [text for n, o in enumerate(operations, start=1) for text in _of_operation(n, o, obj, allowed)]
    if found:
        return found
    after = applied(obj, operations)
    if after is None:
        broken = next(n for n in range(1, len(operations) + 1) if applied(obj, operations[:n]) is None)
        failing = operations[broken - 1]
        return [f"Operation {broken} cannot be applied: there is nothing to {failing.op} at {failing.path} by then."]
    return list(dict.fromkeys(_of_effect(obj, after, allowed))) or ([] if after != obj else ["The operations change nothing."])


def moved(redactor: Redactor, obj: Mapping[str, Any], operations: Sequence[Op]) -> list[str]:
    """Where operations (placeholders still in them) would write a secret at a place that does not hold it: [] where nowhere."""
    before = redactor.hide(dict(obj))
    old, new = dict(leaves(before)), dict(leaves(applied(before, operations)))
    shown = [p for p in new if redactor.secrets_in([p, new[p]]) - redactor.secrets_in([p, old[p]] if p in old else None)]
    given = {p for o in operations if o.value is not MISSING for p in redactor.secrets_in(o.value)}
    return ["A hidden value would be written where it did not stand."] if shown or given - redactor.secrets_in(before) else []


def too_wide(path: str) -> bool:
    """Whether a pointer names an object's part that holds more than one concern: the object, its spec, a container, a volume."""
    tokens = split(path)
    return len(tokens) < 2 or tokens[-1] in ("spec", "template", *WHOLE) or (len(tokens) > 2 and tokens[-2] in WHOLE)


def steers(tokens: Sequence[str]) -> bool:
    """Whether a pointer's tokens name an annotation that carries code or configuration, or grants an identity."""
    return "annotations" in tokens[:-1] and _ANNOTATION.search(tokens[-1]) is not None


def within(path: str, allowed: Sequence[str]) -> bool:
    """Whether a pointer is at or below one of others."""
    return any(path == place or path.startswith(f"{place}/") for place in allowed if place)


def _of_operation(number: int, operation: Op, obj: Mapping[str, Any], allowed: Sequence[str]) -> Iterator[str]:
    path = operation.path
    try:
        tokens = split(path)
    except ValueError:
        tokens = ()
    if not tokens or path != join(tokens):
        yield f"Operation {number}: its path is no JSON Pointer to a field."
    elif not within(path, allowed):
        yield f"Operation {number}: its path is outside of what may change ({', '.join(allowed)})."
    elif not _steps_right(obj, tokens, add=operation.op == "add"):
        yield f"Operation {number}: its path is not there in this form."
    if operation.value is not MISSING and ELIDED in json.dumps(operation.value):
        yield f"Operation {number}: its value repeats what the slice leaves out."


def _steps_right(value: Any, tokens: Sequence[str], *, add: bool) -> bool:
    """List items are named by their plain number (`-` where one is added); libraries differ in what else they take."""
    for i, token in enumerate(tokens):
        if isinstance(value, list):
            last = i == len(tokens) - 1
            if not _INDEX.fullmatch(token) and not (token == "-" and last and add):  # noqa: S105 (RFC 6901's word for the end of a list)
                return False
        value = get(value, join([token])) if value is not MISSING else MISSING
    return True


def _of_effect(before: Mapping[str, Any], after: Mapping[str, Any], allowed: Sequence[str]) -> Iterator[str]:
    old = dict(leaves(before))
    for path, value in changed(before, after):
        yield from _of_leaf(path, old.get(path, MISSING), value, allowed)
    for path, items in lists(before):
        now = get(after, path)
        if split(path)[-1] in WHOLE and (not isinstance(now, list) or len(now) < len(items)):
            yield f"{path}: items of it would be lost."
    yield from (f"{path} would weaken the security of the object." for path in capabilities_gained(before, after))
    if node_ports_left(after) and not node_ports_left(before):
        yield "/spec/type: without the type's own ports (nodePort, externalTrafficPolicy) taken out, the API server refuses it."


def _of_leaf(path: str, old: JsonValue, new: JsonValue, allowed: Sequence[str]) -> Iterator[str]:
    tokens = split(path)
    if not within(path, allowed) and not any(place.startswith(f"{path}/") for place in allowed):
        yield f"{path} would change, which is outside of what may."
    if path in IDENTITY or within(path, NEVER_BELOW):
        yield f"{path} is never changed."
    guessed = [t for t in tokens if t in GUESSES]
    if guessed:
        yield f"{path}: {guessed[0]} is never guessed by a model."
    if weakened(path, tokens, old, new):
        yield f"{path} would weaken the security of the object."
    if tokens[-1] == "storageClassName" and new is MISSING:
        yield f"{path}: without it the cluster's default would decide where data lies."
    if steers(tokens):
        yield f"{path}: an annotation that carries configuration or code is never written by a model."
    if not _of_one_type(old, new) or (_TEXTS & set(tokens[:-1]) and not isinstance(new, str) and new is not MISSING):
        yield f"{path} takes a value of another type."
    if isinstance(new, str) and _TEXT.search(new):
        yield f"{path}: addresses, templates and code are never written by a model."


def _of_one_type(old: JsonValue, new: JsonValue) -> bool:
    """Whether a leaf keeps its type; a number and a text that begins with one stand for each other (ports, percentages, quantities)."""
    if old is MISSING or new is MISSING or old is None:
        return new is not None
    if type(old) is type(new):
        return True
    scalars = all(isinstance(v, (str, int)) and not isinstance(v, bool) for v in (old, new))
    return scalars and all(str(v)[:1].isdigit() for v in (old, new))
