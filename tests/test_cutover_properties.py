"""Properties of cutover.md over generated applications and the corpus: commands name only what is there, and nothing of it is left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cutover_support import check, page_of, secret_values
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.report.cutover_copy import HELPERS
from shared.domain.report.cutover_hold import MAKE_CLAIM

CORPUS = Path(os.environ.get("AKS_CORPUS") or Path(__file__).parents[1].parent / "shared" / "corpus")
FOLDERS = (
    "k3s/shaman007__home-k3s/homeassistant",
    "k3s/shaman007__home-k3s/nextcloud",
    "k3s/shaman007__home-k3s/immich",
    "k3s/ahgraber__homelab-gitops-k3s/cluster/apps/services/wallabag",
    "k3s/ahgraber__homelab-gitops-k3s/cluster/apps/networking",
    "okd/konveyor__mig-demo-apps/apps/sock-shop",
    "okd/konveyor__mig-demo-apps/apps/todolist-mongo-go",
    "okd/bcgov__orgbook-configurations",
    "other/kubernetes__examples/databases/cassandra",
    "other/aws-samples__eks-workshop-v2/manifests/modules/fundamentals/storage",
)
"""Applications of different kinds; each of them broke a property once."""
SECRET = "tulip-Harbour-93"
SPACES = st.sampled_from([None, "shop", "data"])
IMAGES = st.sampled_from(["postgres:16", "mysql:8", "mongo:7", "shop/web:1", "registry.lab.local:5000/shop/web:1"])


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"needs the corpus of real repositories ({CORPUS})")
@pytest.mark.parametrize("folder", FOLDERS)
def test_pages_of_real_applications(folder: str) -> None:
    page = page_of(CORPUS / folder)
    check(page)
    assert not [value for value in secret_values(CORPUS / folder) if value in page.text]


@st.composite
def workloads(draw: st.DrawFn, name: str) -> list[dict[str, Any]]:
    kind = draw(st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"]))
    space, held = draw(SPACES), draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=2))
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in held]
    pod = {"containers": [{"name": name, "image": draw(IMAGES), "env": [{"name": "TOKEN", "value": SECRET}]}], "volumes": volumes}
    made = {"kind": kind, "metadata": {"name": name, **({"namespace": space} if space else {})}}
    claims = [_claim(c, space, draw(st.sampled_from(["Block", "Filesystem"]))) for c in held]
    return [*claims, made | _spec(kind, pod, draw)]


def _spec(kind: str, pod: dict[str, Any], draw: st.DrawFn) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": pod}
    if kind == "Pod":
        return {"apiVersion": "v1", "spec": pod}
    if kind in ("Job", "CronJob"):
        job = {"template": {"spec": pod | {"restartPolicy": "Never"}}}
        cron = {"schedule": "@daily", "suspend": draw(st.booleans()), "jobTemplate": {"spec": job}}
        return {"apiVersion": "batch/v1", "spec": job if kind == "Job" else cron}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    if kind != "DaemonSet":
        spec["replicas"] = draw(st.integers(0, 3))
    if kind == "StatefulSet":
        spec |= {"serviceName": "x", "volumeClaimTemplates": [_claim("own", None, "Filesystem")]}
        spec |= draw(st.sampled_from([{}, {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}]))
    return {"apiVersion": "apps/v1", "spec": spec}


def _claim(name: str, space: str | None, mode: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "volumeMode": mode, "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": space}, "spec": spec}


@st.composite
def ingresses(draw: st.DrawFn) -> dict[str, Any]:
    hosts = draw(st.lists(st.sampled_from(["a.example.com", "b.example.com", "*.example.org"]), unique=True, min_size=1))
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"host": h, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}} for h in hosts]
    tls = {"tls": [{"hosts": hosts, "secretName": "web-tls"}]} if draw(st.booleans()) else {}
    meta = {"name": "web", "namespace": draw(SPACES)}
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta,
        "spec": {"ingressClassName": "traefik", "rules": rules, **tls},
    }  # fmt: skip


@st.composite
def applications(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = [o for n in range(draw(st.integers(0, 4))) for o in draw(workloads(f"w{n}"))]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": draw(SPACES)}, "stringData": {"p": SECRET}}
    return [*made, *draw(st.lists(ingresses(), max_size=1)), secret]


@settings(max_examples=60, deadline=None)
@given(applications(), st.booleans())
def test_pages_of_generated_applications(objects: list[dict[str, Any]], unsafe: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.yaml").write_text(yaml.safe_dump_all(objects))
        page = page_of(Path(folder), "k3s", unsafe=unsafe)
    check(page)
    assert SECRET not in page.text


KUBECTL = """\
#!/usr/bin/env bash
# A cluster is a folder, a claim a folder in it: what `exec copy-<claim> -- <command>` says of /data happens there.
cluster="$CLUSTERS/$2" verb="$5"
case "$verb" in
  exec) shift 5; [ "$1" = -i ] && shift; dir="$cluster/${1#copy-}"; shift 2
        [ -e "$cluster/broken" ] && [ "$1" = tar ] && exit 1
        args=(); for a in "$@"; do args+=("${a//\\/data/$dir}"); done; exec "${args[@]}" ;;
  get) if [ "$6" = pvc ]; then [ -d "$cluster/$7" ]; exit; fi
       echo '{"spec": {"volumeClaimTemplates": [{"metadata": {"name": "log"}}, {"metadata": {"name": "data"}, "spec": {"x": 1}}]}}' ;;
  apply) cat > "$cluster/applied.$RANDOM" ;;
  delete) echo "$6 $7" >> "$cluster/deleted" ;;
