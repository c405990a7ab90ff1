"""A Route, its Service and a Lookup for the tests of the Route conversion."""

import yaml
from convert_support import FakeLookup

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web-v2, namespace: shop}
spec:
  ports: [{name: http, port: 8000, targetPort: 8080}]
"""
COOKIE = {"haproxy.router.openshift.io/disable_cookies": "true"}


def route(annotations=None, **fields):
    spec = {"host": "www.acme.com", "to": {"kind": "Service", "name": "web"}, "port": {"targetPort": 8080}} | fields
    spec = {k: v for k, v in spec.items() if v is not None}
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "annotations": {**COOKIE, **(annotations or {})}}
    return yaml.safe_dump({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta, "spec": spec})


def lookup(decisions=None, objects=SERVICE, target=None):
    return FakeLookup(objects, {"tls.[www.acme.com]": "web-tls"} | (decisions or {}), target)


def rule(**fields):
    return {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]} | fields | {"backendRefs": [{"name": "web", "port": 80}]}
