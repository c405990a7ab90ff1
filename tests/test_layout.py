"""Where results go, and whether Argo CD or Flux reads what they go into."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.decision_file import FILE_NAME
from shared.domain.gitops import Watcher, same_repository, watchers
from shared.domain.intake import plan_run
from shared.domain.layout import MARKER, Layout, carried, layout_of
from shared.domain.model import FileOutcome, PatchOperation, SourceFinding
from shared.domain.run import RunOptions, RunSetup, SourceFile

SETUP = RunSetup("shop-000000000000", "shop", SourceFinding("k3s", ()), {"title": "AKS", "layout": "auto"}, {}, {}, False)
NEEDED = ["app.yaml", "k8s/b.yaml", "k8s/files/x.ini", "chart/Chart.yaml", "chart/templates/t.yaml"]


def replace_at(path: str, value: str, rule: str) -> PatchOperation:
    return PatchOperation("replace", path, rule, value)


def patched(operations: list[PatchOperation], path: str = "a.yaml") -> FileOutcome:
    return FileOutcome(path, "patched", None, 1, (), tuple(operations))


@pytest.mark.parametrize(
    ("said", "target", "index", "expected"),
    [
        (None, "auto", {}, Layout("in-place", "deploy", "deploy", "main")),
        (None, "auto", {"kustomizations": {"kustomization.yaml": {}}}, Layout("folder", "deploy", "deploy-aks", "main")),
        (
            None, "auto", {"objects": [{"object": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}}]},
            Layout("folder", "deploy", "deploy-aks", "main"),
        ),
        (
            None, "auto", {"objects": [{"object": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}}]},
            Layout("in-place", "deploy", "deploy", "main"),
        ),
        (
            None, "auto", {"objects": [{"object": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}}]},
            Layout("folder", "deploy", "deploy-aks", "main"),
        ),
        (None, "branch", {}, Layout("branch", "deploy", "deploy", "main-aks")),
        ("in-place", "branch", {"kustomizations": {"kustomization.yaml": {}}}, Layout("in-place", "deploy", "deploy", "main")),
    ],
)  # fmt: skip
def test_the_layout_is_what_the_repository_says_else_the_target_else_what_is_found(
    said: str | None, target: str, index: Any, expected: Layout
) -> None:
    setup = replace(SETUP, target={"layout": target}, index=index)

    assert layout_of(setup, said, "deploy", "main") == expected


def test_the_index_of_a_real_run_tells_of_argo_cd() -> None:
    text = b"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {}\n"
    setup = plan_run([SourceFile("a.yaml", text)], RunOptions("shop"))

    assert layout_of(setup, None, ".", "main") == Layout("folder", "", "shop-aks", "main")


def test_answers_stay_with_the_application() -> None:
    layout = Layout("folder", "deploy", "deploy-aks", "main")

    assert (layout.place("a.yaml"), layout.place(FILE_NAME), layout.place(MARKER)) == (
        "deploy-aks/a.yaml", "deploy/.aks-copilot.yaml", "deploy-aks/.aks-copilot-result",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], NEEDED),
        (["kustomization.yaml"], [*NEEDED, "src/a.py", "kustomization.yaml"]),
    ],
)  # fmt: skip
def test_what_a_folder_of_a_whole_repository_gets(more: list[str], expected: list[str]) -> None:
    paths = [
        "app.yaml",
        "k8s/b.yaml",
        "k8s/files/x.ini",
        "chart/Chart.yaml",
        "chart/templates/t.yaml",
        "src/a.py",
        ".github/w.yaml",
        FILE_NAME,
    ]
    outcomes = [FileOutcome(path, "unchanged") for path in ("app.yaml", "k8s/b.yaml")] + [FileOutcome("src/a.py", "skipped")]

    assert carried(outcomes, [*paths, *more], whole_repository=True) == set(expected)
    assert carried(outcomes, paths, whole_repository=False) == set(paths) - {FILE_NAME}


def flux(ref: dict[str, str], url: str = "ssh://git@github.com/acme/shop") -> list[dict[str, Any]]:
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "repo"},
        "spec": {"url": url, "ref": ref},
    }
    user = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "apps"},
        "spec": {"path": "./deploy/shop/", "sourceRef": {"kind": "GitRepository", "name": "repo"}},
    }  # fmt: skip
    return [source, user]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (flux({"branch": "main"}), [Watcher("Flux", "apps", "deploy/shop")]),
        (flux({"branch": "main"})[:1], [Watcher("Flux", "repo", None)]),
        (flux({"name": "refs/heads/main"}), [Watcher("Flux", "apps", "deploy/shop")]),
        (flux({"branch": "main", "commit": "a" * 40}), []),
        (flux({"tag": "v1"}), []),
        (flux({}), []),  # Flux reads master where nothing is said
        (flux({"branch": "main"}, "https://github.com/acme/shop-infra"), []),
    ],
)
def test_flux_is_recognised_by_what_it_reads(objects: Any, expected: list[Watcher]) -> None:
    assert watchers(objects, "acme/shop", "main", "main") == expected


def argo(kind: str = "Application", **spec: Any) -> dict[str, Any]:
    inner = {"template": {"spec": spec}} if kind == "ApplicationSet" else spec
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "a"}, "spec": inner}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (argo(source={"repoURL": "git@github.com:acme/shop.git", "path": "k8s"}), [Watcher("Argo CD", "a", "k8s")]),
        (argo(source={"repoURL": "https://github.com/ACME/Shop/", "targetRevision": "main"}), [Watcher("Argo CD", "a", "")]),
        (argo(sources=[{"repoURL": "https://x/acme/shop", "path": "."}, {"chart": "y"}]), [Watcher("Argo CD", "a", "")]),
        (argo("ApplicationSet", source={"repoURL": "https://x/acme/shop", "path": "apps/{{name}}"}), [Watcher("Argo CD", "a", None)]),
        (argo(source={"repoURL": "https://x/acme/shop", "targetRevision": "v1"}), []),
        (argo(source="broken", sources="broken"), []),
        ({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}, []),
    ],
)
def test_argo_cd_is_recognised_by_what_it_reads(obj: Any, expected: list[Watcher]) -> None:
    assert watchers([obj], "acme/shop", "main", "main") == expected


def test_head_is_the_default_branch_only() -> None:
    obj = argo(source={"repoURL": "https://x/acme/shop", "targetRevision": "HEAD"})

    assert watchers([obj], "acme/shop", "release", "main") == []


@pytest.mark.parametrize("url", ["https://evil/notacme/shop", "https://github.com/acme/shop/tree", None, 5])
def test_other_addresses_are_other_repositories(url: object) -> None:
    assert not same_repository(url, "acme/shop")
