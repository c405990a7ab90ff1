"""NetworkPolicies that name OpenShift's router or DNS: what takes their place on AKS, and what is left to a person."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal


def policy(**spec: Any) -> str:
    body = {"podSelector": {}} | spec
    return str(yaml.safe_dump({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"}, "spec": body}))


def of(**labels: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {k.replace("__", "/"): v for k, v in labels.items()}}}


ROUTER = {"namespaceSelector": {"matchLabels": {"policy-group.network.openshift.io/ingress": ""}}}
DNS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}


def test_the_gateway_comes_in_where_the_router_did() -> None:
    result, conversion = convert("router-peers", policy(ingress=[{"from": [of(team="a"), ROUTER]}]))
    gateway = {"podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "aks-gateway"}}}
    assert result["spec"]["ingress"] == [{"from": [of(team="a"), gateway]}]
    assert conversion.losses


def test_the_add_ons_controller_comes_in_for_an_ingress() -> None:
    result, _ = convert("router-peers", policy(ingress=[{"from": [ROUTER]}]), FakeLookup(target=INGRESS_TARGET))
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "app-routing-system"}}
    assert result["spec"]["ingress"] == [{"from": [{"namespaceSelector": selector}]}]


def test_a_finer_peer_is_left_to_a_person() -> None:
    assert "more than" in str(expect_refusal("router-peers", policy(ingress=[{"from": [ROUTER | {"podSelector": {}}]}]), FakeLookup()))


def test_the_dns_of_aks_is_asked_on_its_own_port() -> None:
    result, _ = convert("dns-peers", policy(egress=[{"to": [DNS], "ports": [{"protocol": "UDP", "port": 5353}, {"port": 53}]}]))
    (rule,) = result["spec"]["egress"]
    assert [p["port"] for p in rule["ports"]] == [53, 53]
    assert rule["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}


@pytest.mark.parametrize("rule", [{"to": [DNS, of(team="a")]}, {"to": [DNS], "ports": [{"port": 9154}]}])
def test_a_rule_for_more_than_the_dns_is_left_to_a_person(rule: dict[str, Any]) -> None:
    assert "split it" in str(expect_refusal("dns-peers", policy(egress=[rule]), FakeLookup()))
