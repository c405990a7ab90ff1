"""Which objects name which others: the references that must still meet something after a conversion.

One list for every kind, of plain and foreign objects alike, so that the state before a run and the state after it are read by the same
eyes. References to what clusters usually get from elsewhere (built-in ClusterRoles, pull secrets, optional sources) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.paths import containers, expand, pod_spec
from shared.domain.pointer import MISSING, JsonValue, child, get

PODS = "pods"
"""The target kind of a selector: whatever object makes pods with these labels."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an object names at `path`: another by kind and name, a Service with one of its ports, or the pods that `labels` select."""

    path: str
    kind: str
    namespace: str | None
    name: str
    port: int | str | None = None
    labels: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> list[JsonValue]:
        return [self.path, self.kind, self.namespace, self.name, self.port, [list(pair) for pair in self.labels]]

    @classmethod
    def from_json(cls, data: list[Any]) -> Reference:
        path, kind, namespace, name, port, labels = data
        return cls(path, kind, namespace, name, port, tuple((key, value) for key, value in labels))


def references(obj: Mapping[str, Any]) -> Iterator[Reference]:
    """Every reference of an object; values of a wrong form, and such as hold `${`, are none."""
    found = [*_pods(obj), *_SPECIFIC.get(obj["kind"], _nothing)(obj)]
    yield from (r for r in found if "${" not in r.name and "$(" not in r.name)


def _nothing(_: Mapping[str, Any]) -> Iterator[Reference]:
    return iter(())


def _space(obj: Mapping[str, Any]) -> str | None:
    found = get(obj, "/metadata/namespace")
    return found if isinstance(found, str) else None


def _named(obj: Mapping[str, Any], pattern: str, kind: str, field: str = "") -> Iterator[Reference]:
    """A reference for each place of the pattern that holds a name (in `field` of a mapping), unless that mapping says `optional`."""
    for path in expand(obj, pattern):
        holder = get(obj, path)
        required = isinstance(holder, dict) and holder.get("optional") is not True
        place, value = (child(path, field), holder.get(field) if required else None) if field else (path, holder)
        if isinstance(value, str) and value:
            yield Reference(place, kind, _space(obj), value)


def _pods(obj: Mapping[str, Any]) -> Iterator[Reference]:
    if pod_spec(obj) is None:
        return
    volumes = "$pod/volumes/*"
    yield from _named(obj, f"{volumes}/persistentVolumeClaim", "PersistentVolumeClaim", "claimName")
    for kind, field, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
        yield from _named(obj, f"{volumes}/{field}", kind, key)
        yield from _named(obj, f"{volumes}/projected/sources/*/{field}", kind, "name")
    for place, _ in containers(obj):
        for kind, stem in (("ConfigMap", "configMap"), ("Secret", "secret")):
            yield from _named(obj, f"{place}/env/*/valueFrom/{stem}KeyRef", kind, "name")
            yield from _named(obj, f"{place}/envFrom/*/{stem}Ref", kind, "name")
    accounts = [*_named(obj, "$pod/serviceAccountName", "ServiceAccount"), *_named(obj, "$pod/serviceAccount", "ServiceAccount")]
    yield from (r for r in accounts[:1] if r.name != "default")


def _selector(obj: Mapping[str, Any], path: str) -> Iterator[Reference]:
    labels = get(obj, path)
    if isinstance(labels, dict) and labels and all(isinstance(v, str) and "${" not in v for v in labels.values()):
        pairs = tuple(sorted(labels.items()))
        yield Reference(path, PODS, _space(obj), ",".join(f"{k}={v}" for k, v in pairs), None, pairs)


def _service(obj: Mapping[str, Any]) -> Iterator[Reference]:
    yield from _selector(obj, "/spec/selector")


def _budget(obj: Mapping[str, Any]) -> Iterator[Reference]:
    if get(obj, "/spec/selector/matchExpressions") in (MISSING, None, []):
        yield from _selector(obj, "/spec/selector/matchLabels")


def _stateful_set(obj: Mapping[str, Any]) -> Iterator[Reference]:
    yield from _named(obj, "/spec/serviceName", "Service")


def _autoscaler(obj: Mapping[str, Any]) -> Iterator[Reference]:
    kind = get(obj, "/spec/scaleTargetRef/kind")
    if isinstance(kind, str):
        yield from _named(obj, "/spec/scaleTargetRef/name", kind)


def _binding(obj: Mapping[str, Any]) -> Iterator[Reference]:
    if get(obj, "/roleRef/kind") == "Role":
        yield from _named(obj, "/roleRef/name", "Role")
    for path in expand(obj, "/subjects/*"):
        subject = get(obj, path)
        if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount" and subject.get("name") != "default":
            yield from _at(path, "ServiceAccount", subject, _space(obj))


