"""Routes under a kustomization that changes names: built with kubectl, each reference of the result names an object of the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from kustomize_support import SERVICE, built, fixed, needs_kubectl, text

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: traefik
  tls: [{hosts: [www.acme.com], secretName: www}]
  rules: [{host: www.acme.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
"""
ROUTE = """\
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: web, annotations: {haproxy.router.openshift.io/disable_cookies: "true"}}
spec: {host: www.acme.com, to: {kind: Service, name: web}, port: {targetPort: http}}
"""
FLAT = {"kustomization.yaml": "namePrefix: prod-\nresources: [svc.yaml, route.yaml]  # all\n", "svc.yaml": SERVICE}
BASE = {"base/kustomization.yaml": "resources: [svc.yaml, route.yaml]\n", "base/svc.yaml": SERVICE, "base/route.yaml": ROUTE}
MAKES_A_SECRET = "resources: [svc.yaml, route.yaml]\nsecretGenerator: [{name: www, type: kubernetes.io/tls, files: [tls.crt, tls.key]}]\n"


def names(objects: dict[tuple[str, str], Any]) -> tuple[str, list[str], list[str]]:
    """(Service, backends of the route, parents of the route) of a build."""
    (route,) = (o for (kind, _), o in objects.items() if kind == "HTTPRoute")
    service = next(name for kind, name in objects if kind == "Service")
    backends = [ref["name"] for rule in route["spec"]["rules"] for ref in rule.get("backendRefs", ())]
    return service, backends, [p["name"] for p in route["spec"]["parentRefs"]]


@needs_kubectl
@pytest.mark.parametrize(
    ("route", "source"), [(ROUTE, "okd"), (INGRESS.replace("  tls: [{hosts: [www.acme.com], secretName: www}]\n", ""), "k3s")]
)
def test_a_prefix_reaches_what_the_route_names(route: str, source: str, tmp_path: Path) -> None:
    done = fixed(FLAT | {"route.yaml": route}, source)
    after = built(done.after, ".", tmp_path)
    assert names(after) == ("prod-web", ["prod-web"], ["prod-aks-gateway"])
    assert ("Gateway", "prod-aks-gateway") in after
    assert text(done, "kustomization.yaml").startswith("namePrefix: prod-\nresources: [svc.yaml, route.yaml, aks-gateway.yaml]  # all\n")


@needs_kubectl
def test_one_base_serves_overlays_of_several_names(tmp_path: Path) -> None:
    overlays = {f"{name}/kustomization.yaml": f"resources: [../base]\nname{what}: {said}\n"
                for name, what, said in (("dev", "Suffix", "-dev"), ("prod", "Prefix", "prod-"))}  # fmt: skip
    done = fixed(BASE | overlays, "okd")
    assert [names(built(done.after, name, tmp_path))[:2] for name in ("dev", "prod")] == [
        ("web-dev", ["web-dev"]),
        ("prod-web", ["prod-web"]),
    ]
    assert yaml.safe_load(text(done, "base/kustomization.yaml"))["configurations"] == ["aks-names.yaml"]


@needs_kubectl
def test_the_gateway_names_the_secret_that_kustomize_makes(tmp_path: Path) -> None:
    files = {"kustomization.yaml": MAKES_A_SECRET, "svc.yaml": SERVICE, "route.yaml": INGRESS, "tls.crt": "c", "tls.key": "k"}
    after = built(fixed(files).after, ".", tmp_path)
    secret = next(name for kind, name in after if kind == "Secret")
    refs = [r["name"] for x in after["Gateway", "aks-gateway"]["spec"]["listeners"] for r in x.get("tls", {}).get("certificateRefs", ())]
    assert (secret.startswith("www-"), refs) == (True, [secret])


def test_a_file_of_the_teams_own_configurations_stays_beside_it() -> None:
    done = fixed(FLAT | {"route.yaml": ROUTE, "own.yaml": "nameReference: []\n",
                         "kustomization.yaml": FLAT["kustomization.yaml"] + "configurations: [own.yaml]\n"}, "okd")  # fmt: skip
    assert yaml.safe_load(text(done, "kustomization.yaml"))["configurations"] == ["own.yaml", "aks-names.yaml"]
    entry = next(o for o in done.outcomes if o.path == "aks-names.yaml")
    assert (entry.status, {o.rule_id for o in entry.operations}) == ("created", {"AKS0006"})


def test_without_new_names_nothing_is_added() -> None:
    assert "aks-names.yaml" not in fixed(BASE, "okd").after
