"""Each source is known by what only it has; what several share decides nothing."""

from __future__ import annotations

import pytest
from rule_support import found, mended, text_of

from shared.domain.intake import plan_run
from shared.domain.run import RunOptions, SourceFile
from shared.domain.target import profiles

CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    "spec: {storageClassName: %s, accessModes: [%s], resources: {requests: {storage: 1Gi}}}\n"
)
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: '%s'}]}\n"
SELECTING = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {nodeSelector: {%s}, containers: [{name: web, image: 'web:1'}]}\n"
MOUNTING = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
    "spec: {containers: [{name: web, image: 'web:1'}], volumes: [{name: v, hostPath: {path: %s}}]}\n"
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, annotations: {%s}}\n"
    "spec: {rules: [{host: %s, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n"
)
OBJECT = "apiVersion: %s\nkind: %s\nmetadata: {name: x%s}\n"
CLASS = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: own}\nprovisioner: %s\n"

TREES = [
    ("minikube", CLASS % "k8s.io/minikube-hostpath"),
    ("minikube", SELECTING % "minikube.k8s.io/name: minikube"),
    ("minikube", INGRESS % ("", "shop.minikube.local")),
    ("kind", OBJECT % ("kind.x-k8s.io/v1alpha4", "Cluster", "")),
    ("kind", SELECTING % "ingress-ready: 'true'"),
    ("kind", POD % "kind-registry:5000/web:1"),
    ("microk8s", CLAIM % ("microk8s-hostpath", "ReadWriteOnce")),
    ("microk8s", POD % "localhost:32000/web:1"),
    ("microk8s", MOUNTING % "/var/snap/microk8s/common/data"),
    ("rke2", OBJECT % ("management.cattle.io/v3", "Project", "")),
    ("rke2", OBJECT % ("v1", "Namespace", ", annotations: {field.cattle.io/projectId: 'c:p'}")),
    ("rke2", MOUNTING % "/var/lib/rancher/rke2/server"),
    ("eks", POD % "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1"),
    ("eks", CLAIM % ("gp3", "ReadWriteOnce")),
    ("eks", INGRESS % ("alb.ingress.kubernetes.io/scheme: internal", "a.example.com")),
    ("eks", SELECTING % "eks.amazonaws.com/nodegroup: blue"),
    ("eks", OBJECT % ("karpenter.k8s.aws/v1", "EC2NodeClass", "")),
    ("gke", OBJECT % ("cloud.google.com/v1", "BackendConfig", "")),
    ("gke", CLAIM % ("standard-rwo", "ReadWriteOnce")),
    ("gke", INGRESS % ("kubernetes.io/ingress.class: gce", "a.example.com")),
    ("gke", OBJECT % ("v1", "ServiceAccount", ", annotations: {iam.gke.io/gcp-service-account: a@b.iam.gserviceaccount.com}")),
    ("k3s", CLAIM % ("local-path", "ReadWriteOnce")),
    ("k3s", MOUNTING % "/run/k3s/containerd/containerd.sock"),
    ("okd", OBJECT % ("route.openshift.io/v1", "Route", "")),
]


def detected(text: str) -> tuple[str, tuple[str, ...]]:
    source = plan_run([SourceFile("app.yaml", text.encode())], RunOptions("app")).source
    return source.profile, source.evidence


@pytest.mark.parametrize(("source", "text"), TREES)
def test_a_source_is_recognised_and_its_evidence_names_the_file(source: str, text: str) -> None:
    name, evidence = detected(text)
    assert name == source
    assert any("app.yaml" in e for e in evidence)


@pytest.mark.parametrize("text", [CLAIM % ("standard", "ReadWriteOnce"), POD % "gcr.io/distroless/static", POD % "nginx:1.27"])
def test_what_several_sources_share_decides_nothing(text: str) -> None:
    assert detected(text)[0] == "generic"


def test_a_lone_helm_chart_object_means_k3s() -> None:
    assert detected(OBJECT % ("helm.cattle.io/v1", "HelmChart", ""))[0] == "k3s"


def test_every_profile_is_tried() -> None:
    assert {source for source, _ in TREES} == set(profiles()) - {"generic"}


@pytest.mark.parametrize(
    ("name", "mode", "becomes"),
    [
        ("gp3", "ReadWriteOnce", "managed-csi"),
        ("efs-sc", "ReadWriteMany", "azurefile-csi"),
        ("premium-rwx", "ReadWriteMany", "azurefile-csi"),
        ("microk8s-hostpath", "ReadWriteOnce", "managed-csi"),
        ("csi-hostpath-sc", "ReadWriteMany", "azurefile-csi"),
    ],
)
def test_the_classes_of_every_source_are_known_whatever_the_source(name: str, mode: str, becomes: str) -> None:
    assert becomes in text_of(mended(CLAIM % (name, mode)))


def test_a_claim_for_several_nodes_on_gkes_standard_disk_is_asked_about() -> None:
    patched = mended(CLAIM % ("standard", "ReadWriteMany"), source="gke")
    assert [v.resolution for v in found(patched, "AKS0101")] == ["needs-human"]
