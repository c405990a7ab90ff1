"""What kustomizations say about objects that stand elsewhere is found and mended where it lies: patches, images, literals, values."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
import yaml
from kustomize_support import IMAGES, QUOTED, REMOTE, fixed, found, text
from test_rules_robust import damaged

from shared.domain.convert.base import CannotConvert
from shared.domain.facts import Facts
from shared.domain.fragments import objects_in, written_back
from shared.domain.intake import plan_run
from shared.domain.run import RunOptions

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  storageClassName: %s  # fast
  accessModes: [ReadWriteOnce]
"""
MERGE = """\
resources:
  - https://github.com/acme/base//deploy?ref=v1
patches:
  - patch: |-
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
      spec:
        storageClassName: %s  # fast
        accessModes: [ReadWriteOnce]
"""
OPERATIONS = """\
resources: [%s]
patches:
  - target: {kind: PersistentVolumeClaim, name: data}
    patch: |-
      - op: replace
        path: /spec/storageClassName  # ours
        value: %s
"""


def test_an_inline_merge_patch_is_mended_in_its_text() -> None:
    done = fixed({"kustomization.yaml": MERGE % "local-path"})
    assert text(done, "kustomization.yaml") == MERGE % "managed-csi"
    assert ("AKS0101", "/patches/0/patch", "fixed") in found(done, "kustomization.yaml")


@pytest.mark.parametrize("field", ["patches", "patchesJson6902"])
def test_an_inline_json_patch_is_mended_in_its_text(field: str) -> None:
    before = OPERATIONS.replace("patches", field)
    done = fixed({"kustomization.yaml": before % (QUOTED, "gold")}, decisions={"storageClasses": {"gold": "managed-csi"}})
    assert text(done, "kustomization.yaml") == before % (QUOTED, "managed-csi")


def test_a_class_that_only_the_access_modes_decide_is_asked_for_where_nothing_says_them() -> None:
    done = fixed({"kustomization.yaml": OPERATIONS % (QUOTED, "longhorn")})
    assert text(done, "kustomization.yaml") == OPERATIONS % (QUOTED, "longhorn")
    assert "storageClasses.longhorn" in [q.key for q in done.questions]


def test_the_claim_of_the_base_says_what_the_patch_leaves_out() -> None:
    base = (CLAIM % "local-path").replace("ReadWriteOnce", "ReadWriteMany").replace("local-path", "longhorn")
    files = {"base/kustomization.yaml": "resources: [pvc.yaml]\n", "base/pvc.yaml": base}
    for patch in (
        OPERATIONS % ("../base", "longhorn"),
        MERGE.replace(REMOTE, "../base").replace("        accessModes: [ReadWriteOnce]\n", ""),
    ):
        overlay = patch.replace("%s", "longhorn")
        done = fixed({**files, "prod/kustomization.yaml": overlay})
        assert text(done, "prod/kustomization.yaml") == overlay.replace("longhorn", "azurefile-csi")


def test_a_patch_that_gives_a_claim_other_access_modes_keeps_its_class_from_being_guessed() -> None:
    files = {
        "base/kustomization.yaml": "resources: [pvc.yaml]\n",
        "base/pvc.yaml": CLAIM % "longhorn",
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: modes.yaml}]\n",
        "prod/modes.yaml": "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteMany]}\n",
    }
    done = fixed(files)
    assert text(done, "base/pvc.yaml") == CLAIM % "longhorn"
    assert "storageClasses.longhorn" in [q.key for q in done.questions]


def test_a_patch_leaves_the_class_to_its_claim() -> None:
    modes = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteMany]}\n"
    top = "resources: [%s]\npatches: [{path: modes.yaml}]\n"
    remote = fixed({"kustomization.yaml": top % QUOTED, "modes.yaml": modes})
    assert text(remote, "modes.yaml") == modes
    without = (CLAIM % "x").replace("  storageClassName: x  # fast\n", "")
    local = fixed({"kustomization.yaml": top % "pvc.yaml", "pvc.yaml": without, "modes.yaml": modes})
    assert "azurefile-csi" in text(local, "modes.yaml")
    assert text(local, "pvc.yaml") == without


