"""Serving certificates by cert-manager, and what SecurityContextConstraints mean for a namespace."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal
from test_convert_template import run

ALPHA = "service.alpha.openshift.io/serving-cert-secret-name"
ANSWER = {"certificates.issuer": "Issuer/shop-ca"}


def service(namespace: str | None = "shop", **spec: Any) -> str:
    meta = {"name": "web", "annotations": {ALPHA: "web-tls"}} | ({"namespace": namespace} if namespace else {})
    body = {"ports": [{"port": 443}]} | spec
    return str(yaml.safe_dump({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": body}))


def test_the_issuer_is_asked_for_once_for_all() -> None:
    error = expect_refusal("serving-certificate", service(), FakeLookup())
    assert error.question is not None
    assert error.question.key == "certificates.issuer"


def test_a_certificate_stands_beside_the_service() -> None:
    result, conversion = convert("serving-certificate", service(clusterIP="None"), FakeLookup(decisions=ANSWER))
    assert "annotations" not in result["metadata"]
    (certificate,) = conversion.insert_after
    assert certificate["spec"]["secretName"] == "web-tls"
    assert certificate["spec"]["issuerRef"] == {"kind": "Issuer", "name": "shop-ca"}
    assert "*.web.shop.svc" in certificate["spec"]["dnsNames"]
    assert conversion.resources
    assert "must trust Issuer shop-ca" in conversion.losses[0].message


def test_a_name_alone_is_a_cluster_issuer_and_nonsense_is_asked_again() -> None:
    _, conversion = convert("serving-certificate", service(), FakeLookup(decisions={"certificates.issuer": "ca"}))
    assert conversion.insert_after[0]["spec"]["issuerRef"] == {"kind": "ClusterIssuer", "name": "ca"}
    assert expect_refusal("serving-certificate", service(), FakeLookup(decisions={"certificates.issuer": "Other/ca"})).question is not None


def test_without_a_namespace_no_certificate_can_name_the_service() -> None:
    assert "<service>.<namespace>.svc" in str(expect_refusal("serving-certificate", service(None), FakeLookup(decisions=ANSWER)))


def test_two_services_do_not_share_a_certificate() -> None:
    taken = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web-tls, namespace: shop}\n"
    assert "already there" in str(expect_refusal("serving-certificate", service(), FakeLookup(taken, ANSWER)))


@pytest.mark.parametrize(
    ("fields", "level", "added"),
    [
        ({"allowHostNetwork": True}, "privileged", ""),
        ({"allowedCapabilities": ["SYS_ADMIN"]}, "privileged", ""),
        ({"runAsUser": {"type": "RunAsAny"}}, "baseline", ""),
        ({"runAsUser": {"type": "MustRunAs", "uid": 1001}, "allowPrivilegeEscalation": False}, "restricted", "runAsUser 1001"),
        (
            {"runAsUser": {"type": "MustRunAsRange"}, "allowPrivilegeEscalation": False, "requiredDropCapabilities": ["ALL"]},
            "restricted",
            "dropped capabilities ALL",
        ),
        ({"fsGroup": {"type": "MustRunAs", "ranges": [{"min": 7}]}, "readOnlyRootFilesystem": True}, "baseline", "fsGroup 7, readOnly"),
    ],
)
def test_a_constraint_says_which_level_its_pods_need(fields: dict[str, Any], level: str, added: str) -> None:
    scc = {"apiVersion": "security.openshift.io/v1", "kind": "SecurityContextConstraints", "metadata": {"name": "app"}} | fields
    (violation,) = run(("scc.yaml", yaml.safe_dump(scc)))["scc.yaml"].outcome.violations
    assert f"enforce: {level};" in violation.message
    assert (f"({added}" if added else "it wrote nothing into them") in violation.message