esac
"""


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(KUBECTL)
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    for cluster in ("OLD", "AKS"):
        (tmp_path / cluster / "uploads").mkdir(parents=True)
    return tmp_path


def bash(clusters: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"CLUSTERS": str(clusters), "PATH": f"{clusters / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", "\n".join(lines)], text=True, capture_output=True, check=False, env=env, timeout=60)


def test_copy_claim_leaves_the_second_cluster_with_the_files_of_the_first(clusters: Path) -> None:
    (clusters / "OLD" / "uploads" / "deep").mkdir()
    (clusters / "OLD" / "uploads" / "deep" / "a b.txt").write_text("new")
    (clusters / "AKS" / "uploads" / "stale.txt").write_text("old")
    done = bash(clusters, HELPERS, "copy_claim OLD AKS shop uploads")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "1"]
    assert [p.name for p in (clusters / "AKS" / "uploads").rglob("*") if p.is_file()] == ["a b.txt"]
    assert "pod copy-uploads" in (clusters / "OLD" / "deleted").read_text()


def test_a_copy_that_fails_says_so_and_ends_with_an_error(clusters: Path) -> None:
    (clusters / "OLD" / "broken").touch()
    done = bash(clusters, HELPERS, "copy_claim OLD AKS shop uploads")
    assert done.returncode == 1
    assert "NOT COPIED: uploads" in done.stderr


@pytest.mark.skipif(shutil.which("jq") is None, reason="the function calls jq")
def test_make_claim_makes_what_the_stateful_set_would_and_leaves_what_is_there(clusters: Path) -> None:
    assert bash(clusters, MAKE_CLAIM, "make_claim shop search data 1").returncode == 0
    made = next((clusters / "AKS").glob("applied.*")).read_text()
    assert yaml.safe_load(made) == {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-search-1"}, "spec": {"x": 1},
    }  # fmt: skip
    (clusters / "AKS" / "data-search-2").mkdir()
    assert bash(clusters, MAKE_CLAIM, "make_claim shop search data 2").returncode == 0
    assert len(list((clusters / "AKS").glob("applied.*"))) == 1
