"""Kustomizations stay true: resources, patches and their targets, and what must not be converted because of them.

Where kubectl is on the machine, the results are built with it.
"""

import shutil
import subprocess

import jsonpatch
import pytest
import yaml

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.convert.kustomize_changes import Changes
from shared.domain.convert.kustomize_patches import Retyping
from shared.domain.model import ResourceRef

DC = Retyping(ResourceRef("apps.openshift.io/v1", "DeploymentConfig", None, "web"), "apps/v1", "Deployment")
OLD = Retyping(ResourceRef("extensions/v1beta1", "Deployment", None, "web"), "apps/v1", "Deployment")
ROUTE = Retyping(ResourceRef("route.openshift.io/v1", "Route", None, "web"), "gateway.networking.k8s.io/v1", "HTTPRoute")
TARGET = {"group": "apps.openshift.io", "version": "v1", "kind": "DeploymentConfig", "name": "web"}
IMAGE = [[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "a.com/web:2"}]]


def kustomizations(top, files=None, path="kustomization.yaml", **others):
    return Kustomizations({path: top, **others}, (files or {}).get)


def patched(content, operations):
    return jsonpatch.apply_patch(content, [o.rfc6902() for o in operations.get("kustomization.yaml", ())])


def test_removed_and_created_files():
    content = {"resources": ["a.yaml", "./gone.yaml", "b.yaml", "sub/gone.yaml"]}
    changes = Changes(removed=frozenset({"gone.yaml", "sub/gone.yaml"}), created=frozenset({"aks-gateway.yaml", "sub/aks-gateway.yaml"}))
    assert patched(content, kustomizations(content).operations(changes)) == {"resources": ["a.yaml", "b.yaml", "aks-gateway.yaml"]}


def test_the_last_resource_goes_with_its_key_and_a_created_file_starts_a_new_list():
    content = {"namespace": "shop", "resources": ["gone.yaml"]}
    removed = Changes(removed=frozenset({"gone.yaml"}))
    assert patched(content, kustomizations(content).operations(removed)) == {"namespace": "shop"}
    both = Changes(removed=frozenset({"gone.yaml"}), created=frozenset({"aks-gateway.yaml"}))
    assert patched(content, kustomizations(content).operations(both)) == {"namespace": "shop", "resources": ["aks-gateway.yaml"]}


def test_what_is_listed_is_not_listed_again():
    content = {"resources": ["./aks-gateway.yaml"]}
    assert kustomizations(content).operations(Changes(created=frozenset({"aks-gateway.yaml"}))) == {}


@pytest.mark.parametrize("field", ["patches", "patchesJson6902"])
def test_targets_follow(field):
    content = {"resources": ["web.yaml"], field: [{"path": "image.yaml", "target": TARGET}]}
    found = kustomizations(content, {"image.yaml": IMAGE, "web.yaml": []})
    assert found.blocks_conversion("web.yaml", DC) is None
    target = patched(content, found.operations(Changes(retyped=(DC,))))[field][0]["target"]
    assert target == {"group": "apps", "version": "v1", "kind": "Deployment", "name": "web"}


def test_a_target_that_also_selects_what_stayed_is_written_twice():
    content = {"resources": ["web.yaml"], "patches": [{"path": "image.yaml", "target": {"kind": "DeploymentConfig"}}]}
    stayed = ResourceRef("apps.openshift.io/v1", "DeploymentConfig", None, "db")
    result = patched(content, kustomizations(content, {"image.yaml": IMAGE}).operations(Changes((DC,), kept=(stayed,))))
    assert [p["target"] for p in result["patches"]] == [{"kind": "DeploymentConfig"}, {"kind": "Deployment"}]


def test_targets_that_select_by_name_alone_need_no_change():
    content = {"resources": ["web.yaml"], "patches": [{"path": "image.yaml", "target": {"name": "web"}}]}
    assert kustomizations(content, {"image.yaml": IMAGE}).operations(Changes(retyped=(DC,))) == {}


