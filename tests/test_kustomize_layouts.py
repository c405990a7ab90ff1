"""Repositories of kustomizations, built with kubectl before and after: what built still builds, and means the fixed thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kustomize_support import SERVICE, built, fixed, needs_kubectl, text

DC = """\
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: web}
spec:
  replicas: 1
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "quay.io/acme/web:1.0"}]}
"""
STREAM = """\
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web}
spec: {tags: [{name: latest, from: {kind: DockerImage, name: "quay.io/acme/web:1.0"}}]}
"""
BASE = {
    "base/kustomization.yaml": "resources: [dc.yaml, svc.yaml, is.yaml]\n",
    "base/dc.yaml": DC,
    "base/svc.yaml": SERVICE,
    "base/is.yaml": STREAM,
}
LOCAL = "apiVersion: image.openshift.io/v1\nkind: ImageStream\nmetadata: {name: web}\nspec: {lookupPolicy: {local: true}}\n"
THREE = "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: web}\nspec: {replicas: 3}\n"


def inline(patch: str) -> str:
    return "resources: [../base]\npatches:\n- patch: |-\n    " + patch.rstrip().replace("\n", "\n    ") + "\n"


def both(files: dict[str, str], folder: str, tmp_path: Path, source: str = "okd", **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What kubectl builds of a folder before and after."""
    done = fixed(files, source, **options)
    return built(done.before, folder, tmp_path), built(done.after, folder, tmp_path)


@needs_kubectl
@pytest.mark.parametrize(
    "files",
    [
        {"prod/kustomization.yaml": "resources: [../base]\npatches: [{path: is.yaml}]\n", "prod/is.yaml": LOCAL},
        {"prod/kustomization.yaml": "resources: [../base]\npatchesStrategicMerge: [is.yaml]\n", "prod/is.yaml": LOCAL},
        {"prod/kustomization.yaml": inline(LOCAL)},
        {"prod/kustomization.yaml": "resources: [../base]\npatches: [{path: is.yaml, target: {kind: ImageStream}}]\n",
         "prod/is.yaml": LOCAL},
        {"prod/kustomization.yaml": "resources: [../base]\npatches: [{path: is.yaml}, {path: dc.yaml}]\n", "prod/is.yaml": LOCAL,
         "prod/dc.yaml": THREE},
    ],
)  # fmt: skip
def test_patches_of_objects_that_go_go_with_them(files: dict[str, str], tmp_path: Path) -> None:
    before, after = both(BASE | files, "prod", tmp_path, unsafe=True)
    assert ("ImageStream", "web") in before
    assert set(after) == {("Deployment", "web"), ("Service", "web")}


@needs_kubectl
@pytest.mark.parametrize("field", ["patch", "path"])
def test_a_merge_patch_follows_its_object(field: str, tmp_path: Path) -> None:
    top = inline(THREE) if field == "patch" else "resources: [../base]\npatches: [{path: p.yaml}]\n"
    _, after = both(BASE | {"prod/kustomization.yaml": top, "prod/p.yaml": THREE if field == "path" else ""}, "prod", tmp_path)
    assert after["Deployment", "web"]["spec"]["replicas"] == 3


def test_an_inline_patch_that_follows_keeps_its_text_and_is_nothing_to_do() -> None:
    top = inline(THREE.replace("3}", "3}  # for the fair"))
    done = fixed(BASE | {"prod/kustomization.yaml": top})
    assert text(done, "prod/kustomization.yaml") == top.replace("apps.openshift.io", "apps").replace("DeploymentConfig", "Deployment")
    entry = next(o for o in done.outcomes if o.path == "prod/kustomization.yaml")
    assert {v.resolution for v in entry.violations} == {"ignored"}
