"""Routes on a target that serves Ingress: ingress-nginx, and the classes that it does not know."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, convert, expect_refusal, messages
from route_support import lookup, route


def test_ingress_target():
    result, conversion = convert("route", route({"team": "a"}, tls={"termination": "edge"}), lookup(target=INGRESS_TARGET))
    assert result == yaml.safe_load("""
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata:
        name: web
        namespace: shop
        labels: {app: web}
        annotations: {team: a, nginx.ingress.kubernetes.io/ssl-redirect: "true"}
      spec:
        ingressClassName: webapprouting.kubernetes.azure.com
        tls: [{hosts: [www.acme.com], secretName: web-tls}]
        rules:
        - host: www.acme.com
          http:
            paths:
            - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
    """)
    assert conversion.listeners == ()
    assert "redirects it with 308" in messages(conversion)


def test_ingress_target_settings():
    annotations = {"haproxy.router.openshift.io/timeout": "90s", "haproxy.router.openshift.io/ip_allowlist": "10.0.0.0/8 192.168.1.1"}
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    result, conversion = convert("route", route(annotations, tls=tls), lookup(target=INGRESS_TARGET))
    assert result["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "90",
        "nginx.ingress.kubernetes.io/proxy-send-timeout": "90",
        "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.168.1.1",
        "nginx.ingress.kubernetes.io/ssl-redirect": "false",
    }
    assert "externalTrafficPolicy: Local" in messages(conversion)


def test_ingress_target_canary():
    alternates = [{"kind": "Service", "name": "web-v2", "weight": 50}]
    _, conversion = convert("route", route(alternateBackends=alternates), lookup(target=INGRESS_TARGET))
    (canary,) = conversion.insert_after
    assert canary["metadata"]["name"] == "web-canary"
    assert canary["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": "50",
        "nginx.ingress.kubernetes.io/canary-weight-total": "150",
    }
    assert canary["spec"]["rules"][0]["http"]["paths"][0]["backend"] == {"service": {"name": "web-v2", "port": {"number": 8000}}}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"to": {"kind": "Service", "name": "web", "weight": 0}}, "weight 0"),
        ({"alternateBackends": [{"kind": "Service", "name": "web-v2"}, {"kind": "Service", "name": "web-v2"}]}, "two backends at most"),
        ({"httpHeaders": {"actions": {}}}, "snippets"),
        ({"annotations": {"haproxy.router.openshift.io/rewrite-target": "/"}, "path": "/a"}, "regular expression"),
    ],
)
def test_what_an_ingress_cannot_say(fields, why):
    assert why in str(expect_refusal("route", route(**fields), lookup(target=INGRESS_TARGET)))


def test_an_ingress_class_that_is_no_nginx_is_refused():
    target = {"ingress": {"kind": "ingress", "class": "azure-alb-external"}}
    assert "azure-alb-external" in str(expect_refusal("route", route(), lookup(target=target)))
