"""The schemas of the target: built-in kinds as the kubernetes-validate package says, Gateway API kinds as their CRDs do."""

import copy

import kubernetes_validate
import pytest
import yaml

from shared.domain.pointer import split
from shared.domain.schema import flaw, valid

OBJECTS = {
    o["kind"]: o
    for o in yaml.safe_load_all("""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: aks-gateway, sectionName: http}]
  hostnames: [www.acme.com, "*.acme.com", "www.${DOMAIN}"]
  rules:
  - matches: [{path: {type: PathPrefix, value: /a}, method: GET, headers: [{type: Exact, name: X-A, value: b}]}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: web, port: 80, weight: 1}]
    timeouts: {request: 1h30m}
  - matches: [{path: {type: Exact, value: /b}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: aks-gateway}
spec:
  gatewayClassName: approuting-istio
  infrastructure: {annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: "true"}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}
  - {name: https, hostname: a.b, port: 443, protocol: HTTPS, tls: {mode: Terminate, certificateRefs: [{name: web-tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: web, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: web}]
  to: [{group: "", kind: Service, name: web}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: web}
spec:
  targetRefs: [{group: "", kind: Service, name: web, sectionName: https}]
  validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}], hostname: web.shop.svc}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: web}
spec:
  parentRefs: [{name: aks-gateway, sectionName: tls}]
  hostnames: [www.acme.com]
  rules: [{backendRefs: [{name: web, port: 8443}]}]
""")
}
ROUTE, RULE = "HTTPRoute", "/spec/rules/0"


def changed(kind, pointer, value):
    obj = copy.deepcopy(OBJECTS[kind])
    *steps, last = split(pointer)
    place = obj
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return obj


@pytest.mark.parametrize("kind", OBJECTS)
def test_gateway_objects_are_valid(kind):
    assert valid(OBJECTS[kind], "1.35") is True
    assert flaw(OBJECTS[kind], "1.35") is None


@pytest.mark.parametrize(
    ("kind", "pointer", "value"),
    [
        (ROUTE, "/metadata/name", "UPPER"),
        (ROUTE, "/spec/tls", {}),
        (ROUTE, "/spec/hostnames/0", "WWW.acme.com"),
        (ROUTE, "/spec/hostnames/0", "a_b.com"),
        (ROUTE, "/spec/hostnames", [f"h{i}.com" for i in range(17)]),
        (ROUTE, "/spec/parentRefs/0/sectionName", "a_b"),
        (ROUTE, "/spec/rules", []),
        (ROUTE, "/spec/rules", [{"backendRefs": [{"name": "a", "port": 1}]}] * 17),
        (ROUTE, f"{RULE}/backendRefs/0/port", ...),
        (ROUTE, f"{RULE}/backendRefs/0/port", 65536),
        (ROUTE, f"{RULE}/backendRefs/0/port", "http"),
        (ROUTE, f"{RULE}/backendRefs/0/weight", 1000001),
        (ROUTE, f"{RULE}/backendRefs", ...),
        (ROUTE, f"{RULE}/timeouts/request", "90"),
        (ROUTE, f"{RULE}/timeouts/request", "100000s"),
        (ROUTE, f"{RULE}/timeouts/request", "1.5s"),
        (ROUTE, f"{RULE}/matches/0/path/value", "a"),
        (ROUTE, f"{RULE}/matches/0/path/value", "/a//b"),
        (ROUTE, f"{RULE}/matches/0/path/value", "/a/.."),
        (ROUTE, f"{RULE}/matches/0/path/value", "/a b"),
        (ROUTE, f"{RULE}/matches/0/path/type", "Exact"),
        (ROUTE, f"{RULE}/matches/0/method", "get"),
        (ROUTE, f"{RULE}/matches", [{"path": {"type": "PathPrefix", "value": "/a"}}, {"path": {"type": "PathPrefix", "value": "/b"}}]),
        (ROUTE, f"{RULE}/filters/0/type", "RequestRedirect"),
        (ROUTE, f"{RULE}/filters/0/type", "CORS"),
        (ROUTE, f"{RULE}/filters/0/urlRewrite/path/replaceFullPath", "/"),
        (ROUTE, f"{RULE}/retry", {"attempts": 2}),
        (ROUTE, "/spec/rules/1/backendRefs", [{"name": "web", "port": 80}]),
        (ROUTE, "/spec/rules/1/filters/0/requestRedirect/statusCode", 200),
        ("Gateway", "/spec/listeners/0/tls", {}),
        ("Gateway", "/spec/listeners/1/tls", ...),
        ("Gateway", "/spec/listeners/1/tls/mode", "Passthrough"),
        ("Gateway", "/spec/listeners/1/tls/certificateRefs", []),
        ("Gateway", "/spec/listeners/0/protocol", "HTTP2"),
        ("Gateway", "/spec/listeners", []),
        ("Gateway", "/spec/gatewayClassName", ...),
        ("ReferenceGrant", "/spec/from/0/namespace", ...),
        ("ReferenceGrant", "/spec/to", []),
        ("BackendTLSPolicy", "/spec/validation/hostname", "*.a.b"),
        ("BackendTLSPolicy", "/spec/validation/wellKnownCACertificates", "System"),
        ("TLSRoute", "/spec/hostnames", ...),
        ("TLSRoute", "/spec/rules/0/filters", []),
    ],
)
def test_what_the_api_server_refuses(kind, pointer, value):
    obj = changed(kind, pointer, value)
    assert valid(obj, "1.35") is False
    assert (flaw(obj, "1.35") or "").startswith("/")


def test_unknown_kinds_and_versions_have_no_schema():
    assert valid({"apiVersion": "gateway.networking.k8s.io/v1alpha2", "kind": "TCPRoute"}, "1.35") is None
    assert valid({"apiVersion": "example.com/v1", "kind": "HTTPRoute"}, "1.35") is None
    assert valid({"apiVersion": "extensions/v1beta1", "kind": "Ingress"}, "1.35") is None


@pytest.mark.parametrize("version", ["1.31", "1.35", "1.99"])
@pytest.mark.parametrize("ports", [[{"port": 80}], [{"port": "80"}], [{}], "x"])
def test_built_in_kinds_are_judged_as_the_package_does(version, ports):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": ports}}
    try:
        kubernetes_validate.validate(service, "1.37" if version == "1.99" else version, False)
    except kubernetes_validate.ValidationError:
        assert valid(service, version) is False
    else:
        assert valid(service, version) is True
