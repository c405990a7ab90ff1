"""The shared Gateway of a namespace: made for the first routes, extended on later runs by the same rules (DESIGN 10).

Facts: guide/aks_facts_target.md 2.3: each Gateway costs a public IP address, so that there is one per namespace; a certificate is the
property of a listener, and a listener serves one host. All plain traffic shares one listener without a host: the routes name theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.convert.base import Op
from shared.domain.convert.edits import annotation_path, annotations_of, metadata
from shared.domain.convert.gateway_addons import GatewaySetup
from shared.domain.convert.httproute import API_VERSION
from shared.domain.convert.names import listener_name, passthrough_name
from shared.domain.needs import ListenerRequest

FILE_NAME = "aks-gateway.yaml"
LISTENER_LIMIT = 64
INTERNAL = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}


@dataclass(frozen=True, slots=True)
class GatewayPlan:
    """What must happen to the Gateways: operations per document of the existing file, and new documents to append (or to start it with).

    Each conflict is a sentence about a request that the existing listeners contradict: they are kept.
    """

    operations: Mapping[int, tuple[Op, ...]]
    documents: tuple[dict[str, Any], ...]
    conflicts: tuple[str, ...]


NOTHING = GatewaySetup({}, internal=False)


def merge_gateways(
    existing: Sequence[Any], requests: Iterable[ListenerRequest], name: str, class_name: str, setup: GatewaySetup = NOTHING
) -> GatewayPlan:
    """The Gateways called `name` that offer what `requests` ask for; `existing` are the parsed documents of the file, if there is one.

    The outcome does not depend on the order of the requests, and a second call on its own outcome asks for nothing.
    """
    by_namespace: dict[str | None, list[ListenerRequest]] = {}
    for request in requests:
        by_namespace.setdefault(request.namespace, []).append(request)
    operations: dict[int, tuple[Op, ...]] = {}
    documents: list[dict[str, Any]] = []
    conflicts: list[str] = _two_addresses(by_namespace)
    for namespace in sorted(by_namespace, key=lambda n: (n is not None, n or "")):
        wanted, doubts = _listeners(by_namespace[namespace])
        conflicts += doubts
        index = _find(existing, namespace, name)
        if index is None:
            documents.append(_gateway(namespace, name, class_name, wanted, setup))
        else:
            ops, doubts = _extend(existing[index], wanted, setup)
            operations |= {index: ops} if ops else {}
            conflicts += doubts
    conflicts += [
        f"Gateway {name} needs more than {LISTENER_LIMIT} listeners" for d in documents if len(d["spec"]["listeners"]) > LISTENER_LIMIT
    ]
    return GatewayPlan(operations, tuple(documents), tuple(conflicts))


def _two_addresses(by_namespace: Mapping[str | None, Iterable[ListenerRequest]]) -> list[str]:
    """Hosts that several Gateways serve: each has an address of its own, and a host has one DNS record."""
    places: dict[str, set[str]] = {}
    for namespace, requests in by_namespace.items():
        for request in requests:
            if namespace and request.hostname:
                places.setdefault(request.hostname, set()).add(namespace)
    return [
        f"{host}: namespaces {' and '.join(sorted(found))} each get a Gateway with an address of its own: "
        "decide which one the DNS record names, or serve the host from one namespace"
        for host, found in sorted(places.items())
        if len(found) > 1
    ]


def _listeners(requests: Sequence[ListenerRequest]) -> tuple[list[dict[str, Any]], list[str]]:
    """One listener for all plain traffic, one per TLS host; of several certificates for one host the first by name."""
    passed = sorted({r.hostname for r in requests if r.passthrough and r.hostname})
    secrets: dict[str | None, set[str]] = {}
    for request in requests:
        if request.tls_secret is not None:
            secrets.setdefault(request.hostname, set()).add(request.tls_secret)
    plain = [_plain_listener()] if any(r.tls_secret is None and not r.passthrough for r in requests) else []
    secure = [_secure_listener(host, min(secrets[host])) for host in sorted(secrets, key=lambda h: (h is not None, h or ""))]
    doubts = [
        f"{host or 'all hosts'}: one host has one certificate on a Gateway, not {', '.join(sorted(s))}"
        for host, s in secrets.items()
        if len(s) > 1
    ]
    doubts += [f"{host}: TLS is either ended or passed through on a Gateway, not both" for host in passed if host in secrets]
    return plain + secure + [_passthrough_listener(host) for host in passed], sorted(doubts)


def _plain_listener() -> dict[str, Any]:
    return {"name": listener_name(None, tls=False), "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}


def _secure_listener(host: str | None, secret: str) -> dict[str, Any]:
    return {
        "name": listener_name(host, tls=True),
        **({"hostname": host} if host else {}),
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": secret}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }


def _passthrough_listener(host: str) -> dict[str, Any]:
    return {
        "name": passthrough_name(host),
        "hostname": host,
        "port": 443,
        "protocol": "TLS",
        "tls": {"mode": "Passthrough"},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }


def _gateway(namespace: str | None, name: str, class_name: str, listeners: list[dict[str, Any]], setup: GatewaySetup) -> dict[str, Any]:
    spec: dict[str, Any] = {"gatewayClassName": class_name}
    if setup.internal:
        spec["infrastructure"] = {"annotations": dict(INTERNAL)}
    meta: dict[str, Any] = {"name": name} | ({"namespace": namespace} if namespace else {})
    if setup.annotations:
        meta["annotations"] = dict(setup.annotations)
    return {"apiVersion": API_VERSION, "kind": "Gateway", "metadata": meta, "spec": spec | {"listeners": listeners}}


def _find(existing: Sequence[Any], namespace: str | None, name: str) -> int | None:
    for i, document in enumerate(existing):
        meta = document.get("metadata") if isinstance(document, Mapping) and document.get("kind") == "Gateway" else None
        if isinstance(meta, Mapping) and meta.get("name") == name and meta.get("namespace") == namespace:
            return i
    return None


def _extend(gateway: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], setup: GatewaySetup) -> tuple[tuple[Op, ...], list[str]]:
    spec = gateway.get("spec")
    listeners = spec.get("listeners") if isinstance(spec, Mapping) else None
    if not isinstance(listeners, list):
        return (), ["the existing Gateway has no listeners that can be extended"]
    known = {x.get("name"): x for x in listeners if isinstance(x, Mapping)}
    places = {_place(x) for x in known.values()}
    new = [x for x in wanted if x["name"] not in known and _place(x) not in places]
    doubts = [f"listener {x['name']}: its host and port are taken by another listener of the Gateway" for x in wanted
              if x["name"] not in known and _place(x) in places]  # fmt: skip
    doubts += [f"listener {x['name']} is there with another host, protocol or certificate: it is kept" for x in wanted
               if x["name"] in known and (_place(x) != _place(known[x["name"]]) or not _same_certificate(x, known[x["name"]]))]  # fmt: skip
    added = (Op("add", f"/spec/listeners/{len(listeners) + i}", dict(x)) for i, x in enumerate(new))
    return (*added, *_annotated(gateway, setup)), doubts


def _annotated(gateway: Mapping[str, Any], setup: GatewaySetup) -> list[Op]:
    """What the Gateway must say of itself and does not yet; what it says stays."""
    there = annotations_of(gateway)
    new = {k: v for k, v in setup.annotations.items() if k not in there}
    if new and not there:
        return [Op("replace" if "annotations" in metadata(gateway) else "add", "/metadata/annotations", new)]
    return [Op("add", annotation_path(k), v) for k, v in new.items()]


def _place(listener: Mapping[str, Any]) -> tuple[Any, ...]:
    """Port, whether TLS, and host: a Gateway takes each once (its TLS is ended or passed through)."""
    return listener.get("port"), listener.get("protocol") in ("HTTPS", "TLS"), listener.get("hostname")


def _same_certificate(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """True where the listener there offers the Secret wanted, or takes its certificate from Key Vault (`tls.options`)."""
    tls = known.get("tls")
    if "tls" not in wanted or not isinstance(tls, Mapping):
        return "tls" not in wanted
    if "certificateRefs" not in wanted["tls"]:
        return bool(tls.get("mode") == wanted["tls"]["mode"])
    secret = wanted["tls"]["certificateRefs"][0]["name"]
    references = tls.get("certificateRefs") or []
    return bool(tls.get("options")) or secret in [r.get("name") for r in references if isinstance(r, Mapping)]
