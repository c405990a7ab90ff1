"""`targets`: what is known is shown, a file of one's own is checked, and a cluster's saved output becomes a target file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_process import CLAIM, aks_copilot, write

from shared.domain.cluster_dump import read_dump
from shared.domain.dumped_target import target_text
from shared.domain.errors import ValidationError
from shared.domain.target import Target, built_in_targets, read_target

CLUSTER = {
    "type": "Microsoft.ContainerService/ManagedClusters",
    "currentKubernetesVersion": "1.36.1",
    "sku": {"name": "Base", "tier": "Standard"},
    "ingressProfile": {"gatewayAPI": {"installation": "Standard"}},
}
SAFEGUARDS = {
    "name": "default",
    "properties": {"level": "Enforce", "podSecurityStandardsLevel": "Restricted", "excludedNamespaces": ["agents"]},
}
VERSION = {"clientVersion": {"gitVersion": "v1.35.0"}, "serverVersion": {"major": "1", "minor": "36", "gitVersion": "v1.36.1"}}


def storage_class(name: str, provisioner: str, *, default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": provisioner,
    }


def named(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


CLASSES = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        storage_class("default", "disk.csi.azure.com", default=True),
        storage_class("managed-csi", "disk.csi.azure.com"),
        storage_class("azurefile-csi", "file.csi.azure.com"),
        storage_class("netapp", "csi.trident.netapp.io"),
        named("IngressClass", "webapprouting.kubernetes.azure.com"),
        named("GatewayClass", "istio"),
        named("CustomResourceDefinition", "gateways.gateway.networking.k8s.io", group="gateway.networking.k8s.io"),
        named("CustomResourceDefinition", "certificates.cert-manager.io", group="cert-manager.io"),
    ],
}


def target_from(*documents: Any) -> Target:
    dump, _ = read_dump((f"{i}.json", document) for i, document in enumerate(documents))
    return read_target(target_text(dump, "prod"))


def test_every_part_of_a_dump_is_used() -> None:
    target = target_from(CLUSTER, SAFEGUARDS, VERSION, CLASSES)
    assert (target.name, target.title, target.kubernetes_version) == ("prod", "AKS Standard, Kubernetes 1.36", "1.36")
    assert (target.mode, target.safeguards, target.pod_security) == ("standard", "enforce", "restricted")
    assert target.excluded_namespaces == ("agents",)
    assert (target.ingress.kind, target.ingress.class_name) == ("gateway-api", "istio")
    assert (target.storage.disk, target.storage.file) == ("managed-csi", "azurefile-csi")
    assert target.storage.known == ("azurefile-csi", "default", "managed-csi", "netapp")
    assert "csi.trident.netapp.io" in target.provisioners
    assert target.ingress_classes == ("webapprouting.kubernetes.azure.com",)
    assert {"cert-manager.io", "gateway.networking.k8s.io", "apps"} <= set(target.api_groups)
    assert "argoproj.io" not in target.api_groups


def test_what_the_cluster_does_not_say_is_the_default_and_said_so() -> None:
    dump, _ = read_dump([("version.json", VERSION)])
    text = target_text(dump, "prod")
    default = read_target(None).model_dump(exclude={"name", "title", "kubernetes_version"})
    assert read_target(text).model_dump(exclude={"name", "title", "kubernetes_version"}) == default
    assert text.count("not in the dump") >= 5


def test_automatic_enforces_where_safeguards_are_not_in_the_dump() -> None:
    target = target_from({**CLUSTER, "sku": {"name": "Automatic"}})
    assert (target.mode, target.safeguards, target.pod_security) == ("automatic", "enforce", "baseline")


def test_flattened_output_and_other_case_of_keys_are_read() -> None:
    flat = {"type": "Microsoft.ContainerService/deploymentSafeguards", "level": "Warn", "podSecurityStandardsLevel": "Privileged"}
    target = target_from({"properties": {"CurrentKubernetesVersion": "1.34.2"}, "type": CLUSTER["type"]}, flat)
    assert (target.kubernetes_version, target.safeguards, target.pod_security) == ("1.34", "warn", "privileged")


@pytest.mark.parametrize(
    ("classes", "kind", "chosen"),
    [
        ([named("GatewayClass", "istio"), named("GatewayClass", "approuting-istio")], "gateway-api", "approuting-istio"),
        ([named("GatewayClass", "eg"), named("IngressClass", "nginx")], "gateway-api", "eg"),
        ([named("IngressClass", "nginx"), named("IngressClass", "azure-application-gateway")], "ingress", "azure-application-gateway"),
        ([named("IngressClass", "nginx")], "ingress", "nginx"),
    ],
)
def test_the_ingress_is_one_that_the_cluster_has(classes: list[Any], kind: str, chosen: str) -> None:
    target = target_from(VERSION, {"kind": "List", "items": classes})
    assert (target.ingress.kind, target.ingress.class_name) == (kind, chosen)


def test_typed_lists_and_own_class_names() -> None:
    bare = [
        {k: v for k, v in storage_class(n, "disk.csi.azure.com", default=n == "fast").items() if k != "kind"} for n in ("cheap", "fast")
    ]
    target = target_from(VERSION, {"kind": "StorageClassList", "items": bare})
    assert target.storage.disk == "fast"
    assert target.storage.known == ("cheap", "fast")


def test_two_clusters_are_one_line() -> None:
    with pytest.raises(ValidationError, match=r"1\.json: a second output of `kubectl version`"):
        target_from(VERSION, {"serverVersion": {"gitVersion": "v1.30.1"}})


def test_from_dump_writes_a_file_that_fix_takes(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "a.json").write_text(json.dumps(VERSION), encoding="utf-16")
    (dump / "b.yaml").write_text(yaml.safe_dump(CLASSES))
    (dump / "notes.json").write_text("{}")
    done = aks_copilot("targets", "from-dump", dump, "--out", tmp_path / "prod.yaml")
    assert done.returncode == 0, done.stderr
    said = done.stderr.decode()
    assert "notes.json: not used" in said
    assert "az aks show -g <rg>" in said
    write(tmp_path / "app", claim_yaml=CLAIM)
    fixed = aks_copilot("fix", tmp_path / "app", "--target", tmp_path / "prod.yaml", "--diff")
    assert b"+  storageClassName: managed-csi" in fixed.stdout, fixed.stderr
    again = aks_copilot("targets", "from-dump", dump, "--out", tmp_path / "prod.yaml")
    assert (again.returncode, again.stderr.decode().splitlines()[-1]) == (2, f"aks-copilot: {tmp_path / 'prod.yaml'} exists")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", "{", "x.json:2: neither JSON nor YAML"),
        ("x.json", "{}", "no output of a cluster found; save it by: az aks show"),
        ("x.txt", "{}", "no output of a cluster found"),
        ("x.json", json.dumps(CLASSES), "the dump does not say the cluster's version"),
    ],
)
def test_a_dump_that_cannot_be_used_is_one_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    done = aks_copilot("targets", "from-dump", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert said in done.stderr.decode()


def test_list_show_and_names_as_targets(tmp_path: Path) -> None:
    listed = aks_copilot("targets", "list").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == ["aks-standard", *sorted(set(built_in_targets()) - {"aks-standard"})]
    assert aks_copilot("targets", "show", "aks-automatic").stdout.decode() == built_in_targets()["aks-automatic"]
    wrong = aks_copilot("targets", "show", "aks")
    assert (wrong.returncode, wrong.stderr.count(b"\n")) == (2, 1)
    write(tmp_path, claim_yaml=CLAIM)
    done = aks_copilot("inspect", tmp_path, "--target", "aks-automatic", "--format", "json")
    assert json.loads(done.stdout)["target"]["mode"] == "automatic"


def test_check_names_file_line_and_doubts(tmp_path: Path) -> None:
    good, bad, odd = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "odd.yaml"
    good.write_text("name: own\nsafeguards: enforce\n")
    bad.write_text("name: own\ningress:\n  clas: x\n")
    odd.write_text("name: own\nmode: automatic\npodSecurity: privileged\nstorage: {disk: fast, known: [slow]}\n")
    assert aks_copilot("targets", "check", good).returncode == 0
    done = aks_copilot("targets", "check", bad)
    assert (done.returncode, f"{bad}:3: ingress.clas" in done.stderr.decode()) == (2, True), done.stderr
    said = aks_copilot("targets", "check", good, odd)
    assert said.returncode == 1
    assert said.stdout.decode().count(str(odd)) == 3


def built_in() -> list[Path]:
    return sorted((Path(__file__).parents[1] / "shared" / "targets").glob("*.yaml"))


def test_the_built_in_targets_hold() -> None:
    done = aks_copilot("targets", "check", *built_in())
    assert (done.returncode, done.stdout.decode()) == (0, f"{len(built_in())} targets, 0 doubts\n")
