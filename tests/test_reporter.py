"""The last step of a run: Gateway, kustomizations, decisions file."""

from __future__ import annotations

import yaml
from rule_support import finished as run

from shared.domain.model import FileOutcome
from shared.domain.run import FinishedRun

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    "spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}\n"
)
ROUTE = """\
apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: web  # the shop
spec:
  host: shop.example.com
  to: {kind: Service, name: web}
  port: {targetPort: http}
"""
CONFIG = """\
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata:
  name: web
spec:
  replicas: 1
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "docker.io/library/nginx:1.27"}]
"""
KUSTOMIZATION = """\
# What we apply.
resources:
  - route.yaml
  - service.yaml
  - dc.yaml
patches:
  - path: more.yaml  # production
"""
PATCH = "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: web}\nspec:\n  replicas: 3\n"


def entry(finished: FinishedRun, path: str) -> FileOutcome:
    return next(o for o in finished.outcomes if o.path == path)


def test_a_converted_route_gets_a_gateway_that_the_kustomization_lists() -> None:
    finished, data = run({"route.yaml": ROUTE, "service.yaml": SERVICE, "kustomization.yaml": "resources: [route.yaml, service.yaml]\n"})
    gateway = yaml.safe_load(data["aks-gateway.yaml"])
    assert gateway["spec"]["gatewayClassName"] == "approuting-istio"
    assert entry(finished, "aks-gateway.yaml").status == "created"
    assert yaml.safe_load(data["kustomization.yaml"])["resources"] == ["route.yaml", "service.yaml", "aks-gateway.yaml"]
    assert entry(finished, "kustomization.yaml").status == "patched"
    assert b"name: web  # the shop" in data["route.yaml"]


def test_a_gateway_that_no_kustomization_lists_is_a_warning() -> None:
    files = {"base/route.yaml": ROUTE, "base/service.yaml": SERVICE, "base/kustomization.yaml": "resources: [route.yaml, service.yaml]\n"}
    finished, _ = run(files)
    (said,) = entry(finished, "aks-gateway.yaml").violations
    assert (said.rule_id, said.severity, said.resolution) == ("AKS0200", "warning", "needs-human")
    assert "apply it in each namespace of the routes" in said.message
    listed = {path.removeprefix("base/"): text for path, text in files.items()}
    assert entry(run(listed)[0], "aks-gateway.yaml").violations == ()


def test_patches_follow_the_object_they_patch() -> None:
    finished, data = run(
        {"kustomization.yaml": KUSTOMIZATION, "dc.yaml": CONFIG, "more.yaml": PATCH, "service.yaml": SERVICE, "route.yaml": ROUTE}
    )
    assert data["more.yaml"].decode() == PATCH.replace("apps.openshift.io/v1", "apps/v1").replace("DeploymentConfig", "Deployment")
    assert {v.resolution for v in entry(finished, "more.yaml").violations if v.path in ("/kind", "/apiVersion")} == {"ignored"}
    assert data["kustomization.yaml"].decode().startswith("# What we apply.\n")


def test_a_second_run_on_the_result_changes_nothing() -> None:
    _, first = run(
        {"kustomization.yaml": KUSTOMIZATION, "dc.yaml": CONFIG, "more.yaml": PATCH, "service.yaml": SERVICE, "route.yaml": ROUTE}
    )
    finished, second = run({path: data.decode() for path, data in first.items()})
    assert second == first
    assert [o.path for o in finished.outcomes if o.operations] == []


def test_a_gateway_that_exists_is_extended_not_replaced() -> None:
    _, first = run({"route.yaml": ROUTE, "service.yaml": SERVICE})
    kept = "# ours\n" + first["aks-gateway.yaml"].decode()
    tls = SERVICE.replace("name: web}", "name: api}")
    ingress = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  ingressClassName: traefik
  tls: [{hosts: [api.example.com], secretName: api-tls}]
  rules:
    - host: api.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}
"""
    finished, data = run({"aks-gateway.yaml": kept, "ingress.yaml": ingress, "service.yaml": tls})
    assert data["aks-gateway.yaml"].decode().startswith("# ours\n")
    hosts = [x.get("hostname") for x in yaml.safe_load(data["aks-gateway.yaml"])["spec"]["listeners"]]
    assert "api.example.com" in hosts
    assert entry(finished, "aks-gateway.yaml").status == "patched"


def test_the_decisions_file_records_the_source_once() -> None:
    finished, data = run({"route.yaml": ROUTE.replace("  host: shop.example.com\n", ""), "service.yaml": SERVICE})
    text = data[".aks-copilot.yaml"].decode()
    assert "source: okd" in text
    assert "# " in text.split("source: okd")[1], "the open question about the host stands there as a comment"
    assert entry(finished, ".aks-copilot.yaml").status == "created"
