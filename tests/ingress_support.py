"""An Ingress as the tests of its conversion write it: small values, with what they expect of the rules."""

import yaml
from convert_support import FakeLookup


def path(value="/", kind="Prefix", service="web", port=None):
    found = {"pathType": kind, "backend": {"service": {"name": service, "port": port or {"number": 80}}}}
    return found if value is None else {"path": value} | found


def ingress(annotations=None, cls="traefik", rules=None, tls=None, **fields):
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}} | ({"annotations": annotations} if annotations else {})
    spec = ({"ingressClassName": cls} if cls else {}) | ({"tls": tls} if tls else {}) | fields
    if rules is None:
        rules = [{"host": "www.acme.com", "http": {"paths": [path()]}}]
    return yaml.safe_dump(
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec | ({"rules": rules} if rules else {})}
    )


def rules_of(result):
    return result["spec"]["rules"]


def match(value="/", kind="PathPrefix"):
    return {"path": {"type": kind, "value": value}}


TLS = [{"hosts": ["www.acme.com"], "secretName": "web-tls"}]
WEB = [{"name": "web", "port": 80}]
TRAEFIK, NGINX, ALB = "traefik.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/", "alb.ingress.kubernetes.io/"
K3S = FakeLookup(source="k3s")
SERVICE = FakeLookup("{kind: Service, metadata: {name: web, namespace: shop}, spec: {ports: [{name: http, port: 8080}]}}")
