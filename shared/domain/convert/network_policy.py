"""NetworkPolicies that name parts of OpenShift by their namespace: the router, and the cluster's DNS.

Facts: guide/aks_facts_source.md 4.6. Such a rule applies cleanly on AKS and admits nobody, or lets nobody ask for a name. The Gateway of
approuting-istio runs in the namespace of its Gateway object, under the label `gateway.networking.k8s.io/gateway-name`; CoreDNS on OpenShift
listens on 5353, on AKS on 53.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op
from shared.domain.convert.gateway_classes import uses_gateway
from shared.domain.pointer import get

ROUTER: frozenset[tuple[str, str]] = frozenset(
    {
        ("network.openshift.io/policy-group", "ingress"),
        ("policy-group.network.openshift.io/ingress", ""),
        ("kubernetes.io/metadata.name", "openshift-ingress"),
        ("name", "openshift-ingress"),
    }
)
"""Labels of the namespace of OpenShift's router, which no namespace of AKS has."""

DNS: frozenset[tuple[str, str]] = frozenset({("kubernetes.io/metadata.name", "openshift-dns"), ("name", "openshift-dns")})
OPENSHIFT_DNS_PORT, DNS_PORT = 5353, 53
AKS_DNS: Mapping[str, Any] = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


def router_peers(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """Admit the Gateway (or the application routing add-on) where the router was admitted. Raises CannotConvert for finer peers."""
    operations, losses = [], []
    for path, peer in _peers(obj, "ingress", "from"):
        if not _selects(peer, ROUTER):
            continue
        if set(peer) != {"namespaceSelector"} or len(peer["namespaceSelector"]["matchLabels"]) != 1 or len(peer["namespaceSelector"]) != 1:
            raise CannotConvert("the peer says more than the router's namespace, which has no counterpart on AKS", path=path)
        operations.append(Op("replace", path, _entrance(lookup)))
        losses.append(
            Loss(path, "only the shared Gateway of this namespace, or the add-on's controller, is admitted in the router's place")
        )
    if not operations:
        raise CannotConvert("the policy names no router of OpenShift")
    return Conversion(tuple(operations), losses=tuple(losses))


def _entrance(lookup: Lookup) -> dict[str, Any]:
    if not uses_gateway(lookup):
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "app-routing-system"}}}
    name = str(dict(lookup.target.get("ingress") or {}).get("gatewayName"))
    return {"podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": name}}}


def dns_peers(obj: dict[str, Any], _: Lookup) -> Conversion:
    """Let pods ask the DNS of AKS where they were let ask that of OpenShift. Raises CannotConvert for rules that say more."""
    operations: list[Op] = []
    rules = get(obj, "/spec/egress")
    for i, rule in enumerate(rules if isinstance(rules, list) else []):
        peers = rule.get("to") if isinstance(rule, dict) else None
        named = [_selects(p, DNS) for p in peers] if isinstance(peers, list) else []
        if not any(named):
            continue
        ports = rule.get("ports") or []
        if (
            not all(named)
            or not isinstance(ports, list)
            or any(_port(p) not in (OPENSHIFT_DNS_PORT, DNS_PORT, "dns", "dns-tcp") for p in ports)
        ):
            raise CannotConvert("the rule says more than the DNS of OpenShift: split it first", path=f"/spec/egress/{i}")
        operations.append(Op("replace", f"/spec/egress/{i}/to", [dict(AKS_DNS)]))
        operations += [
            Op("replace", f"/spec/egress/{i}/ports/{n}/port", DNS_PORT) for n, p in enumerate(ports) if _port(p) == OPENSHIFT_DNS_PORT
        ]
    if not operations:
        raise CannotConvert("the policy names no DNS of OpenShift")
    return Conversion(tuple(operations))


def _port(port: Any) -> object:
    return port.get("port") if isinstance(port, dict) else None


def _selects(peer: Any, labels: frozenset[tuple[str, str]]) -> bool:
    found = get(peer, "/namespaceSelector/matchLabels") if isinstance(peer, dict) else None
    return isinstance(found, dict) and any(isinstance(v, str) and (k, v) in labels for k, v in found.items())


def _peers(obj: Mapping[str, Any], field: str, side: str) -> list[tuple[str, dict[str, Any]]]:
    rules = get(obj, f"/spec/{field}")
    return [
        (f"/spec/{field}/{i}/{side}/{n}", peer)
        for i, rule in enumerate(rules if isinstance(rules, list) else [])
        if isinstance(rule, dict) and isinstance(rule.get(side), list)
        for n, peer in enumerate(rule[side])
        if isinstance(peer, dict)
    ]