@pytest.mark.parametrize(
    "path", ["/spec/triggers/0/imageChangeParams/from/name", "/spec/strategy/recreateParams/post", "/spec/selector/app"]
)
def test_a_patch_of_a_field_that_goes_blocks(path):
    content = {"resources": ["web.yaml"], "patches": [{"path": "p.yaml", "target": TARGET}]}
    reason = kustomizations(content, {"p.yaml": [[{"op": "replace", "path": path, "value": 1}]]}).blocks_conversion("web.yaml", DC)
    assert reason is not None
    assert "/patches/0" in reason


def merge_patch(retyping, **body):
    return {"apiVersion": retyping.ref.api_version, "kind": retyping.ref.kind, "metadata": {"name": "web"}, **body}


def test_strategic_merge_patches_are_retyped():
    content = {"resources": ["web.yaml"], "patchesStrategicMerge": ["p.yaml"]}
    found = kustomizations(content, {"p.yaml": [merge_patch(DC, spec={"replicas": 3})]})
    assert found.patch_files() == {"p.yaml"}
    assert found.blocks_conversion("web.yaml", DC) is None
    (operations,) = found.patch_operations(Changes(retyped=(DC,))).values()
    assert [(o.path, o.value) for o in operations] == [("/apiVersion", "apps/v1"), ("/kind", "Deployment")]
    assert list(found.patch_operations(Changes(retyped=(DC,)))) == [("p.yaml", 0)]


@pytest.mark.parametrize("inline", [{"patches": [{"patch": "%s"}]}, {"patchesStrategicMerge": ["%s"]}])
def test_inline_merge_patches_are_retyped_in_their_text(inline):
    body = yaml.safe_dump(merge_patch(DC, spec={"replicas": 3}), sort_keys=False) + "# ours\n"
    content = yaml.safe_load(yaml.safe_dump({"resources": ["web.yaml"], **inline}).replace("'%s'", yaml.safe_dump(body, default_style='"')))
    found = kustomizations(content)
    assert found.blocks_conversion("web.yaml", DC) is None
    result = patched(content, found.operations(Changes(retyped=(DC,))))
    wanted = body.replace("apps.openshift.io/v1", "apps/v1").replace("DeploymentConfig", "Deployment")
    assert (result.get("patchesStrategicMerge") or [result["patches"][0]["patch"]]) == [wanted] if "patches" in inline else [wanted]


def test_a_list_in_a_merge_patch_blocks_a_change_of_kind_but_not_of_version():
    content = {"resources": ["web.yaml"], "patchesStrategicMerge": ["p.yaml"]}
    spec = {"template": {"spec": {"containers": [{"name": "web", "image": "a.com/web:2"}]}}}
    assert kustomizations(content, {"p.yaml": [merge_patch(DC, spec=spec)]}).blocks_conversion("web.yaml", DC) is not None
    found = kustomizations(content, {"p.yaml": [merge_patch(OLD, spec=spec)]})
    assert found.blocks_conversion("web.yaml", OLD) is None
    assert [o.value for o in found.patch_operations(Changes(retyped=(OLD,)))["p.yaml", 0]] == ["apps/v1"]


@pytest.mark.parametrize(
    "content",
    [
        {"replacements": [{"source": {"kind": "DeploymentConfig", "name": "web"}, "targets": []}]},
        {"vars": [{"name": "X", "objref": {"kind": "DeploymentConfig", "name": "web"}}]},
    ],
)
def test_what_cannot_follow_blocks(content):
    content = {"resources": ["web.yaml"], **content}
    assert kustomizations(content).blocks_conversion("web.yaml", DC) is not None
    other = Retyping(ResourceRef("apps.openshift.io/v1", "DeploymentConfig", None, "other"), "apps/v1", "Deployment")
    assert kustomizations(content).blocks_conversion("web.yaml", other) is None


