"""Workloads in API versions that Kubernetes removed: what the old defaults meant is said in the new form."""

import pytest
from convert_support import convert, expect_refusal, messages, obj

POD = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}


@pytest.mark.parametrize("api", ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"])
def test_a_workload_gets_the_selector_that_its_template_implied(api):
    result, conversion = convert("removed-api-workload", obj(api, "Deployment", spec={"template": POD}))
    assert result["apiVersion"] == "apps/v1"
    assert result["spec"]["selector"] == {"matchLabels": {"app": "web", "tier": "front"}}
    assert [o.path for o in conversion.operations] == ["/apiVersion", "/spec/selector"]
    assert bool(conversion.losses) == (api != "apps/v1beta2")


def test_an_empty_selector_is_the_template_labels():
    result, _ = convert("removed-api-workload", obj("apps/v1beta2", "ReplicaSet", spec={"selector": {}, "template": POD}))
    assert result["spec"]["selector"] == {"matchLabels": {"app": "web", "tier": "front"}}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchLabels": {"app": "api"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Nonsense"}]}, False),
    ],
)
def test_a_selector_stays_where_it_matches_and_is_refused_where_not(selector, fits):
    source = obj("apps/v1beta1", "Deployment", spec={"selector": selector, "template": POD})
    if fits:
        result, _ = convert("removed-api-workload", source)
        assert result["spec"]["selector"] == selector
    else:
        assert expect_refusal("removed-api-workload", source).path == "/spec/selector"


def test_rollback_and_template_generation_go():
    result, conversion = convert(
        "removed-api-workload", obj("apps/v1beta1", "Deployment", spec={"rollbackTo": {"revision": 2}, "template": POD})
    )
    assert "rollbackTo" not in result["spec"]
    assert "/spec/rollbackTo" in messages(conversion)
    result, _ = convert("removed-api-workload", obj("extensions/v1beta1", "DaemonSet", spec={"templateGeneration": 2, "template": POD}))
    assert "templateGeneration" not in result["spec"]


def test_pods_that_were_replaced_only_when_deleted_stay_so():
    result, _ = convert("removed-api-workload", obj("extensions/v1beta1", "DaemonSet", spec={"template": POD}))
    assert result["spec"]["updateStrategy"] == {"type": "OnDelete"}
    result, _ = convert("removed-api-workload", obj("apps/v1beta1", "StatefulSet", spec={"serviceName": "web", "template": POD}))
    assert result["spec"]["updateStrategy"] == {"type": "OnDelete"}
    explicit = {"updateStrategy": {"type": "RollingUpdate"}, "template": POD}
    result, _ = convert("removed-api-workload", obj("extensions/v1beta1", "DaemonSet", spec=explicit))
    assert result["spec"]["updateStrategy"] == {"type": "RollingUpdate"}
    result, _ = convert("removed-api-workload", obj("apps/v1beta2", "StatefulSet", spec={"serviceName": "web", "template": POD}))
    assert "updateStrategy" not in result["spec"]


def test_old_rollout_defaults_are_said():
    _, conversion = convert("removed-api-workload", obj("extensions/v1beta1", "Deployment", spec={"template": POD}))
    assert "no progress deadline" in messages(conversion)
    explicit = {"strategy": {"type": "Recreate"}, "progressDeadlineSeconds": 60, "revisionHistoryLimit": 1, "template": POD}
    _, conversion = convert("removed-api-workload", obj("extensions/v1beta1", "Deployment", spec=explicit))
    assert conversion.losses == ()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (obj("apps/v1", "Deployment", spec={}), "not a workload of a removed apps API"),
        (obj("apps/v1beta1", "Deployment"), "has no spec"),
        (obj("apps/v1beta1", "Deployment", spec={"template": {}}), "no labels to select by"),
    ],
)
def test_what_is_no_removed_workload_is_refused(source, why):
    assert why in str(expect_refusal("removed-api-workload", source))
