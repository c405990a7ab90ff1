"""An IngressRoute as the tests of its conversion write it."""

import yaml

WEB = {"name": "web", "port": 80}


def route(match="Host(`a.com`)", **fields):
    return {"kind": "Rule", "match": match, "services": [WEB]} | fields


def ingress_route(*routes, api="traefik.io/v1alpha1", annotations=None, **fields):
    meta = {"name": "web", "namespace": "shop"} | ({"annotations": annotations} if annotations else {})
    spec = {"entryPoints": ["web"], "routes": list(routes) or [route()]} | fields
    spec = {k: v for k, v in spec.items() if v is not None}
    return yaml.safe_dump({"apiVersion": api, "kind": "IngressRoute", "metadata": meta, "spec": spec})


def match(value="/", kind="PathPrefix", **more):
    return {"path": {"type": kind, "value": value}} | more
