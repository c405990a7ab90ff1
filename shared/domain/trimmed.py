"""What the index keeps of an object: its identity, the fields that rules look up in other files, and facts of its pods.

Small on purpose, as the index travels with every batch. Never the data of a Secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.backend_services import ANNOTATIONS
from shared.domain.convert.edits import annotations_of, metadata
from shared.domain.convert.image_triggers import TRIGGERS
from shared.domain.convert.trigger_images import short_tag
from shared.domain.image_names import ImageName
from shared.domain.paths import POD_SPECS, account_of, containers, expand, pod_spec
from shared.domain.pointer import MISSING, JsonValue, get, parent

KEPT: Mapping[str, tuple[str, ...]] = {
    "Service": ("/spec/type", "/spec/clusterIP", "/spec/selector", "/spec/ports"),
    "ImageStream": ("/spec/tags", "/spec/dockerImageRepository", "/spec/lookupPolicy"),
    "Middleware": ("/spec",),
    "IngressRoute": ("/spec",),
    "Route": ("/spec/host", "/spec/tls/termination"),
    "TraefikService": ("/spec",),
    "Ingress": ("/spec", "/metadata/annotations"),
    "Secret": ("/type",),
    "ServiceAccount": ("/metadata/annotations",),
    "AzureIdentity": ("/spec/clientID",),
    "AzureIdentityBinding": ("/spec/azureIdentity", "/spec/selector"),
    "Certificate": ("/spec/secretName", "/spec/dnsNames"),
    "StatefulSet": ("/spec/volumeClaimTemplates",),
    "RoleBinding": ("/roleRef", "/subjects"),
    "ClusterRoleBinding": ("/roleRef", "/subjects"),
    "SecurityContextConstraints": (
        "/users",
        "/groups",
        "/runAsUser",
        "/allowPrivilegeEscalation",
        "/allowedCapabilities",
        "/defaultAddCapabilities",
        "/allowPrivilegedContainer",
        "/allowHostNetwork",
        "/allowHostPorts",
        "/allowHostPID",
        "/allowHostIPC",
        "/allowHostDirVolumePlugin",
    ),
    "StorageClass": ("/provisioner", "/parameters/type"),
    "PersistentVolumeClaim": ("/spec/accessModes", "/spec/storageClassName"),
    "PersistentVolume": ("/spec/storageClassName", "/spec/nfs", "/spec/iscsi", "/spec/fc", "/spec/csi/driver"),
    "VolumeSnapshot": ("/spec/source",),
    "VolumeSnapshotClass": ("/driver",),
    "IngressClass": ("/spec/controller", "/metadata/annotations"),
    "PodDisruptionBudget": ("/spec/selector",),
    "NetworkPolicy": ("/spec/podSelector", "/spec/ingress", "/spec/egress"),
    "ServiceMonitor": ("/spec/selector",),
    "PodMonitor": ("/spec/selector",),
    "CustomResourceDefinition": ("/spec/group", "/spec/names/kind"),
    "HorizontalPodAutoscaler": ("/spec/scaleTargetRef",),
    "Gateway": ("/spec/gatewayClassName", "/spec/listeners"),
    "HelmRelease": ("/spec/chart/spec/chart",),
    "HelmChart": ("/spec/chart",),
    "Application": ("/spec/source/chart",),
}
"""What the index keeps of an object besides its identity."""


FILLED_BY_OTHERS = ("inject", "reflector", "replicat")
"""Parts of labels and annotations by which operators are told to fill a ConfigMap or Secret (service CA, trust bundles, mirrors)."""

IDENTITY_LABELS = frozenset({"azure.workload.identity/use", "aadpodidbinding"})
"""Labels by which pods ask for an identity of Azure: workload identity, and pod-managed identity before it."""


def trim(obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Identity, and the fields of KEPT; as a whole what refers to ImageStreams: only its conversion says if it needs them."""
    kept: dict[str, JsonValue] = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    meta = obj.get("metadata")
    if isinstance(meta, dict):
        kept["metadata"] = {k: meta[k] for k in ("name", "namespace", "labels") if k in meta}
    if obj["kind"] == "Service":
        routing = {k: v for k, v in annotations_of(obj).items() if k in ANNOTATIONS}
        kept.setdefault("metadata", {}).update({"annotations": routing} if routing else {})
    for pointer in KEPT.get(obj["kind"], ()):
        value = get(obj, pointer)
        if value is not MISSING:
            at = kept
            *steps, last = pointer[1:].split("/")
            for step in steps:
                at = at.setdefault(step, {})
            at[last] = value
    if obj["kind"] in ("DeploymentConfig", "BuildConfig") or TRIGGERS in annotations_of(obj):
        kept["whole"] = dict(obj)
    if obj["kind"] in POD_SPECS and pod_spec(obj) is not None:
        kept["pod"] = _pod_facts(obj)
    if obj["kind"] in ("ConfigMap", "Secret") and (keys := _key_names(obj)):
        kept["keys"] = keys
    return kept


