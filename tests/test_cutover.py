"""cutover.md: the steps that apply and no others, commands that name only what the run holds, and no value of a Secret."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from shared.cli.local import fix_tree, options_for
from shared.cli.tree import read_tree
from shared.domain.report.cutover import cutover_md
from shared.domain.report.cutover_images import is_private

SAMPLES = Path(__file__).parents[1] / "samples"
DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parent / "golden"


def page(folder: Path) -> str:
    run = fix_tree(read_tree([folder]), options_for(folder, "auto", None))
    return cutover_md(run.setup, run.outcomes, run.after)


def written(folder: Path, text: str) -> str:
    (folder / "a.yaml").write_text(text)
    return page(folder)


def test_an_application_with_a_database_a_claim_and_a_host_has_every_step() -> None:
    text = page(SAMPLES / "k3s-shop")
    assert "kubectl --context OLD -n shop scale deployment/web --replicas=0" in text
    assert "pg_dumpall" in text
    assert "\ncopy_claim OLD AKS shop backup -o\n" in text
    assert '--resolve "shop.example.com:443:$ADDRESS" https://shop.example.com/' in text
    assert (
        text.index("Stop writing")
        < text.index("The last copy")
        < text.index("Start on AKS")
        < text.index("Switch DNS")
        < text.index("Roll back")
    )
    assert "| StatefulSet postgres | 1 | 250m | 512Mi | 250m | 512Mi |" in text


def test_a_route_that_was_not_converted_needs_no_operator_and_the_top_folder_is_out() -> None:
    text = page(SAMPLES / "okd-portal")
    assert "kubectl --context AKS apply -k OUT\n" in text
    assert "1 Route" not in text
    assert "AKS0201" in text


def test_what_keeps_no_data_and_has_no_host_is_neither_copied_nor_switched(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        'spec: {replicas: 3, template: {spec: {containers: [{name: web, image: "web:1", resources: {limits: {cpu: "0.5", memory: 1Gi}}}]}}}\n',  # noqa: E501
    )
    assert "Rehearse" not in text
    assert "DNS" not in text.partition("## Sizing")[0].replace("before DNS moves", "")
    assert "| Deployment web | 3 | 500m | 1024Mi | 1500m | 3072Mi |" in text


def test_configuration_alone_has_no_sizing(tmp_path: Path) -> None:
    text = written(tmp_path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n")
    assert "Nothing in it runs pods." in text
    assert "Sizing" not in text


@pytest.mark.parametrize("name", ["$(reboot)", "a; reboot", "`x`"])
def test_a_name_that_a_shell_would_run_is_in_no_command(tmp_path: Path, name: str) -> None:
    text = written(
        tmp_path, f"apiVersion: v1\nkind: Pod\nmetadata: {{name: '{name}'}}\nspec: {{containers: [{{name: a, image: 'a:1'}}]}}\n"
    )
    assert "reboot" not in "".join(text.split("```")[1::2])
    assert "```sh" not in text


def test_a_volume_on_the_same_server_is_not_copied_onto_itself(tmp_path: Path) -> None:
    volume = (
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {nfs: {server: 10.0.0.9, path: /x}, storageClassName: ''}\n"
    )
    claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {volumeName: v, storageClassName: ''}\n"
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: c, persistentVolumeClaim: {claimName: c}}],\n"
    text = written(tmp_path, volume + claim + pod + "  containers: [{name: a, image: 'a:1'}]}\n")
    assert "it is not copied: c" in text
    assert "copy_claim" not in text


def golden_page() -> str:
    folder = DATA / "cutover"
    run = fix_tree(read_tree([folder]), options_for(folder, "k3s", None, unsafe=True))
    text = cutover_md(run.setup, run.outcomes, run.after).replace(run.setup.run_id, "RUN")
    return re.sub(r"(for a person to judge \| )\d+", r"\1N", text)


def test_the_page_of_a_rich_application_is_the_golden_one() -> None:
    """Set AKS_UPDATE_GOLDEN=1 to write it anew, then read the difference as the one who must follow it at night."""
    text, path = golden_page(), GOLDEN / "cutover.md"
    if os.environ.get("AKS_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c, namespace: shop}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n"  # noqa: E501


def steps(text: str) -> dict[str, str]:
    parts = re.split(r"^### \d+\. (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_a_chart_is_applied_when_its_data_is_there(tmp_path: Path) -> None:
    (tmp_path / "chart.yaml").write_text(
        "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: shop, namespace: kube-system}\nspec: {chart: shop}\n"
    )
    found = steps(written(tmp_path, CLAIM.removesuffix("---\n")))
    assert "chart.yaml" not in found["Apply on AKS, and hold what writes"]
    assert "OUT/chart.yaml" in found["Start on AKS"]
    assert "No manifest here runs what mounts c" in found["Stop writing on the old cluster: users are not served from here on"]


def test_the_configuration_of_a_tool_is_not_applied(tmp_path: Path) -> None:
    (tmp_path / "skaffold.yaml").write_text("apiVersion: skaffold/v4beta6\nkind: Config\nmetadata: {name: shop}\n")
    (tmp_path / "kind.yaml").write_text("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: shop\nmetadata: {name: shop}\n")
    text = written(tmp_path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n")
    assert "OUT/a.yaml" in text
    assert "skaffold" not in text
    assert "kind.yaml" not in text
    assert "x-k8s.io" not in text


def test_keda_is_paused_while_its_workload_stands_still(tmp_path: Path) -> None:
    worker = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: worker, namespace: shop}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "  # noqa: E501
        "spec: {volumes: [{name: c, persistentVolumeClaim: {claimName: c}}], containers: [{name: w, image: 'w:1'}]}}}\n---\n"
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: worker, namespace: shop}\n"
        "spec: {minReplicaCount: 2, maxReplicaCount: 5, scaleTargetRef: {name: worker}, triggers: []}\n"
    )
    found = steps(written(tmp_path, CLAIM + worker))
    note = "annotate scaledobject.keda.sh/worker autoscaling.keda.sh/paused-replicas"
    assert (
        f"kubectl --context OLD -n shop {note}=0 --overwrite" in found["Stop writing on the old cluster: users are not served from here on"]
    )
    assert f"kubectl --context AKS -n shop {note}-\n" in found["Start on AKS"]
    assert "scale deployment/worker --replicas=2" in found["Start on AKS"]
    assert f"kubectl --context OLD -n shop {note}-\n" in found["Roll back"]


def test_what_aks_has_no_kind_for_is_in_no_command_on_aks(tmp_path: Path) -> None:
    config = (
        "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {app: web}\n"
        "  template: {metadata: {labels: {app: web}}, spec: {volumes: [{name: c, persistentVolumeClaim: {claimName: c}}], "
        "containers: [{name: web, image: web}]}}\n  triggers:\n"
        "    - {type: ImageChange, imageChangeParams: {automatic: true, containerNames: [web],"
        " from: {kind: ImageStreamTag, name: 'web:latest'}}}\n"
    )
    text = written(tmp_path, CLAIM + config)
    assert "--context OLD -n shop scale deploymentconfig/web --replicas=0" in text
    assert "deploymentconfig" not in "".join(line for line in text.split("\n") if "--context AKS" in line)
    assert "- DeploymentConfig web: AKS does not have this kind." in text


@pytest.mark.parametrize(
    ("image", "private"),
    [
        ("registry.lab.local:5000/a/b:1", True),
        ("10.0.0.7:5000/a:1", True),
        ("registry:5000/a:1", True),
        ("image-registry.openshift-image-registry.svc:5000/a/b", True),
        ("quay.io/a/b:1", False),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1", False),
    ],
)
def test_a_registry_of_its_own_network_is_told_from_one_that_azure_reaches(image: str, private: bool) -> None:
    assert is_private(image) is private


def test_an_image_that_azure_can_read_is_imported(tmp_path: Path) -> None:
    ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    (tmp_path / ".aks-copilot.yaml").write_text(f"registries: {{{ecr}: shop.azurecr.io}}\n")
    pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: shop}}\nspec: {{containers: [{{name: a, image: '{ecr}/web:1'}}]}}\n"
    found = steps(written(tmp_path, pod))
    assert f"az acr import --name shop --source {ecr}/web:1 --image web:1\n" in found["Copy the images"]
    assert "skopeo" not in found["Copy the images"]
