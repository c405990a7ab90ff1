"""Ingress of extensions/v1beta1 and networking.k8s.io/v1beta1 (removed in 1.22) to networking.k8s.io/v1.

Facts: guide/aks_facts_source.md 6: backends are nested, a string port is a name, and `pathType` is required; ImplementationSpecific is
what its absence meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.convert.edits import is_opaque, namespace_of, retype
from shared.domain.pointer import child

API_VERSIONS = ("extensions/v1beta1", "networking.k8s.io/v1beta1")


def removed_ingress(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The same Ingress in networking.k8s.io/v1. Raises CannotConvert for a backend that v1 cannot say."""
    if obj.get("kind") != "Ingress" or obj.get("apiVersion") not in API_VERSIONS:
        raise CannotConvert("the object is not an Ingress of a removed API")
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        raise CannotConvert("the Ingress has no spec")
    operations = retype(obj, "networking.k8s.io/v1", "Ingress")
    if spec.get("backend") is not None:
        operations += [
            Op("remove", "/spec/backend"),
            Op("add", "/spec/defaultBackend", _backend(obj, spec["backend"], "/spec/backend", lookup)),
        ]
    for path, item in _paths(spec):
        operations.append(Op("replace", f"{path}/backend", _backend(obj, item.get("backend"), f"{path}/backend", lookup)))
        if item.get("pathType") is None:
            operations.append(Op("replace" if "pathType" in item else "add", f"{path}/pathType", "ImplementationSpecific"))
    return Conversion(tuple(operations))


def _paths(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    rules = spec.get("rules")
    for i, rule in enumerate(rules if isinstance(rules, list) else []):
        http = rule.get("http") if isinstance(rule, dict) else None
        paths = http.get("paths") if isinstance(http, dict) else None
        for j, item in enumerate(paths if isinstance(paths, list) else []):
            if isinstance(item, dict):
                yield f"/spec/rules/{i}/http/paths/{j}", item


def _backend(obj: dict[str, Any], backend: Any, path: str, lookup: Lookup) -> dict[str, Any]:
    if not isinstance(backend, dict):
        raise CannotConvert(f"{path} is not a backend", path=path)
    if isinstance(backend.get("resource"), dict):
        return {"resource": backend["resource"]}
    name, port = backend.get("serviceName"), backend.get("servicePort")
    if not isinstance(name, str) or not name:
        raise CannotConvert(f"{child(path, 'serviceName')} is missing", path=path)
    return {"service": {"name": name, "port": _port(namespace_of(obj), name, port, path, lookup)}}


def _port(namespace: str | None, service: str, port: Any, path: str, lookup: Lookup) -> dict[str, Any]:
    if isinstance(port, int) and not isinstance(port, bool):
        return {"number": port}
    if not isinstance(port, str) or not port or is_opaque(port):
        raise CannotConvert(f"{child(path, 'servicePort')} is neither a port number nor a port name", path=path)
    if not port.isdigit():
        return {"name": port}
    spec = lookup.service(namespace, service) or {}
    if any(p.get("port") == int(port) for p in spec.get("ports") or [] if isinstance(p, dict)):
        return {"number": int(port)}
    reason = f"servicePort '{port}' is a string, so a port name, but no port of Service {service} in the run is called or numbered so"
    raise CannotConvert(reason, path=path)