def test_an_ingress_patch_leaves_the_class_to_its_ingress() -> None:
    patch = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {tls: [{hosts: [a.com], secretName: a}]}\n"
    done = fixed({"kustomization.yaml": f"resources: [{QUOTED}]\npatches: [{{path: p.yaml}}]\n", "p.yaml": patch})
    assert found(done, "p.yaml") == []


def test_json_patch_files_are_mended_where_they_lie() -> None:
    patch = "- op: add\n  path: /spec/template/spec/nodeSelector\n  value: {beta.kubernetes.io/os: linux}  # os\n"
    top = f"resources: [{QUOTED}]\npatches:\n- path: p.yaml\n  target: {{kind: StatefulSet}}\n"
    done = fixed({"kustomization.yaml": top, "p.yaml": patch})
    assert text(done, "p.yaml") == patch.replace("beta.", "")
    assert ("AKS0501", "/0/value", "fixed") in found(done, "p.yaml")


def test_a_patch_file_in_json_is_mended_too() -> None:
    patch = '[{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "x", "image": "registry.lan:5000/x:1"}}]'
    top = f"resources: [{QUOTED}]\npatchesJson6902:\n- path: p.json\n  target: {{group: apps, version: v1, kind: Deployment, name: web}}\n"
    done = fixed({"kustomization.yaml": top, "p.json": patch}, decisions={"registries": {"registry.lan:5000": "acme.azurecr.io"}})
    assert text(done, "p.json") == patch.replace("registry.lan:5000", "acme.azurecr.io")


def test_what_a_patch_leaves_out_is_not_missing() -> None:
    patch = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, tty: true}]}}}\n"
    )
    inline = {
        "resources": [REMOTE],
        "patches": [{"patch": patch}, {"patch": "- {op: add, path: /spec/replicas, value: 3}", "target": {"kind": "Deployment"}}],
    }
    done = fixed({"kustomization.yaml": yaml.safe_dump(inline)})
    assert {rule for rule, _, _ in found(done, "kustomization.yaml")} == {"AKS0009"}


def test_a_patch_that_deletes_says_nothing_more() -> None:
    gone = "$patch: delete\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\n"
    done = fixed(
        {"kustomization.yaml": yaml.safe_dump({"resources": [REMOTE], "patches": [{"patch": gone}, {"path": "p.yaml"}]}), "p.yaml": gone}
    )
    assert {rule for o in done.outcomes for rule, _, _ in found(done, o.path)} == {"AKS0009"}


def test_what_a_patch_removes_is_only_suggested_and_never_breaks_the_patch() -> None:
    patch = "- op: add\n  path: /spec/loadBalancerIP\n  value: 192.168.1.20\n- op: add\n  path: /spec/type\n  value: LoadBalancer\n"
    top = f"resources: [{QUOTED}]\npatches:\n- path: p.yaml\n  target: {{kind: Service, name: web}}\n"
    done = fixed({"kustomization.yaml": top, "p.yaml": patch})
    assert text(done, "p.yaml") == patch
    unsafe = fixed({"kustomization.yaml": top, "p.yaml": patch}, unsafe=True)
    assert yaml.safe_load(text(unsafe, "p.yaml")) == [{"op": "add", "path": "/spec/type", "value": "LoadBalancer"}]


def test_addresses_in_literals_are_reported_and_secrets_are_not_read() -> None:
    generated = "  - {name: a, literals: [DB=192.168.1.20, EMPTY=]}\n"
    done = fixed({"kustomization.yaml": f"configMapGenerator:\n{generated}secretGenerator:\n{generated}"})
    assert found(done, "kustomization.yaml") == [("AKS0613", "/configMapGenerator/0", "needs-human")]


