"""What the index notes of an object for the move itself: what it runs and asks of a node, what data it holds, what traffic it takes.

Small on purpose, as the index travels with every batch. No value of a Secret, environment variable or argument is among it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.domain.paths import expand, pod_spec
from shared.domain.pointer import JsonValue, get

Noted = dict[str, JsonValue]
HOST_IN_RULE = re.compile(r"Host(?:SNI)?\(([^)]*)\)")
"""Traefik's matcher for host names (doc.traefik.io, routers)."""
QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
ISSUERS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
NODE_KEYS: Mapping[str, tuple[str, ...]] = {
    "arch": ("kubernetes.io/arch", "beta.kubernetes.io/arch"),
    "os": ("kubernetes.io/os", "beta.kubernetes.io/os"),
    "zone": ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
}
ZONES = (*NODE_KEYS["zone"], "topology.disk.csi.azure.com/zone")


def noted(obj: Mapping[str, Any]) -> Noted:
    """The facts of an object; {} where it matters to none of the questions."""
    make = _workload if pod_spec(obj) is not None else NOTES.get(obj["kind"])
    return _filled(make(obj)) if make else {}


def _filled(facts: Noted) -> Noted:
    return {key: value for key, value in facts.items() if value not in (None, [], {}, "")}


def _workload(obj: Mapping[str, Any]) -> Noted:
    base = pod_spec(obj) or ""
    volumes = f"{base}/volumes/*"
    return {
        "replicas": _number(get(obj, "/spec/replicas")),
        "parallelism": _number(get(obj, "/spec/parallelism")),
        "suspended": get(obj, "/spec/suspend") is True or None,
        "containers": [*_containers(obj, f"{base}/initContainers"), *_containers(obj, f"{base}/containers")],
        "amounts": _amounts(get(obj, f"{base}/resources")),
        "claims": sorted(set(_texts(obj, f"{volumes}/persistentVolumeClaim/claimName"))),
        "deletesClaims": "Delete" in _kept(obj) or None,
        "templates": [_filled(_claim(t)) for t in _items(obj, "/spec/volumeClaimTemplates/*")],
        "ephemeral": [_filled(_claim(t)) for t in _items(obj, f"{volumes}/ephemeral/volumeClaimTemplate")],
        "shares": sorted(set(_texts(obj, f"{volumes}/nfs/server"))),
        "pullSecrets": sorted(set(_texts(obj, f"{base}/imagePullSecrets/*/name"))),
        **{fact: sorted(set(_wanted(obj, base, keys))) for fact, keys in NODE_KEYS.items()},
    }


def _kept(obj: Mapping[str, Any]) -> list[Any]:
    """What a StatefulSet says of its claims when it shrinks or goes."""
    policy = get(obj, "/spec/persistentVolumeClaimRetentionPolicy")
    return [policy.get("whenScaled"), policy.get("whenDeleted")] if isinstance(policy, dict) else []


def _containers(obj: Mapping[str, Any], place: str) -> list[Noted]:
    init = place.endswith("initContainers")
    return [_filled(_container(c, init=init)) for c in _items(obj, f"{place}/*")]


