"""Where the results go, on the emulator: the files themselves, a folder of their own, a branch of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from emulate_support import Emulate
from pull_support import BRANCH, FOLDER, Site, claim

from shared.domain.code_host import SYMLINK
from shared.domain.layout import MARKER

APP, RESULT = f"{FOLDER}/app.yaml", f"{FOLDER}-aks"
KUSTOMIZATION = "resources: [app.yaml]\nconfigMapGenerator:\n  - {name: settings, files: [settings/app.ini]}\n"
KUSTOMIZED = {
    APP: claim(),
    f"{FOLDER}/kustomization.yaml": KUSTOMIZATION,
    f"{FOLDER}/settings/app.ini": "a=1\n",
}
FLUX = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: shop, namespace: flux-system}}
spec: {{interval: 1m, url: "https://github.com/{repository}", ref: {{branch: main}}}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: shop, namespace: flux-system}}
spec: {{interval: 1m, prune: true, path: ./deploy/shop, sourceRef: {{kind: GitRepository, name: shop}}}}
"""
WHOLE = "repository: {{source: k3s, layout: {layout}}}\n"


def argo(path: str, repository: str, revision: str = "HEAD") -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop, namespace: argocd}}
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: shop}}
  source: {{repoURL: "https://github.com/{repository}.git", path: {path}, targetRevision: {revision}}}
