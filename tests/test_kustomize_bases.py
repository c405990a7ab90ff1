"""Copies of remote bases: only read; the kustomization that names the base gets patches that do what the rules would do to the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from app_support import Done
from kustomize_support import built, fixed, found, needs_kubectl, text

URL = "https://github.com/acme/base//deploy?ref=v1"
BASE = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: local-path, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {beta.kubernetes.io/os: linux}
      containers:
        - {name: side, image: "docker.io/acme/side:1"}
        - {name: web, image: "registry.lan:5000/web:1"}
"""
OLD = """\
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
"""
TOP = """\
# Production.
resources:
  - https://github.com/acme/base//deploy?ref=v1  # pinned
namePrefix: prod-
patches:
  - target: {kind: Deployment, name: web}  # more of them
    patch: |-
      - op: add
        path: /spec/replicas
        value: 3
"""
ANSWERS = {"bases": {URL: "upstream/base.yaml"}, "registries": {"registry.lan:5000": "acme.azurecr.io"}}


def repository(base: str = BASE, top: str = TOP) -> dict[str, str]:
    return {"prod/kustomization.yaml": top, "upstream/base.yaml": base}


def equal_builds(done: Done, files: dict[str, str], tmp_path: Path, answers: dict[str, Any] = ANSWERS) -> None:
    """What the overlay makes of the unchanged copy is what it makes of the copy that the rules have fixed as a file of the run."""
    local = {path: content.replace(URL, "../upstream") for path, content in files.items()}
    local["upstream/kustomization.yaml"] = "resources: [base.yaml]\n"
    wanted = fixed(local, decisions={k: v for k, v in answers.items() if k != "bases"})
    copy = {**done.after, "upstream/kustomization.yaml": b"resources: [base.yaml]\n"}
    assert built(copy, "prod", tmp_path, {URL: "../upstream"}) == built(wanted.after, "prod", tmp_path)


