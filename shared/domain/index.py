"""The cross-file facts of a run: which objects there are, trimmed to what rules look up, and what hints at the source.

Built once by the Intake over every file and frozen in the run's setup. JSON values only; never Secret data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from shared.domain.convert.backend_services import ANNOTATIONS
from shared.domain.convert.edits import annotations_of, metadata
from shared.domain.convert.image_triggers import TRIGGERS
from shared.domain.convert.kustomize import Kustomizations
from shared.domain.convert.kustomize_names import without_literals
from shared.domain.convert.template import Answers, expanded
from shared.domain.convert.trigger_images import short_tag
from shared.domain.image_names import ImageName
from shared.domain.manifest import KUSTOMIZATION_NAMES, Manifest, resources
from shared.domain.noted import noted
from shared.domain.paths import POD_SPECS, containers, expand, metadata_places, pod_spec
from shared.domain.pointer import MISSING, JsonValue, get, parent
from shared.domain.reference_kinds import references

LEGACY_OPENSHIFT = frozenset(
    """
    Route DeploymentConfig ImageStream ImageStreamTag ImageStreamImport BuildConfig Build Template TemplateInstance
    SecurityContextConstraints Project ProjectRequest DeploymentConfigRollback Group User Identity OAuthClient NetNamespace
    HostSubnet EgressNetworkPolicy ClusterNetwork PolicyBinding Policy RoleBindingRestriction AppliedClusterResourceQuota
    ClusterResourceQuota Image ImageSignature ImageStreamImage ImageStreamMapping UserIdentityMapping OAuthAccessToken
    OAuthAuthorizeToken OAuthClientAuthorization ClusterPolicy ClusterPolicyBinding BuildRequest BuildLog BrokerTemplateInstance
    """.split()  # noqa: SIM905 (reads better than 39 lines)
)
"""Kinds that OpenShift 3 served under the ungrouped `v1` (aks_facts_source 4)."""

PATCH_BYTES = 64 * 1024
"""A larger file is no patch of a kustomization that this program follows."""

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


def build_index(manifests: Iterable[Manifest], answers: Answers) -> dict[str, JsonValue]:
    """`{"objects": [...], "features": {feature: {"files", "first"}}, "kustomizations": {path: content}, "patches": {path: documents}}`.

    `answers` is not asked before the last manifest was taken: it decides which Templates can be expanded, whose objects then count too.
    """
    objects: list[JsonValue] = []
    features: dict[str, dict[str, Any]] = {}
    kustomizations: dict[str, JsonValue] = {}
    small: dict[str, list[JsonValue]] = {}
    templates: list[tuple[str, int, str, dict[str, Any]]] = []
    for manifest in manifests:
        if manifest.documents and len(manifest.data) <= PATCH_BYTES:
            small[manifest.path] = [d.value for d in manifest.documents]
        if (
            PurePosixPath(manifest.path).name in KUSTOMIZATION_NAMES
            and manifest.documents
            and isinstance(manifest.documents[0].value, dict)
        ):
            kustomizations[manifest.path] = without_literals(manifest.documents[0].value)
        if manifest.status != "manifest":
            continue
        seen: set[str] = set()
        for document in manifest.documents:
            for base, obj in resources(document):
                objects.append(_entry(manifest.path, document.index, base, obj))
                templates += [(manifest.path, document.index, base, obj)] if obj["kind"] == "Template" else []
                seen.update(feature for inner in (obj, *templated(obj)) for feature in features_of(inner))
        for feature in sorted(seen):
            features.setdefault(feature, {"files": 0, "first": manifest.path})["files"] += 1
    objects += [
        _entry(path, document, base + place, inner) for path, document, base, obj in templates for place, inner in expanded(obj, answers)
    ]
    return {"objects": objects, "features": features, "kustomizations": kustomizations, "patches": _patches(kustomizations, small)}


def _entry(path: str, document: int, base: str, obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    """One object of the index, with what it names of others."""
    named: list[JsonValue] = [reference.to_json() for reference in references(obj)]
    entry: dict[str, JsonValue] = {"file": path, "document": document, "base": base, "object": trim(obj)}
    more = {"refs": named, "noted": noted(obj)}
    return entry | {key: value for key, value in more.items() if value}


def _patches(kustomizations: Mapping[str, Any], small: Mapping[str, list[JsonValue]]) -> dict[str, JsonValue]:
    """The documents of every file that a kustomization uses as a patch; null in the place of a Secret."""
    found = Kustomizations(kustomizations, small.get).patch_files()
    return {path: [None if _is_secret(d) else d for d in small[path]] for path in sorted(found) if path in small}


def _is_secret(document: JsonValue) -> bool:
    return isinstance(document, dict) and document.get("kind") == "Secret"


def templated(obj: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects inside an OpenShift Template."""
    inner = obj.get("objects") if obj.get("kind") == "Template" else None
    for item in inner if isinstance(inner, list) else ():
        if isinstance(item, dict) and isinstance(item.get("kind"), str) and isinstance(item.get("apiVersion"), str):
            yield item


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