def _key_names(obj: Mapping[str, Any]) -> list[JsonValue]:
    """The names of the entries of a ConfigMap or Secret, none of their values; empty where something else writes into it too."""
    notes = [key for field in ("labels", "annotations") if isinstance(found := get(obj, f"/metadata/{field}"), dict) for key in found]
    if any(word in str(note) for note in notes for word in FILLED_BY_OTHERS):
        return []
    found = [get(obj, f"/{field}") for field in ("data", "binaryData", "stringData")]
    return sorted({key for field in found if isinstance(field, dict) for key in field if isinstance(key, str)})


def _pod_facts(obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    base = pod_spec(obj) or ""
    labels = get(obj, "/metadata/labels" if base == "/spec" else parent(base) + "/metadata/labels")
    ports: dict[str, int] = {}
    for _, container in containers(obj):
        for port in container.get("ports") or () if isinstance(container.get("ports"), list) else ():
            if isinstance(port, dict) and isinstance(port.get("name"), str) and isinstance(port.get("containerPort"), int):
                ports.setdefault(port["name"], port["containerPort"])
    images = {found.name for _, c in containers(obj) if isinstance(c.get("image"), str) and (found := ImageName.parse(c["image"]))}
    terms = [get(obj, f"{base}/affinity/{kind}") for kind in ("podAffinity", "podAntiAffinity")]
    spread = get(obj, f"{base}/topologySpreadConstraints")
    facts: dict[str, JsonValue] = {
        "labels": (labels if isinstance(labels, dict) else {}) | _controllers_label(obj),
        "ports": ports,
        "images": sorted(images),
        "short": sorted({tag for _, c in containers(obj) if (tag := short_tag(c.get("image")))}),
        "selectors": [t for t in (*terms, spread) if t is not MISSING],
    }
    replicas = get(obj, "/spec/replicas")
    facts |= {"replicas": replicas} if isinstance(replicas, int) and not isinstance(replicas, bool) else {}
    if IDENTITY_LABELS.intersection(facts["labels"]):
        named = [get(obj, p) for p in expand(obj, "$containers/env/*/name")]
        facts["identity"] = {"account": account_of(obj), "own": "AZURE_CLIENT_ID" in named}
    mounted = (get(obj, p) for p in expand(obj, "$pod/volumes/*/persistentVolumeClaim/claimName"))
    owned = get(obj, "/metadata/ownerReferences") is not MISSING
    claims: list[JsonValue] = [name for name in mounted if isinstance(name, str) and not owned]
    return facts | {"claims": claims} if claims else facts


def _controllers_label(obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The label that OpenShift adds to every pod of a DeploymentConfig, and so does the Deployment where something selects by it."""
    name = metadata(obj).get("name")
    return {"deploymentconfig": name} if obj["kind"] == "DeploymentConfig" and isinstance(name, str) else {}