@needs_kubectl
def test_the_overlay_patches_what_the_rules_would_fix(tmp_path: Path) -> None:
    done = fixed(repository(), decisions=ANSWERS)
    equal_builds(done, repository(), tmp_path)
    image = built({**done.after, "upstream/kustomization.yaml": b"resources: [base.yaml]"}, "prod", tmp_path, {URL: "../upstream"})
    spec = image["Deployment", "prod-web"]["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][1]["image"]) == (3, "acme.azurecr.io/web:1")


def test_the_copy_stays_and_the_text_of_the_kustomization_too() -> None:
    done = fixed(repository(), decisions=ANSWERS)
    assert text(done, "upstream/base.yaml") == BASE
    before, after = TOP.splitlines(), text(done, "prod/kustomization.yaml").splitlines()
    assert [line for line in after if line in before] == before
    entry = next(o for o in done.outcomes if o.path == "upstream/base.yaml")
    assert (entry.status, entry.operations) == ("unchanged", ())
    assert entry.reason == f"A copy of {URL}: only read; its fixes are patches in prod/kustomization.yaml."
    assert ("AKS0101", "/spec/storageClassName", "ignored") in found(done, "upstream/base.yaml")
    assert ("AKS0009", "/resources/0", "ignored") in found(done, "prod/kustomization.yaml")


@needs_kubectl
def test_an_object_of_a_removed_version_is_deleted_and_stands_anew(tmp_path: Path) -> None:
    files = repository(BASE + "---\n" + OLD)
    done = fixed(files, decisions=ANSWERS)
    equal_builds(done, files, tmp_path)
    assert yaml.safe_load(text(done, "prod/aks-bases.yaml"))["apiVersion"] == "policy/v1"
    assert "$patch: delete" in text(done, "prod/kustomization.yaml")
    assert yaml.safe_load(text(done, "prod/kustomization.yaml"))["resources"] == [URL, "aks-bases.yaml"]


INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: traefik
  rules: [{host: www.acme.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
"""


@needs_kubectl
def test_an_ingress_of_the_base_becomes_a_route_beside_the_overlay(tmp_path: Path) -> None:
    files = repository(BASE + INGRESS, TOP.replace("namePrefix: prod-\n", ""))
    done = fixed(files, decisions=ANSWERS)
    equal_builds(done, files, tmp_path)
    kinds = {o["kind"] for o in yaml.safe_load_all(text(done, "prod/aks-bases.yaml"))}
    assert kinds == {"HTTPRoute"}
    assert "aks-gateway.yaml" in done.after


def test_under_a_name_prefix_the_ingress_stays_and_says_why() -> None:
    done = fixed(repository(BASE + INGRESS), decisions=ANSWERS)
    assert "prod/aks-bases.yaml" not in done.after
    assert any(rule == "AKS0202" and state == "needs-human" for rule, _, state in found(done, "upstream/base.yaml"))


def test_a_later_answer_extends_the_patches() -> None:
    first = fixed(repository(), decisions={"bases": ANSWERS["bases"]})
    assert "acme.azurecr.io" not in text(first, "prod/kustomization.yaml")
    files = {path: data.decode() for path, data in first.after.items() if path != ".aks-copilot.yaml"}
    second = fixed(files, decisions=ANSWERS)
    direct = fixed(repository(), decisions=ANSWERS)
    assert yaml.safe_load(text(second, "prod/kustomization.yaml")) == yaml.safe_load(text(direct, "prod/kustomization.yaml"))


def test_a_base_that_somebody_has_looked_at_is_kept() -> None:
    done = fixed({"prod/kustomization.yaml": TOP}, decisions={"bases": {URL: "keep"}})
    assert found(done, "prod/kustomization.yaml") == [("AKS0009", "/resources/0", "ignored")]
    assert text(done, "prod/kustomization.yaml") == TOP


def test_a_long_address_is_a_whole_key_and_its_answer_is_heard() -> None:
    url = f"https://github.com/acme/{'long-' * 20}base//deploy?ref=v1"
    files = {path: content.replace(URL, url) for path, content in repository().items()}
    assert f"bases.[{url}]" in {q.key for q in fixed(files).questions}
    answered = fixed(files, decisions={**ANSWERS, "bases": {url: "upstream/base.yaml"}})
    assert not any(q.key.startswith("bases.") for q in answered.questions)
    assert "managed-csi" in text(answered, "prod/kustomization.yaml")


def test_two_overlays_of_one_base_get_the_patches_each() -> None:
    files = repository() | {"test/kustomization.yml": f"resources:\n- {URL}\n"}
    done = fixed(files, decisions=ANSWERS)
    counts = [len(yaml.safe_load(text(done, p))["patches"]) for p in ("prod/kustomization.yaml", "test/kustomization.yml")]
    assert counts == [3, 2]


@needs_kubectl
def test_a_folder_is_a_copy_too(tmp_path: Path) -> None:
    parts = dict(zip(("a.yaml", "b.yml", "c.yaml"), BASE.split("---\n"), strict=True))
    files = {"prod/kustomization.yaml": TOP, "upstream/kustomization.yaml": "resources: [a.yaml, b.yml, c.yaml]\n"}
    files |= {f"upstream/{name}": part for name, part in parts.items()}
    done = fixed(files, decisions=ANSWERS | {"bases": {URL: "./upstream/"}})
    assert all(text(done, f"upstream/{name}") == part for name, part in parts.items())
    spec = built(done.after, "prod", tmp_path, {URL: "../upstream"})["Deployment", "prod-web"]["spec"]
    assert spec["template"]["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}


@pytest.mark.parametrize(
    ("files", "answer", "said"),
    [
        ({}, "elsewhere.yaml", "not among the files"),
        ({"upstream/kustomization.yaml": "resources: [base.yaml]\nnamePrefix: a-\n"}, "upstream", "changes objects"),
        ({"test/kustomization.yaml": "resources: [../upstream/base.yaml]\n"}, "upstream/base.yaml", "of its own accord"),
    ],
)
def test_an_answer_that_names_no_copy_is_said(files: dict[str, str], answer: str, said: str) -> None:
    done = fixed(repository() | files, decisions=ANSWERS | {"bases": {URL: answer}})
    messages = [v.message for o in done.outcomes if o.path == "prod/kustomization.yaml" for v in o.violations if v.rule_id == "AKS0009"]
    assert any(said in m for m in messages)
    assert text(done, "prod/kustomization.yaml") == TOP


def test_a_patch_that_would_take_the_ground_from_another_is_not_written() -> None:
    base = BASE.replace("spec: {selector", "spec: {type: LoadBalancer, loadBalancerIP: 192.168.1.2, selector")
    top = TOP + "  - target: {kind: Service}\n    patch: '[{op: replace, path: /spec/loadBalancerIP, value: 192.168.1.3}]'\n"
    done = fixed(repository(base, top), decisions=ANSWERS, unsafe=True)
    assert any("has to go" in v.message for o in done.outcomes if o.path == "prod/kustomization.yaml" for v in o.violations)


def test_a_base_outside_of_the_run_is_answered_the_same_way() -> None:
    top = TOP.replace(URL, "../../elsewhere/base")
    done = fixed(repository(top=top), decisions=ANSWERS | {"bases": {"../../elsewhere/base": "upstream/base.yaml"}})
    assert len(yaml.safe_load(text(done, "prod/kustomization.yaml"))["patches"]) == 3
