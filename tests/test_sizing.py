"""The sizing table: each kind of node apart, daemons on every node, disks against what a node attaches, and what is tied to one zone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from shared.cli.local import fix_tree, options_for
from shared.cli.tree import read_tree
from shared.domain.report.node_sizes import T4, X86, Size
from shared.domain.report.sizing import sizing
from shared.domain.report.sizing_pool import placed


def workload(kind: str = "Deployment", name: str = "web", *, cpu: str = "500m", memory: str = "1Gi", **pod: object) -> dict[str, object]:
    container = {
        "name": name,
        "image": pod.pop("image", "app:1"),
        "resources": {"requests": {"cpu": cpu, "memory": memory}, **pod.pop("resources", {})},
    }
    spec = {"replicas": pod.pop("replicas")} if "replicas" in pod else {}
    spec |= pod.pop("spec", {})
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**spec, "template": {"spec": {"containers": [container], **pod}}},
    }


def claim(name: str, **spec: object) -> dict[str, object]:
    base = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": base | spec}


def mounts(*names: str) -> list[dict[str, object]]:
    return [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in names]


def table(folder: Path, *objects: dict[str, object], target: str | None = None) -> str:
    (folder / "a.yaml").write_text(yaml.safe_dump_all(objects))
    run = fix_tree(read_tree([folder]), options_for(folder, "generic", target))
    return "\n".join(sizing(run.setup, run.after))


def test_each_kind_of_node_is_added_up_apart(tmp_path: Path) -> None:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
    arch = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}]
        }
    }
    text = table(
        tmp_path,
        workload(name="web"),
        workload(name="thumbs", affinity={"nodeAffinity": arch}),
        workload(name="legacy", nodeSelector={"kubernetes.io/os": "windows"}),
        workload(name="train", replicas=5, **gpu),
    )
    assert "| Deployment web | apps | 1 |" in text
    assert "| Deployment thumbs | arm | 1 |" in text
    assert "--name win --os-type Windows --node-count 2 --node-vm-size Standard_D4s_v5" in text
    assert "--name gpu --node-count 5 --node-vm-size Standard_NC4as_T4_v3" in text
    assert "| Sum | | 8 | | | 4000m | 8192Mi |" in text


def test_a_pod_for_both_architectures_needs_no_pool_of_its_own(tmp_path: Path) -> None:
    both = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [both]}]}
    text = table(tmp_path, workload(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}))
    assert "Standard_D2s_v5" in text
    assert "Dps" not in text
    assert "### Pool" not in text


def test_a_daemon_set_takes_its_part_of_every_linux_node(tmp_path: Path) -> None:
    text = table(tmp_path, workload(replicas=2), workload("DaemonSet", "agent", cpu="200m", memory="256Mi"))
    assert "| DaemonSet agent | each node | 200m | 256Mi | | |" in text
    assert "less the 200m and 256Mi of 1 DaemonSet" in text
    assert "| Sum | 2 | | | 1000m | 2048Mi |" in text


def test_a_daemon_set_that_leaves_no_room_is_said(tmp_path: Path) -> None:
    text = table(tmp_path, workload(cpu="1", memory="1Gi"), workload("DaemonSet", "agent", cpu="1", memory="1Gi"))
    row = next(line for line in text.split("\n") if "Standard_D2s_v5 |" in line)
    assert "the largest pod does not fit" in row
    assert row.count("|") == text[text.index("| Size") :].split("\n")[0].count("|")


def test_disks_are_held_against_what_a_node_attaches(tmp_path: Path) -> None:
    names = [f"d{n}" for n in range(5)]
    text = table(tmp_path, workload(volumes=mounts(*names)), *(claim(n, storageClassName="managed-csi") for n in names))
    assert next(line for line in text.split("\n") if "Standard_D2s_v5 |" in line).endswith("the largest pod does not fit |")
    assert "By disks: 5 disks / 4, 8, the most" in text
    assert "--node-vm-size Standard_D4s_v5" in text


def test_a_file_share_is_no_disk_and_each_pod_of_a_stateful_set_has_its_own(tmp_path: Path) -> None:
    templates = {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": claim("d")["spec"]}]}
    text = table(
        tmp_path,
        workload("StatefulSet", "db", replicas=3, spec=templates),
        workload(volumes=mounts("s")),
        claim("s", storageClassName="azurefile-csi"),
    )
    assert "By disks: 3 disks" in text


def test_an_autoscaler_counts_with_its_most_pods_and_says_so(tmp_path: Path) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": target},
    }
    text = table(tmp_path, workload(), scaler)
    assert "| Deployment web | 9 (autoscaled, from 2) | 500m | 1024Mi | 4500m | 9216Mi |" in text


def test_what_is_tied_to_one_zone_is_named_with_its_reason(tmp_path: Path) -> None:
    term = {"key": "topology.disk.csi.azure.com/zone", "operator": "In", "values": ["westeurope-2"]}
    volume = {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "",
            "csi": {"driver": "disk.csi.azure.com", "volumeHandle": "/subscriptions/s/disks/v"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        },
    }  # fmt: skip
    text = table(
        tmp_path,
        volume,
        claim("archive", storageClassName="", volumeName="v"),
        claim("fast", storageClassName="managed-csi-premium-v2"),
        claim("free", storageClassName="managed-csi"),
        workload(volumes=mounts("archive", "fast", "free"), nodeSelector={"topology.kubernetes.io/zone": "westeurope-2"}),
    )
    tied = text[text.index("Tied to one zone") : text.index("See that")]
    assert "- Deployment web asks for zone westeurope-2." in tied
    assert "- Claim archive (Deployment web): volume v is one disk, in zone westeurope-2." in tied
    assert "- Claim fast (Deployment web): disks of managed-csi-premium-v2 stay" in tied
    assert "free" not in tied


def test_a_device_without_a_known_size_is_said_and_not_guessed(tmp_path: Path) -> None:
    text = table(tmp_path, workload(resources={"limits": {"amd.com/gpu": 1}}))
    assert "asks for amd.com/gpu: choose a size that has it" in text
    assert "az aks nodepool add" not in text


def test_pods_that_share_no_node_take_one_each() -> None:
    room = (X86[0].cpu, X86[0].mebi, 4, 0)
    assert placed(room, [(4, (100, 3100, 0, 0))]) == 4
    assert placed(room, [(2, (100, 3000, 0, 0)), (2, (100, 3000, 0, 0))]) == 2
    assert placed((2000, 4000, 4, 1), [(3, (10, 10, 0, 1))]) == 3
    assert placed(room, []) == 0


@pytest.mark.parametrize("size", [*X86, *T4], ids=lambda size: size.name)
def test_what_aks_keeps_of_a_node_is_as_the_documentation_adds_it_up(size: Size) -> None:
    assert size.held == min(5050, size.memory * 1024 // 4)
    assert 0 < size.cpu < size.cores * 1000


def test_the_flags_of_the_command_are_those_of_the_azure_cli(tmp_path: Path) -> None:
    text = table(tmp_path, workload())
    command = next(line for line in text.split("\n") if line.startswith("az aks nodepool add"))
    flags = {word for word in command.split() if word.startswith("--")}
    assert flags == {"--resource-group", "--cluster-name", "--name", "--node-count", "--node-vm-size"}
    assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0