def test_routes_of_a_remote_base_under_a_name_prefix_are_left_alone():
    url = "https://github.com/acme/base//deploy?ref=v1"
    files = {"prod/kustomization.yaml": {"resources": [url, "own.yaml"], "namePrefix": "dev-"}}
    known = Kustomizations(files, {}.get, {url: "upstream/base.yaml"})
    assert "prefix" in (known.blocks_conversion("upstream/base.yaml", ROUTE) or "")
    assert known.blocks_conversion("prod/own.yaml", ROUTE) is None
    assert known.blocks_conversion("upstream/base.yaml", DC) is None


def test_what_names_other_objects_is_told_where_a_name_changes_above():
    files = {
        "base/kustomization.yaml": {"resources": ["web.yaml"]},
        "other/kustomization.yaml": {"resources": ["web.yaml"]},
        "prod/kustomization.yaml": {"resources": ["../base"], "nameSuffix": "-1"},
    }
    known = Kustomizations(files, {}.get)
    assert known.renaming(["base/web.yaml", "other/web.yaml"], frozenset()) == ["base/kustomization.yaml"]


def test_route_patches_may_touch_labels_only():
    content = {"resources": ["web.yaml"], "patches": [{"path": "p.yaml"}]}
    label = {"p.yaml": [merge_patch(ROUTE) | {"metadata": {"name": "web", "labels": {"a": "b"}}}]}
    assert kustomizations(content, label).blocks_conversion("web.yaml", ROUTE) is None
    host = {"p.yaml": [merge_patch(ROUTE, spec={"host": "a.com"})]}
    assert kustomizations(content, host).blocks_conversion("web.yaml", ROUTE) is not None


def test_overlays_block_what_their_base_holds():
    overlay = {"resources": ["../../base"], "patches": [{"path": "p.yaml", "target": TARGET}]}
    files = {"overlays/dev/p.yaml": [[{"op": "remove", "path": "/spec/triggers"}]]}
    base = {"resources": ["web.yaml"]}
    found = Kustomizations({"base/kustomization.yaml": base, "overlays/dev/kustomization.yaml": overlay}, files.get)
    assert found.building("base/web.yaml") == ["base/kustomization.yaml", "overlays/dev/kustomization.yaml"]
    assert "overlays/dev" in (found.blocks_conversion("base/web.yaml", DC) or "")
    assert found.blocks_conversion("elsewhere/web.yaml", DC) is None


@pytest.mark.parametrize(
    "content", [{}, {"resources": None}, {"patches": [3, None, {}, {"patch": ": :"}]}, {"resources": ["https://a.com/b", 3]}]
)
def test_odd_kustomizations_are_left_alone(content):
    found = kustomizations(content)
    assert found.operations(Changes(retyped=(DC,), removed=frozenset({"x"}))) == {}
    assert found.blocks_conversion("web.yaml", DC) is None


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine: kustomize builds are not compared")
def test_kubectl_builds_the_result(tmp_path):
    content = {"resources": ["web.yaml"], "patchesStrategicMerge": ["p.yaml"], "patches": [{"path": "image.yaml", "target": TARGET}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web", "image": "a.com/web:1"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    found = kustomizations(content, {"p.yaml": [merge_patch(DC, spec={"replicas": 3})], "image.yaml": IMAGE})
    changes = Changes(retyped=(DC,))
    patch = jsonpatch.apply_patch(
        merge_patch(DC, spec={"replicas": 3}), [o.rfc6902() for o in found.patch_operations(changes)["p.yaml", 0]]
    )
    files = {"kustomization.yaml": patched(content, found.operations(changes)), "p.yaml": patch, "image.yaml": IMAGE[0],
             "web.yaml": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}}  # fmt: skip
    for name, value in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(value))
    built = yaml.safe_load(subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, check=True).stdout)
    assert built["spec"]["replicas"] == 3
    assert built["spec"]["template"]["spec"]["containers"][0]["image"] == "a.com/web:2"