def _container(container: Mapping[str, Any], *, init: bool) -> Noted:
    command = container.get("command")
    first = command[0] if isinstance(command, list) and command else command
    return {
        "name": _text(container.get("name")),
        "image": _text(container.get("image")),
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
    for term in _items(obj, terms):
        if term.get("key") in keys and term.get("operator") == "In" and isinstance(term.get("values"), list):
            yield from (value for value in term["values"] if isinstance(value, str))


def _claim(obj: Mapping[str, Any]) -> Noted:
    modes = get(obj, "/spec/accessModes")
    storage = get(obj, "/spec/storageClassName")
    return {
        "name": _text(get(obj, "/metadata/name")),
        "class": storage if isinstance(storage, str) else None,
        "static": storage == "" or None,
        "modes": [m for m in modes if isinstance(m, str)] if isinstance(modes, list) else None,
        "size": _text(get(obj, "/spec/resources/requests/storage")),
        "volume": _text(get(obj, "/spec/volumeName")),
        "block": get(obj, "/spec/volumeMode") == "Block" or None,
    }


def _volume(obj: Mapping[str, Any]) -> Noted:
    spec = obj.get("spec")
    sources = [k for k, v in spec.items() if isinstance(v, dict) and k not in NO_SOURCE] if isinstance(spec, dict) else []
    source = sources[0] if sources else None
    named = spec[source] if isinstance(spec, dict) and source else {}
    return {
        "class": _text(get(obj, "/spec/storageClassName")),
        "source": source,
        "where": [str(named[k]) for k in ("driver", "server", "path", "volumeHandle", "diskURI", "shareName", "volumeID") if k in named],
        "claim": _text(get(obj, "/spec/claimRef/name")),
        "zones": _zones(obj, "/spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*"),
    }


NO_SOURCE = ("capacity", "claimRef", "nodeAffinity")
"""Mappings of a PersistentVolume's spec that are no volume source."""


def _scaler(obj: Mapping[str, Any]) -> Noted:
    keda = obj["kind"] == "ScaledObject"
    return {
        "min": _number(get(obj, "/spec/minReplicaCount" if keda else "/spec/minReplicas")),
        "max": _number(get(obj, "/spec/maxReplicaCount" if keda else "/spec/maxReplicas")),
        "target": _text(get(obj, "/spec/scaleTargetRef/name")),
        "targetKind": _text(get(obj, "/spec/scaleTargetRef/kind")) or "Deployment",
    }


def _service(obj: Mapping[str, Any]) -> Noted:
    if get(obj, "/spec/type") != "LoadBalancer":
        return {}
    ports = [p["port"] for p in _items(obj, "/spec/ports/*") if isinstance(p.get("port"), int)]
    return {"ports": ports, "internal": _annotation(obj, INTERNAL) == "true" or None}


def _ingress(obj: Mapping[str, Any]) -> Noted:
    paths = {str(r.get("host") or ""): _text(get(r, "/http/paths/0/path")) or "/" for r in _items(obj, "/spec/rules/*")}
    tls = [_filled({"secret": _text(t.get("secretName")), "hosts": _strings(t.get("hosts"))}) for t in _items(obj, "/spec/tls/*")]
    return {"hosts": sorted(filter(None, paths)), "paths": paths, "tls": tls, "issuer": _issuer(obj)}


def _route(obj: Mapping[str, Any]) -> Noted:
    return {"hosts": _strings([get(obj, "/spec/host")])}


def _ingress_route(obj: Mapping[str, Any]) -> Noted:
    rules = [r.get("match") for r in _items(obj, "/spec/routes/*")]
    found = [host for rule in rules if isinstance(rule, str) for args in HOST_IN_RULE.findall(rule) for host in QUOTED.findall(args)]
    return {"hosts": sorted(set(found) - {"*"})}


def _gateway_route(obj: Mapping[str, Any]) -> Noted:
    rules = _items(obj, "/spec/rules/*")
    filters = [[f.get("type") for f in _items(rule, "/filters/*")] for rule in rules]
    return {
        "hosts": _strings(get(obj, "/spec/hostnames")),
        "parents": [_filled({k: _text(p.get(k)) for k in ("name", "namespace", "sectionName")}) for p in _items(obj, "/spec/parentRefs/*")],
        "path": _text(get(obj, "/spec/rules/0/matches/0/path/value")),
        "redirects": (bool(filters) and all("RequestRedirect" in f for f in filters)) or None,
    }


def _gateway(obj: Mapping[str, Any]) -> Noted:
    note = f"/spec/infrastructure/annotations/{INTERNAL.replace('/', '~1')}"
    return {
        "class": _text(get(obj, "/spec/gatewayClassName")),
        "internal": get(obj, note) == "true" or None,
        "issuer": _issuer(obj),
        "listeners": [_filled(_listener(x)) for x in _items(obj, "/spec/listeners/*")],
    }


def _listener(listener: Mapping[str, Any]) -> Noted:
    options = get(listener, "/tls/options")
    return {
        "name": _text(listener.get("name")),
        "host": _text(listener.get("hostname")),
        "port": _number(listener.get("port")),
        "protocol": _text(listener.get("protocol")),
        "secrets": _texts(listener, "/tls/certificateRefs/*/name"),
        "vault": (isinstance(options, dict) and any("keyvault" in key for key in options)) or None,
    }


def _certificate(obj: Mapping[str, Any]) -> Noted:
    return {
        "secret": _text(get(obj, "/spec/secretName")),
        "hosts": _strings(get(obj, "/spec/dnsNames")),
        "issuer": _text(get(obj, "/spec/issuerRef/name")),
    }


def _solvers(obj: Mapping[str, Any]) -> Noted:
    return {"solvers": sorted({key for solver in _items(obj, "/spec/acme/solvers/*") for key in solver if key in ("http01", "dns01")})}


def _storage_class(obj: Mapping[str, Any]) -> Noted:
    given = obj.get("parameters")
    named = {str(k).lower(): v for k, v in given.items()} if isinstance(given, dict) else {}
    sku = _text(named.get("skuname", named.get("storageaccounttype")))
    zones = _zones(obj, "/allowedTopologies/*/matchLabelExpressions/*")
    return {"provisioner": _text(obj.get("provisioner")), "sku": sku, "zones": zones}


def _zones(obj: Mapping[str, Any], pattern: str) -> list[str]:
    """The zones that terms on node labels allow."""
    terms = (t for t in _items(obj, pattern) if t.get("key") in ZONES and isinstance(t.get("values"), list))
    return sorted({v for t in terms for v in t["values"] if isinstance(v, str)})


def _external_secret(obj: Mapping[str, Any]) -> Noted:
    return {"secret": _text(get(obj, "/spec/target/name"))}


def _provider_class(obj: Mapping[str, Any]) -> Noted:
    return {"secrets": _texts(obj, "/spec/secretObjects/*/secretName")}


def _definition(obj: Mapping[str, Any]) -> Noted:
    return {"group": _text(get(obj, "/spec/group"))}


NOTES: Mapping[str, Callable[[Mapping[str, Any]], Noted]] = {
    "PersistentVolumeClaim": _claim, "PersistentVolume": _volume, "StorageClass": _storage_class,
    "HorizontalPodAutoscaler": _scaler, "ScaledObject": _scaler, "Service": _service,
    "Ingress": _ingress, "Route": _route, "IngressRoute": _ingress_route, "IngressRouteTCP": _ingress_route,
    "HTTPRoute": _gateway_route, "GRPCRoute": _gateway_route, "TLSRoute": _gateway_route, "Gateway": _gateway,
    "Certificate": _certificate, "Issuer": _solvers, "ClusterIssuer": _solvers,
    "ExternalSecret": _external_secret, "SecretProviderClass": _provider_class, "CustomResourceDefinition": _definition,
}  # fmt: skip
"""By kind, besides the workloads."""


def _items(obj: Mapping[str, Any], pattern: str) -> list[dict[str, Any]]:
    """Every mapping that a pattern of `paths.expand` names."""
    return [value for path in expand(obj, pattern) if isinstance(value := get(obj, path), dict)]


def _texts(obj: Mapping[str, Any], pattern: str) -> list[str]:
    return [value for path in expand(obj, pattern) if isinstance(value := get(obj, path), str) and value]


def _strings(value: Any) -> list[str]:
    return sorted({v for v in value if isinstance(v, str) and v}) if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """A text or a number as text."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _annotation(obj: Mapping[str, Any], key: str) -> Any:
    notes = get(obj, "/metadata/annotations")
    return notes.get(key) if isinstance(notes, dict) else None


def _issuer(obj: Mapping[str, Any]) -> str | None:
    return next((found for key in ISSUERS if (found := _text(_annotation(obj, key)))), None)
