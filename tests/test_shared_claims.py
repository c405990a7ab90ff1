"""A claim for one node that several pods want: what counts as several, and which claims get a disk."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from app_support import fix

WORKLOAD = """
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  {spec}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      {pod}
      containers: [{{name: web, image: "nginx:1.27.3"}}]
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: {modes}, {more} resources: {{requests: {{storage: 1Gi}}}}}}
"""
TOGETHER = (
    "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
    "[{labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}]}}"
)
SEVERAL, ROLLOUT = "AKS0121", "AKS0125"


def workload(
    spec: str = "strategy: {type: Recreate}", *, kind: str = "Deployment", name: str = "web", pod: str = "", claim: str = "data"
) -> str:
    return WORKLOAD.format(kind=kind, name=name, spec=spec, pod=pod, claim=claim)


def claim(more: str = "", modes: str = "[ReadWriteOnce]") -> str:
    return CLAIM.format(more=more, modes=modes)


def said(files: dict[str, str], source: str = "generic", decisions: dict[str, object] | None = None) -> dict[str, set[str]]:
    """{rule: messages} of the two rules."""
    texts = {path: textwrap.dedent(text).encode() for path, text in files.items()}
    if decisions:
        texts[".aks-copilot.yaml"] = yaml.safe_dump(decisions).encode()
    found: dict[str, set[str]] = {}
    for outcome in fix(texts, source).outcomes:
        for violation in outcome.violations:
            if violation.rule_id in (SEVERAL, ROLLOUT):
                found.setdefault(violation.rule_id, set()).add(violation.message)
    return found


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        (workload("replicas: 2"), True),
        (workload("replicas: 1"), False),
        (workload("paused: false"), False),
        (workload("replicas: true"), False),
        (workload("replicas: ${REPLICAS}"), False),
        (workload("replicas: 2", pod=TOGETHER), False),
        (workload("replicas: 2", pod=TOGETHER.replace("hostname", "zone")), True),
        (workload("replicas: 2", claim="elsewhere"), False),
        (workload("updateStrategy: {}", kind="DaemonSet"), True),
        (workload("replicas: 3", kind="StatefulSet"), True),
    ],
)
def test_what_counts_as_several_pods(text: str, *, fires: bool) -> None:
    assert (SEVERAL in said({"a.yaml": text, "b.yaml": claim()})) is fires


@pytest.mark.parametrize(
    ("text", "source", "fires"),
    [
        (claim("storageClassName: managed-csi,"), "generic", True),
        (claim("storageClassName: longhorn,"), "k3s", True),
        (claim("storageClassName: nfs-client,"), "k3s", True),
        (claim("storageClassName: azurefile-csi,"), "generic", False),
        (claim("storageClassName: '',"), "generic", False),
        (claim("storageClassName: nobody-knows,"), "generic", False),
        (claim(modes="[ReadWriteMany]"), "generic", False),
        (claim(modes="[ReadWriteOncePod]"), "generic", False),
        (claim(modes="[ReadWriteOnce, ReadWriteMany]"), "generic", False),
    ],
)
def test_which_claims_get_a_disk_for_one_node(text: str, source: str, *, fires: bool) -> None:
    assert (SEVERAL in said({"a.yaml": workload("replicas: 2"), "b.yaml": text}, source)) is fires


def test_an_answer_decides_what_a_class_becomes() -> None:
    files = {"a.yaml": workload("replicas: 2"), "b.yaml": claim("storageClassName: nobody-knows,")}

    assert SEVERAL in said(files, decisions={"storageClasses": {"nobody-knows": "managed-csi"}})
    assert SEVERAL not in said(files, decisions={"storageClasses": {"nobody-knows": "azurefile-csi"}})


def test_a_class_of_the_run_tells_by_its_driver() -> None:
    share = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: mine}\nprovisioner: file.csi.azure.com\n"
    files = {"a.yaml": workload("replicas: 2"), "b.yaml": claim("storageClassName: mine,"), "c.yaml": share}

    assert SEVERAL not in said(files)
    assert SEVERAL in said(files | {"c.yaml": share.replace("file.csi", "disk.csi")})


def test_two_workloads_that_share_a_claim_name_each_other() -> None:
    found = said({"a.yaml": workload(), "b.yaml": workload(name="backup"), "c.yaml": claim()})

    assert found == {
        SEVERAL: {
            "Deployment web mounts the claim data, which gets a disk for one node, together with Deployment backup.",
            "Deployment backup mounts the claim data, which gets a disk for one node, together with Deployment web.",
        }
    }


def test_the_pods_that_a_workload_owns_are_its_own() -> None:
    owned = workload("replicas: 1", kind="ReplicaSet", name="web-5b9f").replace(
        "{name: web-5b9f}", "{name: web-5b9f, ownerReferences: [{name: web}]}"
    )

    assert said({"a.yaml": workload(), "b.yaml": owned, "c.yaml": claim()}) == {}


def test_applications_of_one_tree_do_not_share_claims_of_the_same_name() -> None:
    apart = {f"{app}/{kind}.yaml": text for app in ("one", "two") for kind, text in (("app", workload(name=app)), ("pvc", claim()))}

    assert said(apart) == {}


def test_a_patch_of_a_kustomization_is_no_second_workload() -> None:
    kustomization = "resources: [app.yaml, pvc.yaml]\npatches: [{path: patch.yaml, target: {kind: Deployment, name: web}}]\n"

    assert said({"app.yaml": workload(), "pvc.yaml": claim(), "patch.yaml": workload(name="x"), "kustomization.yaml": kustomization}) == {}


@pytest.mark.parametrize(
    ("spec", "source", "storage", "fires"),
    [
        ("replicas: 1", "k3s", "", True),
        ("strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}", "k3s", "storageClassName: local-path,", True),
        ("strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}", "k3s", "", False),
        ("strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0%, maxUnavailable: 1}}", "k3s", "", False),
        ("strategy: {type: Recreate}", "k3s", "", False),
        ("replicas: 0", "k3s", "", False),
        ("replicas: 1", "k3s", "storageClassName: longhorn,", False),
        ("replicas: 1", "generic", "", False),
        ("replicas: 1", "eks", "", False),
    ],
)
def test_a_rollout_is_told_where_the_old_cluster_had_no_such_wait(spec: str, source: str, storage: str, *, fires: bool) -> None:
    assert (ROLLOUT in said({"a.yaml": workload(spec), "b.yaml": claim(storage)}, source)) is fires
