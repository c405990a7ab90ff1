"""DeploymentConfig to Deployment: a golden case per field of openshift/api apps/v1, and every refusal."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages

from shared.domain.convert.deployment_config import deployment_config

BASE = """
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: quay.io/acme/web:1.0}]
"""


def dc(**fields):
    """The base object with fields of its spec set, or removed where None."""
    obj = yaml.safe_load(BASE)
    obj["spec"] |= fields
    obj["spec"] = {k: v for k, v in obj["spec"].items() if v is not None}
    return yaml.safe_dump(obj)


def test_minimal_operations():
    result, conversion = convert("deployment-config", BASE)
    assert [(o.op, o.path) for o in conversion.operations] == [
        ("replace", "/apiVersion"),
        ("replace", "/kind"),
        ("replace", "/spec/selector"),
    ]
    assert result["apiVersion"] == "apps/v1"
    assert result["kind"] == "Deployment"
    assert result["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert conversion.losses == ()


def test_legacy_api_group():
    result, _ = convert("deployment-config", BASE.replace("apps.openshift.io/v1", "v1"))
    assert (result["apiVersion"], result["kind"]) == ("apps/v1", "Deployment")


def test_missing_selector_is_built_from_the_template_labels():
    result, conversion = convert("deployment-config", dc(selector=None))
    assert result["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    assert [o.op for o in conversion.operations if o.path == "/spec/selector"] == ["add"]


def test_selector_outside_the_template_labels_is_refused():
    assert "does not match" in str(expect_refusal("deployment-config", dc(selector={"app": "other"})))


def test_no_selector_and_no_labels_is_refused():
    template = {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "web", "image": "quay.io/a/b:1"}]}}
    assert "to select by" in str(expect_refusal("deployment-config", dc(selector=None, template=template)))


@pytest.mark.parametrize(("field", "value"), [("minReadySeconds", 5), ("revisionHistoryLimit", 3), ("paused", True), ("replicas", 0)])
def test_fields_that_stay(field, value):
    result, conversion = convert("deployment-config", dc(**{field: value}))
    assert result["spec"][field] == value
    assert not [o for o in conversion.operations if field in o.path]


def test_absent_replicas_are_asked_for_and_answered():
    error = expect_refusal("deployment-config", dc(replicas=None))
    assert error.question is not None
    assert error.question.key == "replicas.shop/web"
    result, _ = convert("deployment-config", dc(replicas=None), FakeLookup(decisions={"replicas.shop/web": 3}))
    assert result["spec"]["replicas"] == 3


def test_test_false_goes_and_test_true_is_refused():
    result, _ = convert("deployment-config", dc(test=False))
    assert "test" not in result["spec"]
    assert expect_refusal("deployment-config", dc(test=True)).path == "/spec/test"


def test_status_and_dead_annotations_go():
    obj = yaml.safe_load(BASE) | {"status": {"latestVersion": 3}}
    obj["metadata"]["annotations"] = {"openshift.io/generated-by": "OpenShiftNewApp", "team": "shop"}
    result, _ = convert("deployment-config", yaml.safe_dump(obj))
    assert "status" not in result
    assert result["metadata"]["annotations"] == {"team": "shop"}


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        ({"type": "Rolling"}, {"type": "RollingUpdate"}),
        ({}, {"type": "RollingUpdate"}),
        ({"type": "Recreate"}, {"type": "Recreate"}),
        ({"type": "Rolling", "rollingParams": {"maxSurge": "30%", "maxUnavailable": 1}},
         {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "30%"}}),
        ({"type": "Rolling", "rollingParams": {"maxSurge": "2"}}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}),
        ({"type": "Recreate", "rollingParams": {"maxSurge": 1, "pre": {"failurePolicy": "Abort"}}}, {"type": "Recreate"}),
        ({"type": "Rolling", "recreateParams": {"timeoutSeconds": 10}}, {"type": "RollingUpdate"}),
    ],
)  # fmt: skip
def test_strategies(strategy, wanted):
    result, _ = convert("deployment-config", dc(strategy=strategy))
    assert result["spec"]["strategy"] == wanted
    assert "progressDeadlineSeconds" not in result["spec"]


def test_recreate_alone_needs_no_operation():
    _, conversion = convert("deployment-config", dc(strategy={"type": "Recreate"}))
    assert not [o for o in conversion.operations if "strategy" in o.path]


@pytest.mark.parametrize("kind", ["Rolling", "Recreate"])
def test_timeout_becomes_the_progress_deadline_and_says_what_is_lost(kind):
    params = {"timeoutSeconds": 120, "updatePeriodSeconds": 5} if kind == "Rolling" else {"timeoutSeconds": 120}
    result, conversion = convert("deployment-config", dc(strategy={"type": kind, f"{kind.lower()}Params": params}))
    assert result["spec"]["progressDeadlineSeconds"] == 120
    assert "rolled back by itself" in messages(conversion)
    assert ("updatePeriodSeconds has no equivalent" in messages(conversion)) == (kind == "Rolling")


def test_deployer_settings_are_losses():
    strategy = {"type": "Rolling", "resources": {"limits": {"cpu": "1"}}, "activeDeadlineSeconds": 600, "customParams": {"image": "x"}}
    _, conversion = convert("deployment-config", dc(strategy=strategy))
    for field in ("resources", "activeDeadlineSeconds", "customParams"):
        assert f"/spec/strategy/{field}" in messages(conversion)


def test_the_defaults_that_exports_carry_lose_nothing():
    params = {"updatePeriodSeconds": 1, "intervalSeconds": 1, "maxSurge": "25%", "maxUnavailable": "25%"}
    strategy = {"type": "Rolling", "activeDeadlineSeconds": 21600, "resources": {}, "rollingParams": params}
    assert convert("deployment-config", dc(strategy=strategy))[1].losses == ()


@pytest.mark.parametrize(
    "strategy",
    [
        {"type": "Custom", "customParams": {"image": "x"}},
        {"type": "Rolling", "rollingParams": {"pre": {"failurePolicy": "Abort"}}},
        {"rollingParams": {"post": {"failurePolicy": "Ignore"}}},
        {"type": "Recreate", "recreateParams": {"mid": {"failurePolicy": "Retry"}}},
        {"type": "Rolling", "unheardOf": 1},
    ],
)
def test_strategies_without_an_equivalent_are_refused(strategy):
    assert expect_refusal("deployment-config", dc(strategy=strategy)).path.startswith("/spec")


def test_min_ready_seconds_must_stay_below_the_deadline():
    assert "minReadySeconds" in str(expect_refusal("deployment-config", dc(minReadySeconds=700)))


def test_the_controllers_pod_label_is_kept_where_a_service_selects_by_it():
    service = (
        "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {deploymentconfig: web}, ports: []}}"
    )
    result, _ = convert("deployment-config", BASE, FakeLookup(service))
    assert result["spec"]["template"]["metadata"]["labels"] == {"app": "web", "deploymentconfig": "web"}
    assert result["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    other, _ = convert("deployment-config", BASE, FakeLookup(service.replace("deploymentconfig: web", "deploymentconfig: db")))
    assert other["spec"]["template"]["metadata"]["labels"] == {"app": "web"}


def test_a_selector_on_a_revision_is_refused():
    service = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {deployment: web-3}, ports: []}}"
    assert "web-3" in str(expect_refusal("deployment-config", BASE, FakeLookup(service)))


def test_a_deployment_of_the_same_name_is_refused():
    twin = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {}}"
    assert "already there" in str(expect_refusal("deployment-config", BASE, FakeLookup(twin)))


# --- triggers and images -----------------------------------------------------------------------------------------

STREAM = """
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web, namespace: shop}
spec:
  tags:
  - {name: latest, from: {kind: ImageStreamTag, name: "1.0"}}
  - {name: "1.0", from: {kind: DockerImage, name: "quay.io/acme/web:1.0"}}
  - {name: loop, from: {kind: ImageStreamTag, name: loop}}
  - {name: inner, from: {kind: DockerImage, name: "image-registry.openshift-image-registry.svc:5000/shop/web:1"}}