def _at(path: str, kind: str, holder: Mapping[str, Any], namespace: str | None, port: Any = None) -> Iterator[Reference]:
    """A reference by `name` and `namespace` of a mapping."""
    name, place = holder.get("name"), holder.get("namespace", namespace)
    if isinstance(name, str) and name and (place is None or isinstance(place, str)):
        usable = isinstance(port, (int, str)) and not isinstance(port, bool) and "${" not in str(port)
        yield Reference(f"{path}/name", kind, place, name, port if usable else None)


def _ingress(obj: Mapping[str, Any]) -> Iterator[Reference]:
    for path in (*expand(obj, "/spec/rules/*/http/paths/*/backend"), *expand(obj, "/spec/defaultBackend"), *expand(obj, "/spec/backend")):
        backend = get(obj, path)
        service = backend.get("service") if isinstance(backend, dict) else None
        if isinstance(service, dict):
            port = service.get("port")
            number = port.get("number", port.get("name")) if isinstance(port, dict) else None
            yield from _at(f"{path}/service", "Service", service, _space(obj), number)
        elif isinstance(backend, dict) and isinstance(backend.get("serviceName"), str):
            yield Reference(f"{path}/serviceName", "Service", _space(obj), backend["serviceName"], _port(backend.get("servicePort")))


def _port(value: Any) -> int | str | None:
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _gateway_route(obj: Mapping[str, Any]) -> Iterator[Reference]:
    for path in expand(obj, "/spec/rules/*/backendRefs/*"):
        backend = get(obj, path)
        if isinstance(backend, dict) and backend.get("kind", "Service") == "Service":
            yield from _at(path, "Service", backend, _space(obj), backend.get("port"))


def _openshift_route(obj: Mapping[str, Any]) -> Iterator[Reference]:
    for path in ("/spec/to", *expand(obj, "/spec/alternateBackends/*")):
        backend = get(obj, path)
        if isinstance(backend, dict) and backend.get("kind", "Service") == "Service":
            yield from _at(path, "Service", {"name": backend.get("name")}, _space(obj))


def _ingress_route(obj: Mapping[str, Any]) -> Iterator[Reference]:
    for path in expand(obj, "/spec/routes/*/services/*"):
        service = get(obj, path)
        if isinstance(service, dict) and service.get("kind", "Service") == "Service":
            yield from _at(path, "Service", service, _space(obj), service.get("port"))


_SPECIFIC = {
    "Service": _service,
    "PodDisruptionBudget": _budget,
    "StatefulSet": _stateful_set,
    "HorizontalPodAutoscaler": _autoscaler,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "Ingress": _ingress,
    "Route": _openshift_route,
    "IngressRoute": _ingress_route,
} | dict.fromkeys(("HTTPRoute", "TLSRoute", "GRPCRoute"), _gateway_route)


class Population:
    """The objects that references may meet, trimmed as the index keeps them."""

    def __init__(self, objects: Iterable[Mapping[str, Any]]) -> None:
        self._named: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self._pods: list[tuple[str | None, dict[str, str]]] = []
        for obj in objects:
            name = get(obj, "/metadata/name")
            if isinstance(name, str):
                self._named.setdefault((obj["kind"], name), []).append(obj)
            if "pod" in obj:
                self._pods.append((_space(obj), obj["pod"]["labels"]))

    def meets(self, reference: Reference) -> bool:
        """Whether something answers; a namespace that is left out meets any."""
        if reference.kind == PODS:
            wanted = dict(reference.labels).items()
            return any(_near(place, reference.namespace) and wanted <= labels.items() for place, labels in self._pods)
        return any(True for _ in self._found(reference))

    def has_port(self, reference: Reference) -> bool:
        """Whether the Service that is meant has the port that is named; True where that cannot be told."""
        found = list(self._found(reference))
        return reference.port is None or not found or any(_offers(obj, reference.port) for obj in found)

    def _found(self, reference: Reference) -> Iterator[Mapping[str, Any]]:
        found = self._named.get((reference.kind, reference.name), ())
        return (obj for obj in found if _near(_space(obj), reference.namespace))


def _near(one: str | None, other: str | None) -> bool:
    return one == other or None in (one, other)


def _offers(service: Mapping[str, Any], port: int | str) -> bool:
    ports = get(service, "/spec/ports")
    if get(service, "/spec/type") == "ExternalName" or not isinstance(ports, list):
        return True
    known = [p for p in ports if isinstance(p, dict)]
    return any(isinstance(p.get("port"), str) or str(port) in (str(p.get("port")), p.get("name")) for p in known)
