"""Findings about two routes for the same requests stand at the object that the losing route was made of, in the file as it came."""

from __future__ import annotations

from app_support import fix

SERVICE = """\
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
"""
ROUTE = """\
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: %s, namespace: shop}
spec:
  {host: www.acme.com, to: {kind: Service, name: web},
   tls: {termination: edge, externalCertificate: {name: t}, insecureEdgeTerminationPolicy: Redirect}}
---
"""


def test_the_line_is_that_of_the_second_route_although_documents_were_added_before_it() -> None:
    done = fix({"a.yaml": (SERVICE + ROUTE % "a" + ROUTE % "b").encode()}, "okd")
    found = [v for o in done.outcomes for v in o.violations if v.rule_id == "AKS0211"]
    assert {(v.document, v.path, v.line) for v in found} == {(2, "/kind", 11)}
