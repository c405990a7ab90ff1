"""What each kind of object names besides what its pods name: backends, targets, selectors, accounts, classes, certificates.

References to what clusters bring themselves (built-in ClusterRoles, the account `default`) are marked as made outside or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.domain.convert.stream_names import streams_named
from shared.domain.paths import POD_SPECS, expand
from shared.domain.pointer import MISSING, get
from shared.domain.references import PODS, SERVICES, Reference, named, pods, space, to, usable

Found = Iterator[Reference]
Object = Mapping[str, Any]
CORE_GROUPS = (None, "", "core")
ADDED_LATER = frozenset(
    """
    statefulset.kubernetes.io/pod-name apps.kubernetes.io/pod-index job-name controller-uid batch.kubernetes.io/job-name
    batch.kubernetes.io/controller-uid pod-template-hash controller-revision-hash deployment
    """.split()  # noqa: SIM905 (reads better than a line each)
)
"""Labels that controllers put on pods: no manifest of theirs shows them (kubernetes.io/docs/reference/labels-annotations-taints)."""
GATEWAY_GROUP = "gateway.networking.k8s.io"


def references(obj: Object) -> Found:
    """Every reference of an object; values of a wrong form, and such as hold a variable, are none."""
    found = [*pods(obj), *_streams(obj), *(SPECIFIC[obj["kind"]](obj) if obj["kind"] in SPECIFIC else ())]
    yield from (r for r in found if "${" not in r.name and "$(" not in r.name)


def _streams(obj: Object) -> Found:
    for namespace, name in streams_named(obj):
        yield from to("/spec", "ImageStream", namespace or space(obj), name)


def _mappings(obj: Object, *patterns: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for pattern in patterns:
        for path in expand(obj, pattern):
            value = get(obj, path)
            if isinstance(value, dict):
                yield path, value


def _at(path: str, kind: str, holder: Object, namespace: str | None, part: Any = None, *, outside: bool | None = None) -> Found:
    """A reference by `name` and `namespace` of a mapping."""
    place = holder.get("namespace", namespace)
    if place is None or isinstance(place, str):
        yield from to(f"{path}/name", kind, place, holder.get("name"), part, outside=outside)


def _select(obj: Object, path: str, kind: str, namespace: str | None, *, outside: bool = False) -> Found:
    """What plain labels select; `path` is that of the labels."""
    labels = get(obj, path)
    if isinstance(labels, dict) and labels and all(isinstance(v, str) and "${" not in v for v in labels.values()):
        pairs = tuple(sorted((k, v) for k, v in labels.items() if k not in ADDED_LATER))
        if pairs:
            yield Reference(path, kind, namespace, ",".join(f"{k}={v}" for k, v in pairs), None, pairs, outside)


def _select_plainly(obj: Object, path: str, kind: str, namespace: str | None, *, outside: bool = False) -> Found:
    """What a label selector without expressions selects."""
    if get(obj, f"{path}/matchExpressions") in (MISSING, None, []):
        yield from _select(obj, f"{path}/matchLabels", kind, namespace, outside=outside)


def _service(obj: Object) -> Found:
    yield from _select(obj, "/spec/selector", PODS, space(obj))


def _budget(obj: Object) -> Found:
    yield from _select_plainly(obj, "/spec/selector", PODS, space(obj))


def _network_policy(obj: Object) -> Found:
    yield from _select_plainly(obj, "/spec/podSelector", PODS, space(obj), outside=True)
    for path, peer in _mappings(obj, "/spec/ingress/*/from/*", "/spec/egress/*/to/*"):
        place = None if "namespaceSelector" in peer else space(obj)
        yield from _select_plainly(obj, f"{path}/podSelector", PODS, place, outside=True)


def _monitor(kind: str) -> Callable[[Object], Found]:
    def found(obj: Object) -> Found:
        place = None if get(obj, "/spec/namespaceSelector") not in (MISSING, None, {}) else space(obj)
        yield from _select_plainly(obj, "/spec/selector", kind, place, outside=True)

    return found


def _stateful_set(obj: Object) -> Found:
    yield from named(obj, "/spec/serviceName", "Service")
    yield from named(obj, "/spec/volumeClaimTemplates/*/spec/storageClassName", "StorageClass")


def _scaled(path: str, default: str | None = None) -> Callable[[Object], Found]:
    """The workload that a scaler or disruption object names; of a kind of somebody's own, it may be made by an operator."""

    def found(obj: Object) -> Found:
        for place, target in _mappings(obj, path):
            kind = target.get("kind", default)
            if isinstance(kind, str):
                yield from to(f"{place}/name", kind, space(obj), target.get("name"), outside=kind not in POD_SPECS)

    return found


def _binding(obj: Object) -> Found:
    role = get(obj, "/roleRef")
    if isinstance(role, dict) and role.get("kind") in ("Role", "ClusterRole"):
        yield from to("/roleRef/name", role["kind"], space(obj) if role["kind"] == "Role" else None, role.get("name"))
    for path, subject in _mappings(obj, "/subjects/*"):
        if subject.get("kind") == "ServiceAccount" and subject.get("name") != "default":
            yield from _at(path, "ServiceAccount", subject, space(obj))


