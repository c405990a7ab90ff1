"""`images` of a kustomization: registries that move, entries that follow an image, versions that only a kustomization says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kustomize_support import IMAGES, QUOTED, built, fixed, needs_kubectl, text

from shared.domain.image_names import ImageName

REGISTRY = {"registries": {"registry.lan:5000": "acme.azurecr.io"}}


def test_images_of_a_remote_base_come_from_the_new_registry() -> None:
    images = yaml.safe_load(text(fixed({"kustomization.yaml": IMAGES % QUOTED}, decisions=REGISTRY), "kustomization.yaml"))["images"]
    assert images == [
        {"name": "registry.lan:5000/app", "newName": "acme.azurecr.io/app", "newTag": "1.2"},
        {"name": "web", "newName": "acme.azurecr.io/web", "newTag": "v3"},
        {"name": "db", "newName": "acme.azurecr.io/db"},
    ]


def test_unanswered_registries_of_images_are_asked_once() -> None:
    done = fixed({"kustomization.yaml": IMAGES % QUOTED})
    assert [q.key for q in done.questions if q.key.startswith("registries")] == ["registries.[registry.lan:5000]"]
    assert text(done, "kustomization.yaml") == IMAGES % QUOTED


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: %s}, {name: b, image: web}]}\n"


@needs_kubectl
def test_an_image_entry_follows_the_image_that_moved(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD % "'registry.lan:5000/app:1.0'",
        "prod/kustomization.yaml": IMAGES % "../base",
    }
    done = fixed(files, decisions=REGISTRY)
    images = [c["image"] for c in built(done.after, "prod", tmp_path)["Pod", "p"]["spec"]["containers"]]
    assert images == ["acme.azurecr.io/app:1.2", "acme.azurecr.io/web:v3"]


def test_an_image_whose_version_a_kustomization_says_is_not_asked_for() -> None:
    files = {"kustomization.yaml": "resources: [pod.yaml]\nimages: [{name: web, newTag: v3}, {name: app, newName: x.io/app}]\n",
             "pod.yaml": POD % "app"}  # fmt: skip
    done = fixed(files)
    assert [q.key for q in done.questions if q.key.startswith("images")] == ["images.app"]


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("web", ("web", None, None)),
        ("registry.lan:5000/web", ("registry.lan:5000/web", None, None)),
        ("registry.lan:5000/web:1@sha256:0a", ("registry.lan:5000/web", "1", "sha256:0a")),
    ],
)
def test_image_references_are_cut_as_kustomize_cuts_them(reference: str, parts: tuple[str, str | None, str | None]) -> None:
    assert ImageName.parse(reference) == ImageName(*parts)


@needs_kubectl
def test_the_name_that_one_kustomization_gives_an_image_follows_in_the_next(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [pod.yaml]\nimages: [{name: web, newName: registry.lan:5000/web}]\n",
        "base/pod.yaml": POD % "'a:1'",
        "prod/kustomization.yaml": "resources: [../base]\nimages: [{name: 'registry.lan:5000/web', newTag: v2}]\n",
    }
    done = fixed(files, decisions=REGISTRY)
    images = [c["image"] for c in built(done.after, "prod", tmp_path)["Pod", "p"]["spec"]["containers"]]
    assert images == ["a:1", "acme.azurecr.io/web:v2"]