def test_values_of_charts_that_kustomize_inflates_are_mended() -> None:
    top = "helmCharts:\n- name: db\n  valuesInline:\n    persistence: {storageClass: local-path, accessModes: [ReadWriteOnce]}  # data\n"
    done = fixed({"kustomization.yaml": top})
    assert text(done, "kustomization.yaml") == top.replace("local-path", "managed-csi")
    assert {rule for rule, _, _ in found(done, "kustomization.yaml")} == {"AKS0010", "AKS0940"}


@pytest.mark.parametrize(
    ("entry", "remote"),
    [
        ("https://github.com/acme/base//deploy?ref=v1", True),
        ("http://example.com/all.yaml", True),
        ("git@github.com:acme/base.git", True),
        ("ssh://git@example.com/acme/base", True),
        ("git::https://example.com/base.git//x", True),
        ("github.com/acme/base?ref=v1", True),
        ("gh:acme/base", True),
        ("oci://registry.example.com/base", True),
        ("bitbucket.org/acme/base//deploy", True),
        ("git.example.com/acme/base.git?ref=v2", True),
        ("../../../elsewhere", True),
        ("/srv/base", True),
        ("../base", False),
        ("./deploy//x.yaml", False),
        ("github.com.yaml", False),
        ("crds/monitoring.coreos.com.yaml", False),
    ],
)
def test_every_form_of_a_base_from_elsewhere_is_named(entry: str, remote: bool) -> None:
    done = fixed({"prod/kustomization.yml": yaml.safe_dump({"resources": [entry]})})
    assert (("AKS0009", "/resources/0", "needs-human") in found(done, "prod/kustomization.yml")) is remote


def test_a_login_in_a_url_is_not_repeated() -> None:
    done = fixed({"Kustomization": "resources: ['https://me:hunter2@git.example.com/base?ref=1']\n"})
    (said,) = [v.message for o in done.outcomes for v in o.violations]
    assert "hunter2" not in said + str([q.key for q in done.questions])
    assert "https://git.example.com/base?ref=1" in said


def test_no_damaged_kustomization_breaks_anything() -> None:
    whole: dict[str, Any] = yaml.safe_load((IMAGES % QUOTED) + "configMapGenerator: [{name: a, literals: [A=b]}]\n")
    whole["patches"] = [{"patch": "- {op: add, path: /a/0/-, value: {}}", "target": {"kind": "Pod"}}, {"patch": CLAIM % "x"}]
    whole["helmCharts"] = [{"name": "a", "repo": "b", "valuesInline": {"a": "b"}}]
    facts = Facts(plan_run([], RunOptions("test", "k3s")))
    count = 0
    for document in damaged(copy.deepcopy(whole)):
        for base, _ in objects_in("kustomization.yaml", document, facts):
            with contextlib.suppress(CannotConvert):
                assert written_back(document, base, []) == [] or base
            count += 1
    assert count > 100


def test_a_patch_that_brings_its_own_class_leaves_the_base_to_itself() -> None:
    patch = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: %s, accessModes: [ReadWriteMany]}\n"
    )
    files = {
        "base/kustomization.yaml": "resources: [pvc.yaml]\n",
        "base/pvc.yaml": CLAIM % "longhorn",
        "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "prod/p.yaml": patch % "longhorn",
    }
    done = fixed(files)
    assert (text(done, "base/pvc.yaml"), text(done, "prod/p.yaml")) == (CLAIM % "managed-csi", patch % "azurefile-csi")


def test_a_patch_with_a_target_needs_no_kind_of_its_own() -> None:
    patch = "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: any}\nspec: {replicas: 2}\n"
    target = {"kind": "Deployment"}
    top = {"resources": [REMOTE], "patches": [{"path": "p.yaml", "target": target}, {"patch": patch, "target": target}]}
    done = fixed({"kustomization.yaml": yaml.safe_dump(top), "p.yaml": patch})
    assert {rule for path in done.after for rule, _, _ in found(done, path)} == {"AKS0009"}