def _claim(obj: Object) -> Found:
    yield from named(obj, "/spec/volumeName", "PersistentVolume")
    yield from named(obj, "/spec/storageClassName", "StorageClass")
    for path, source in _mappings(obj, "/spec/dataSource", "/spec/dataSourceRef"):
        if source.get("kind") in ("PersistentVolumeClaim", "VolumeSnapshot"):
            yield from _at(path, source["kind"], source, space(obj), outside=True)


def _ingress(obj: Object) -> Found:
    yield from named(obj, "/spec/tls/*/secretName", "Secret")
    for path, backend in _mappings(obj, "/spec/rules/*/http/paths/*/backend", "/spec/defaultBackend", "/spec/backend"):
        service = backend.get("service")
        if isinstance(service, dict):
            port = service.get("port")
            number = port.get("number", port.get("name")) if isinstance(port, dict) else None
            yield from to(f"{path}/service/name", "Service", space(obj), service.get("name"), number)
        else:
            yield from to(f"{path}/serviceName", "Service", space(obj), backend.get("serviceName"), backend.get("servicePort"))


def _gateway(obj: Object) -> Found:
    for path, certificate in _mappings(obj, "/spec/listeners/*/tls/certificateRefs/*"):
        if certificate.get("kind", "Secret") == "Secret":
            yield from _at(path, "Secret", certificate, space(obj))


def _gateway_route(obj: Object) -> Found:
    for path, parent in _mappings(obj, "/spec/parentRefs/*"):
        if parent.get("kind", "Gateway") == "Gateway" and parent.get("group", GATEWAY_GROUP) == GATEWAY_GROUP:
            yield from _at(path, "Gateway", parent, space(obj), parent.get("sectionName"))
    mirror = "filters/*/requestMirror/backendRef"
    for path, backend in _mappings(obj, "/spec/rules/*/backendRefs/*", f"/spec/rules/*/{mirror}", f"/spec/rules/*/backendRefs/*/{mirror}"):
        if backend.get("kind", "Service") == "Service" and backend.get("group") in CORE_GROUPS:
            yield from _at(path, "Service", backend, space(obj), backend.get("port"))


def _backend_tls(obj: Object) -> Found:
    for path, target in _mappings(obj, "/spec/targetRefs/*"):
        if target.get("kind") == "Service":
            yield from to(f"{path}/name", "Service", space(obj), target.get("name"), target.get("sectionName"))
    for path, authority in _mappings(obj, "/spec/validation/caCertificateRefs/*"):
        if authority.get("kind") in ("ConfigMap", "Secret"):
            yield from to(f"{path}/name", authority["kind"], space(obj), authority.get("name"), "ca.crt")


def _openshift_route(obj: Object) -> Found:
    for path, backend in _mappings(obj, "/spec/to", "/spec/alternateBackends/*"):
        if backend.get("kind", "Service") == "Service":
            yield from to(f"{path}/name", "Service", space(obj), backend.get("name"))


def _traefik_route(obj: Object) -> Found:
    yield from named(obj, "/spec/tls/secretName", "Secret")
    for path, service in _mappings(obj, "/spec/routes/*/services/*"):
        if service.get("kind", "Service") == "Service":
            yield from _at(path, "Service", service, space(obj), service.get("port"))
    for path, middleware in _mappings(obj, "/spec/routes/*/middlewares/*"):
        yield from _at(path, "Middleware", middleware, space(obj))


def _called(*patterns: str) -> Callable[[Object], Found]:
    """The Service that the API server calls: a webhook, an aggregated API. Port 443 where none is named."""

    def found(obj: Object) -> Found:
        for path, service in _mappings(obj, *patterns):
            yield from _at(path, "Service", service, None, usable(service.get("port")) or 443, outside=True)

    return found


SPECIFIC: Mapping[str, Callable[[Object], Found]] = {
    "Service": _service,
    "PodDisruptionBudget": _budget,
    "NetworkPolicy": _network_policy,
    "ServiceMonitor": _monitor(SERVICES),
    "PodMonitor": _monitor(PODS),
    "StatefulSet": _stateful_set,
    "HorizontalPodAutoscaler": _scaled("/spec/scaleTargetRef"),
    "VerticalPodAutoscaler": _scaled("/spec/targetRef"),
    "ScaledObject": _scaled("/spec/scaleTargetRef", "Deployment"),
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "PersistentVolumeClaim": _claim,
    "Ingress": _ingress,
    "Gateway": _gateway,
    "BackendTLSPolicy": _backend_tls,
    "Route": _openshift_route,
    "ValidatingWebhookConfiguration": _called("/webhooks/*/clientConfig/service"),
    "MutatingWebhookConfiguration": _called("/webhooks/*/clientConfig/service"),
    "CustomResourceDefinition": _called("/spec/conversion/webhook/clientConfig/service"),
    "APIService": _called("/spec/service"),
} | dict.fromkeys(("HTTPRoute", "TLSRoute", "GRPCRoute"), _gateway_route) | dict.fromkeys(
    ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP"), _traefik_route
)  # fmt: skip