def account_of(obj: Mapping[str, Any]) -> str:
    """The name of the ServiceAccount that the pods of an object run under."""
    name = get(obj, f"{pod_spec(obj)}/serviceAccountName")
    return name if isinstance(name, str) and name else "default"


IDENTITY_LABELS = frozenset({"azure.workload.identity/use", "aadpodidbinding"})
"""Labels by which pods ask for an identity of Azure: workload identity, and pod-managed identity before it."""


def _controllers_label(obj: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The label that OpenShift adds to every pod of a DeploymentConfig, and so does the Deployment where something selects by it."""
    name = metadata(obj).get("name")
    return {"deploymentconfig": name} if obj["kind"] == "DeploymentConfig" and isinstance(name, str) else {}


def features_of(obj: Mapping[str, Any]) -> Iterator[str]:
    """What an object shows of the environment it was written for, as `family:value` (see the profiles)."""
    api, kind = obj["apiVersion"], obj["kind"]
    group = api.rpartition("/")[0] or ("openshift-legacy" if kind in LEGACY_OPENSHIFT else "core")
    yield f"kind:{group}/{kind}"
    yield from _metadata_features(obj)
    for pattern, family in (
        ("/spec/storageClassName", "storageClass"),
        ("/spec/ingressClassName", "ingressClass"),
        ("/provisioner", "provisioner"),
    ):
        yield from _text(obj, pattern, family)
    rules = get(obj, "/spec/rules")
    for rule in rules if isinstance(rules, list) else ():
        yield from _text(rule, "/host", "host")
    claims = get(obj, "/spec/volumeClaimTemplates")
    for claim in claims if isinstance(claims, list) else ():
        yield from _text(claim, "/spec/storageClassName", "storageClass")
    yield from _pod_features(obj)


def _metadata_features(obj: Mapping[str, Any]) -> Iterator[str]:
    for place in metadata_places(obj):
        for field, family in (("annotations", "annotation"), ("labels", "label")):
            values = get(obj, f"{place}/{field}")
            if isinstance(values, dict):
                yield from (f"{family}:{key}" for key in values)
                ingress_class = values.get("kubernetes.io/ingress.class")
                if isinstance(ingress_class, str):
                    yield f"ingressClass:{ingress_class}"


def _pod_features(obj: Mapping[str, Any]) -> Iterator[str]:
    base = pod_spec(obj)
    if base is None:
        return
    for _, container in containers(obj):
        yield from _text(container, "/image", "image")
    selector = get(obj, f"{base}/nodeSelector")
    yield from (f"nodeLabel:{key}" for key in selector) if isinstance(selector, dict) else ()
    volumes = get(obj, f"{base}/volumes")
    for volume in volumes if isinstance(volumes, list) else ():
        yield from _text(volume, "/hostPath/path", "hostPath")


def _text(value: Any, pointer: str, family: str) -> Iterator[str]:
    found = get(value, pointer)
    if isinstance(found, str) and found and "${" not in found:
        yield f"{family}:{found}"