"""


def below(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {path.removeprefix(f"{folder}/"): data for path, data in files.items() if path.startswith(f"{folder}/")}


@pytest.mark.parametrize("layout", ["auto", "overlay", "folder"])
def test_a_kustomized_application_gets_a_folder_of_its_own(emulate: Emulate, layout: str) -> None:
    site = Site(emulate, KUSTOMIZED, layout)

    head = site.push()

    before, after = site.files("main"), site.files()
    assert below(after, FOLDER) | {".aks-copilot.yaml": b""} == below(before, FOLDER) | {".aks-copilot.yaml": b""}
    made = below(after, RESULT)
    assert MARKER in made
    assert {path: data for path, data in made.items() if path != MARKER} == {
        path: data for path, data in site.results().items() if path != ".aks-copilot.yaml"
    }
    assert made["settings/app.ini"] == b"a=1\n"
    assert [c["message"].splitlines()[0] for c in site.commits(until=head)][:2] == [
        "Copy the manifests to deploy/shop-aks as they are (shop)",
        "Storage for AKS (shop)",
    ]
    (pull,) = site.repository.pulls()
    assert pull["body"].startswith("The version for AKS is `deploy/shop-aks`: point AKS there.")


def test_the_folder_builds_what_the_application_built(emulate: Emulate, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl")
    site = Site(emulate, KUSTOMIZED, "overlay")
    site.push()
    for path, data in site.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    built = [
        subprocess.run(["kubectl", "kustomize", tmp_path / f], capture_output=True, check=True, text=True).stdout for f in (FOLDER, RESULT)
    ]

    assert built[1] == built[0].replace("local-path", "managed-csi")


def test_commits_of_a_folder_show_what_changes_against_the_copy(emulate: Emulate) -> None:
    site = Site(emulate, KUSTOMIZED, "folder")
    site.push()

    first, second = site.commits()[:2]
    copy = below(site.repository.files(first["tree"]["sha"]), RESULT)
    assert {path: data for path, data in copy.items() if path != MARKER} == below(site.files("main"), FOLDER)
    changed = below(site.repository.files(second["tree"]["sha"]), RESULT)
    assert {path for path in copy if copy[path] != changed[path]} == {"app.yaml"}


def test_a_merged_folder_is_brought_up_to_date_and_its_changes_by_hand_stay(emulate: Emulate) -> None:
    site = Site(emulate, KUSTOMIZED | {f"{FOLDER}/b.yaml": claim("b")}, "folder")
    site.push()
    site.repository.call("PUT", "/pulls/1/merge", {})
    site.push()
    assert [p["state"] for p in site.repository.pulls()] == ["closed"]
    mine = claim("b", "managed-csi").replace("1Gi", "9Gi")
    site.repository.push({f"{RESULT}/b.yaml": mine})

    head = site.push({APP: claim("new"), f"{FOLDER}/b.yaml": claim("b2"), f"{FOLDER}/settings/app.ini": "a=2\n"})

    made = below(site.files(), RESULT)
    assert b"name: new" in made["app.yaml"]
    assert made["settings/app.ini"] == b"a=2\n"
    assert made["b.yaml"] == mine.encode()
    assert site.last["left"] == [f"{RESULT}/b.yaml"]
    assert site.commits(until=head)[0]["message"].startswith(f"Bring {RESULT} up to date for AKS (shop)\n")


def test_what_the_application_drops_its_folder_drops_too(emulate: Emulate) -> None:
    site = Site(emulate, KUSTOMIZED | {f"{FOLDER}/b.yaml": claim("b")}, "folder")
    site.push()
    site.repository.call("PUT", "/pulls/1/merge", {})
    site.repository.push({f"{RESULT}/theirs.yaml": claim("t")})

    site.push({f"{FOLDER}/b.yaml": None})

    made = below(site.files(), RESULT)
    assert "b.yaml" not in made
    assert "theirs.yaml" in made


def test_a_folder_that_was_there_before_is_not_overwritten(emulate: Emulate) -> None:
    site = Site(emulate, KUSTOMIZED | {f"{RESULT}/app.yaml": "theirs: true\n"}, "folder")

    site.push()

    assert below(site.files(), RESULT)["app.yaml"] == b"theirs: true\n"
    assert site.last["left"] == [f"{RESULT}/app.yaml"]


def test_a_whole_repository_gets_only_what_its_manifests_need(emulate: Emulate) -> None:
    files = {"k8s/app.yaml": claim(), "k8s/files/a.ini": "a\n", "src/main.py": "print()\n", "README.md": "hello\n"}
    site = Site(emulate, files, settings=WHOLE.format(layout="folder"))
    name = site.repository.name.partition("/")[2]
    folder = f"{name}-aks"

    site.push()

    assert set(below(site.files(f"aks-copilot/{name}"), folder)) == {MARKER, "k8s/app.yaml", "k8s/files/a.ini"}
    number = site.repository.pulls()[0]["number"]
    site.repository.call("PUT", f"/pulls/{number}/merge", {})
    site.push()
    assert [p["state"] for p in site.repository.pulls()] == ["closed"]
    assert not any(path.startswith(folder) for path in site.results(site.newest))


def test_a_branch_of_its_own_leaves_the_branch_of_the_source_cluster_alone(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), "README.md": "1\n"}, "branch")
    head = site.push()

    assert site.branches() == [BRANCH, "main", "main-aks"]
    (pull,) = site.repository.pulls()
    assert pull["base"]["ref"] == "main-aks"
    assert site.repository.head("main-aks") == head == site.repository.head()
    assert pull["body"].startswith("The version for AKS is the branch `main-aks`: point AKS there.")

    site.repository.call("PUT", "/pulls/1/merge", {})
    mine = site.repository.push({"AKS.md": "mine\n"}, branch="main-aks")
    newer = site.push({APP: claim("new"), "README.md": "2\n"})

    assert sorted((p["number"], p["state"]) for p in site.repository.pulls()) == [(1, "closed"), (2, "open")]
    after = site.files()
    assert (after["AKS.md"], after["README.md"]) == (b"mine\n", b"2\n")
    assert after[APP] == claim("new", "managed-csi").encode()
    top = site.repository.call("GET", f"/git/commits/{site.repository.head(BRANCH)}")
    assert [parent["sha"] for parent in top["parents"]] == [mine, newer]


@pytest.mark.parametrize(
    ("layout", "path", "expected"),
    [
        (
            "in-place",
            FOLDER,
            "**Argo CD of the source cluster (`shop`) reads `main`: what is merged here is deployed to the source cluster too.**",
        ),
        ("folder", FOLDER, "**Argo CD of the source cluster (`shop`) reads `main`.** It reads `deploy/shop`, which keeps its manifests; "),
        ("folder", "deploy", "**Argo CD of the source cluster (`shop`) reads `main`: `deploy/shop-aks` lies in what it reads, and if "),
    ],
)
def test_a_base_that_argo_cd_reads_is_said_in_the_first_line(emulate: Emulate, layout: str, path: str, expected: str) -> None:
    site = Site(emulate, {APP: claim()}, layout)

    site.push({f"{FOLDER}/argo.yaml": argo(path, site.repository.name)})

    (pull,) = site.repository.pulls()
    assert pull["body"].startswith(expected)


@pytest.mark.parametrize("kustomized", [False, True])
def test_flux_without_a_kustomization_must_be_told_of_the_answers(emulate: Emulate, kustomized: bool) -> None:
    more = {f"{FOLDER}/kustomization.yaml": "resources: [app.yaml, flux.yaml]\n"} if kustomized else {}
    site = Site(emulate, {APP: claim(), **more}, "in-place")

    site.push({f"{FOLDER}/flux.yaml": FLUX.format(repository=site.repository.name)})

    text = site.repository.pulls()[0]["body"]
    assert text.startswith(
        "**Flux of the source cluster (`shop`) reads `main`: what is merged here is deployed to the source cluster too.**"
    )
    assert ("add `deploy/shop/.aks-copilot.yaml` to `.sourceignore`" in text) is not kustomized


def test_argo_cd_of_another_branch_or_repository_is_not_spoken_of(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()}, "in-place")
    others = argo(FOLDER, site.repository.name, "release") + "---\n" + argo(FOLDER, "acme/other").replace("name: shop,", "name: other,")

    site.push({f"{FOLDER}/argo.yaml": others})

    assert site.repository.pulls()[0]["body"].startswith("The manifests are changed where they are")


def test_a_branch_of_its_own_is_made_only_for_a_pull_request(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(like="managed-csi")}, "branch")

    site.push()

    assert site.branches() == ["main"]


def test_links_are_copied_as_links(emulate: Emulate) -> None:
    site = Site(emulate, KUSTOMIZED, "folder")
    site.repository.push({f"{FOLDER}/link.yaml": "settings/app.ini"}, modes={f"{FOLDER}/link.yaml": SYMLINK})

    site.push()

    tree = site.repository.call("GET", f"/git/trees/{site.repository.head(BRANCH)}?recursive=1")["tree"]
    assert {entry["path"]: entry["mode"] for entry in tree}[f"{RESULT}/link.yaml"] == SYMLINK