"""


def triggered(image, tag="latest", automatic=True):
    trigger = {"automatic": automatic, "containerNames": ["web"], "from": {"kind": "ImageStreamTag", "name": f"web:{tag}"}}
    container = {"name": "web"} | ({} if image is None else {"image": image})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    return dc(template=template, triggers=[{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": trigger}])


@pytest.mark.parametrize("image", [" ", "", None, "web", "library/web:latest", "${IMAGE}", "172.30.1.1:5000/shop/web:latest"])
def test_a_managed_image_comes_from_the_image_stream_of_the_run(image):
    result, conversion = convert("deployment-config", triggered(image), FakeLookup(STREAM))
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/acme/web:1.0"
    assert "triggers" not in result["spec"]
    assert "no rollout by itself any more when web:latest" in messages(conversion)


def test_the_stream_of_the_run_wins_over_the_image_that_openshift_overwrites():
    result, _ = convert("deployment-config", triggered("quay.io/acme/web:2.0"), FakeLookup(STREAM))
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/acme/web:1.0"


def test_a_managed_image_with_a_registry_stays_where_no_stream_is_known():
    result, conversion = convert("deployment-config", triggered("quay.io/acme/web:2.0"), FakeLookup())
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/acme/web:2.0"
    assert "no rollout by itself" in messages(conversion)


@pytest.mark.parametrize("tag", ["unknown", "loop", "inner"])
def test_an_image_that_only_openshift_knows_is_asked_for(tag):
    error = expect_refusal("deployment-config", triggered(" ", tag), FakeLookup(STREAM))
    assert error.question is not None
    assert error.question.key == f"images.shop/web:{tag}"
    answered = FakeLookup(STREAM, decisions={error.question.key: "acme.azurecr.io/web:7"})
    result, _ = convert("deployment-config", triggered(" ", tag), answered)
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "acme.azurecr.io/web:7"


def test_a_blank_image_without_a_trigger_is_asked_for():
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": " "}]}}
    error = expect_refusal("deployment-config", dc(template=template))
    assert error.question is not None
    assert error.question.key == "images.shop/web/web"


def test_an_explicitly_empty_trigger_list_is_said():
    result, conversion = convert("deployment-config", dc(triggers=[]))
    assert "triggers" not in result["spec"]
    assert "every change of its pod template" in messages(conversion)


def test_old_trigger_types_are_said():
    _, conversion = convert("deployment-config", dc(triggers=[{"type": "Manual"}]))
    assert "type Manual" in messages(conversion)


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
@pytest.mark.parametrize("version", ["apps.openshift.io/v1", "v1", None])
def test_references_follow(kind, version):
    reference = {"kind": "DeploymentConfig", "name": "web"} | ({"apiVersion": version} if version else {})
    api = "autoscaling/v2" if kind == "HorizontalPodAutoscaler" else "keda.sh/v1alpha1"
    obj = {"apiVersion": api, "kind": kind, "metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "scaleTargetRef": reference}}
    result, _ = convert("reference-deployment-config", yaml.safe_dump(obj))
    assert result["spec"]["scaleTargetRef"] == {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}


def test_references_to_other_kinds_are_left_alone():
    source = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {scaleTargetRef: {kind: Deployment, name: a}}}"
    assert "names a DeploymentConfig" in str(expect_refusal("reference-deployment-config", source))


def test_the_registry_map_moves_the_streams_image_and_lists_its_import():
    result, conversion = convert(
        "deployment-config", triggered(" "), FakeLookup(STREAM, decisions={"registries.[quay.io]": "shop.azurecr.io"})
    )
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "shop.azurecr.io/acme/web:1.0"
    assert [r.command for r in conversion.resources] == ["az acr import --name shop --source quay.io/acme/web:1.0 --image acme/web:1.0"]


def test_counts_that_flux_fills_in_later_stay_as_they_are():
    text = dc(replicas="${REPLICAS}", revisionHistoryLimit="${KEPT}", minReadySeconds="%{READY}%")
    made = deployment_config(yaml.safe_load(text), FakeLookup())
    assert [o.path for o in made.operations] == ["/apiVersion", "/kind", "/spec/selector"]
    expect_refusal("deployment-config", dc(replicas="two"))
