"""Removed APIs to their successors: a golden case per field that changed, and the changes that are refused."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages

POD = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}


def obj(api_version, kind, **fields):
    return yaml.safe_dump({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, **fields})


# --- workloads ---------------------------------------------------------------------------------------------------


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
    "source",
    [obj("apps/v1", "Deployment", spec={}), obj("apps/v1beta1", "Deployment"), obj("apps/v1beta1", "Deployment", spec={"template": {}})],
)
def test_what_is_no_removed_workload_is_refused(source):
    expect_refusal("removed-api-workload", source)


# --- Ingress -----------------------------------------------------------------------------------------------------

INGRESS = """
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  backend: {serviceName: fallback, servicePort: 80}
  tls: [{hosts: [shop.example.com], secretName: shop-tls}]
  rules:
  - host: shop.example.com
    http:
      paths:
      - path: /
        backend: {serviceName: web, servicePort: http}
      - path: /api
        pathType: Prefix
        backend: {serviceName: api, servicePort: 8080}
  - host: bare.example.com
"""


@pytest.mark.parametrize("api", ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
def test_ingress_backends_and_path_types(api):
    result, _ = convert("removed-api-ingress", INGRESS.replace("extensions/v1beta1", api))
    assert result["spec"] == yaml.safe_load("""
      defaultBackend: {service: {name: fallback, port: {number: 80}}}
      tls: [{hosts: [shop.example.com], secretName: shop-tls}]
      rules:
      - host: shop.example.com
        http:
          paths:
          - {path: /, pathType: ImplementationSpecific, backend: {service: {name: web, port: {name: http}}}}
          - {path: /api, pathType: Prefix, backend: {service: {name: api, port: {number: 8080}}}}
      - host: bare.example.com
    """)


def test_a_quoted_port_is_a_name_and_is_resolved_through_the_service():
    quoted = INGRESS.replace("servicePort: 8080", "servicePort: '8080'")
    service = "{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {ports: [{port: 8080}]}}"
    result, _ = convert("removed-api-ingress", quoted, FakeLookup(service))
    assert result["spec"]["rules"][0]["http"]["paths"][1]["backend"]["service"]["port"] == {"number": 8080}
    assert "port name" in str(expect_refusal("removed-api-ingress", quoted))


@pytest.mark.parametrize("backend", ["{serviceName: api}", "{servicePort: 80}", "{serviceName: api, servicePort: '${PORT}'}", "[]"])
def test_backends_that_say_too_little_are_refused(backend):
    expect_refusal("removed-api-ingress", INGRESS.replace("{serviceName: api, servicePort: 8080}", backend))


# --- autoscaler --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}},
         {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}),
        ({"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "200Mi"}},
         {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "200Mi"}}}),
        ({"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "web", "targetAverageUtilization": 60}},
         {"type": "ContainerResource",
          "containerResource": {"name": "cpu", "container": "web", "target": {"type": "Utilization", "averageUtilization": 60}}}),
        ({"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "1k", "selector": {"matchLabels": {"a": "b"}}}},
         {"type": "Pods", "pods": {"metric": {"name": "rps", "selector": {"matchLabels": {"a": "b"}}},
                                   "target": {"type": "AverageValue", "averageValue": "1k"}}}),
        ({"type": "Object", "object": {"metricName": "hits", "target": {"kind": "Ingress", "name": "main"}, "targetValue": "2k"}},
         {"type": "Object", "object": {"metric": {"name": "hits"}, "describedObject": {"kind": "Ingress", "name": "main"},
                                       "target": {"type": "Value", "value": "2k"}}}),
        ({"type": "Object", "object": {"metricName": "hits", "target": {"kind": "Ingress", "name": "main"}, "averageValue": "5"}},
         {"type": "Object", "object": {"metric": {"name": "hits"}, "describedObject": {"kind": "Ingress", "name": "main"},
                                       "target": {"type": "AverageValue", "averageValue": "5"}}}),
        ({"type": "External", "external": {"metricName": "queue", "metricSelector": {"matchLabels": {"q": "a"}}, "targetValue": "30"}},
         {"type": "External", "external": {"metric": {"name": "queue", "selector": {"matchLabels": {"q": "a"}}},
                                           "target": {"type": "Value", "value": "30"}}}),
    ],
)  # fmt: skip
def test_metrics_of_v2beta1(old, new):
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3, "metrics": [old]}
    result, _ = convert("removed-api-hpa", obj("autoscaling/v2beta1", "HorizontalPodAutoscaler", spec=spec))
    assert result["apiVersion"] == "autoscaling/v2"
    assert result["spec"]["metrics"] == [new]


def test_v2beta2_keeps_its_form():
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3, "behavior": {"scaleDown": {"policies": []}}}
    _, conversion = convert("removed-api-hpa", obj("autoscaling/v2beta2", "HorizontalPodAutoscaler", spec=spec))
    assert [o.path for o in conversion.operations] == ["/apiVersion"]


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "Resource"},
        {"type": "New"},
        {"type": "Pods", "pods": {"targetAverageValue": 1}},
        {"type": "Resource", "resource": {"name": "cpu"}},
        3,
    ],
)
def test_metrics_that_say_too_little_are_refused(metric):
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3, "metrics": [metric]}
    expect_refusal("removed-api-hpa", obj("autoscaling/v2beta1", "HorizontalPodAutoscaler", spec=spec))


# --- the others --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (obj("extensions/v1beta1", "NetworkPolicy", spec={"podSelector": {}}), "networking.k8s.io/v1"),
        (obj("networking.k8s.io/v1beta1", "IngressClass", spec={"controller": "a.b/c"}), "networking.k8s.io/v1"),
        (obj("scheduling.k8s.io/v1beta1", "PriorityClass", value=3), "scheduling.k8s.io/v1"),
        (obj("storage.k8s.io/v1beta1", "StorageClass", provisioner="disk.csi.azure.com"), "storage.k8s.io/v1"),
        (obj("snapshot.storage.k8s.io/v1beta1", "VolumeSnapshotClass", driver="d", deletionPolicy="Delete"), "snapshot.storage.k8s.io/v1"),
        (obj("gateway.networking.k8s.io/v1beta1", "HTTPRoute", spec={}), "gateway.networking.k8s.io/v1"),
    ],
)
def test_same_form(source, wanted):
    result, conversion = convert("removed-api-simple", source)
    assert result["apiVersion"] == wanted
    assert len(conversion.operations) == 1


def test_no_successor_is_refused():
    assert "no successor" in str(expect_refusal("removed-api-simple", obj("policy/v1beta1", "Eviction")))


JOB = {"jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b:1"}]}}}}}


def test_cron_job_and_its_time_zone():
    result, conversion = convert("removed-api-cronjob", obj("batch/v1beta1", "CronJob", spec={"schedule": "0 3 * * *"} | JOB))
    assert [o.path for o in conversion.operations] == ["/apiVersion"]
    result, _ = convert("removed-api-cronjob", obj("batch/v1beta1", "CronJob", spec={"schedule": "CRON_TZ=Europe/Vienna 0 3 * * *"} | JOB))
    assert (result["spec"]["schedule"], result["spec"]["timeZone"]) == ("0 3 * * *", "Europe/Vienna")
    both = {"schedule": "TZ=UTC 0 3 * * *", "timeZone": "UTC"} | JOB
    expect_refusal("removed-api-cronjob", obj("batch/v1beta1", "CronJob", spec=both))


def test_disruption_budget_with_an_empty_selector_is_refused():
    result, _ = convert(
        "removed-api-pdb", obj("policy/v1beta1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}})
    )
    assert result["apiVersion"] == "policy/v1"
    error = expect_refusal("removed-api-pdb", obj("policy/v1beta1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {}}))
    assert "every pod of the namespace" in str(error)


def test_endpoint_slice_topology():
    endpoint = {"addresses": ["10.0.0.1"], "topology": {"kubernetes.io/hostname": "n1", "topology.kubernetes.io/zone": "a", "rack": "7"}}
    result, conversion = convert(
        "removed-api-endpoint-slice", obj("discovery.k8s.io/v1beta1", "EndpointSlice", addressType="IPv4", endpoints=[endpoint])
    )
    assert result["endpoints"] == [{"addresses": ["10.0.0.1"], "nodeName": "n1", "zone": "a"}]
    assert "topology key rack" in messages(conversion)


def test_priority_level_shares():
    spec = {"type": "Limited", "limited": {"assuredConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}}
    result, _ = convert("removed-api-priority-level", obj("flowcontrol.apiserver.k8s.io/v1beta2", "PriorityLevelConfiguration", spec=spec))
    assert result["spec"]["limited"] == {"limitResponse": {"type": "Reject"}, "nominalConcurrencyShares": 5}


def test_pod_security_policy_is_refused_with_its_replacement():
    assert "pod-security.kubernetes.io" in str(expect_refusal("removed-api-psp", obj("policy/v1beta1", "PodSecurityPolicy", spec={})))


HOOK = {"name": "a.example.com", "sideEffects": "None", "clientConfig": {"url": "https://a.example.com"}}


def test_webhook_defaults_are_written_down():
    result, _ = convert(
        "removed-api-webhook", obj("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", webhooks=[HOOK])
    )
    old = {"admissionReviewVersions": ["v1beta1"], "failurePolicy": "Ignore", "matchPolicy": "Exact", "timeoutSeconds": 30}
    assert result["webhooks"] == [HOOK | old]


@pytest.mark.parametrize(
    "hooks", [[HOOK | {"sideEffects": "Unknown"}], [{k: v for k, v in HOOK.items() if k != "sideEffects"}], [HOOK, HOOK]]
)
def test_webhooks_that_v1_refuses(hooks):
    expect_refusal("removed-api-webhook", obj("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", webhooks=hooks))


def crd(**spec):
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return obj(
        "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", spec={"group": "a.io", "scope": "Namespaced", "names": names, **spec}
    )


def test_crd_without_a_schema_keeps_everything():
    column = {"name": "Age", "type": "date", "JSONPath": ".metadata.creationTimestamp"}
    result, _ = convert("removed-api-crd", crd(version="v1", subresources={"status": {}}, additionalPrinterColumns=[column]))
    assert result["spec"]["versions"] == [
        {
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "subresources": {"status": {}},
            "additionalPrinterColumns": [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
        }
    ]  # fmt: skip
    assert result["spec"].keys() & {"version", "subresources", "additionalPrinterColumns", "validation"} == set()


STRUCTURAL = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}


def test_crd_with_a_structural_schema_that_prunes():
    versions = [{"name": "v1", "served": True, "storage": True}]
    result, _ = convert("removed-api-crd", crd(versions=versions, preserveUnknownFields=False, validation={"openAPIV3Schema": STRUCTURAL}))
    assert result["spec"]["versions"] == [versions[0] | {"schema": {"openAPIV3Schema": STRUCTURAL}}]
    assert "preserveUnknownFields" not in result["spec"]


def test_crd_that_kept_unknown_fields_still_does():
    keep = {"x-kubernetes-preserve-unknown-fields": True}
    labels = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {"metadata": {"type": "object"}, "spec": {"type": "object", "properties": {"labels": labels}}},
    }
    result, _ = convert("removed-api-crd", crd(version="v1", validation={"openAPIV3Schema": schema}))
    assert result["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == keep | {
        "type": "object",
        "properties": {"metadata": {"type": "object"}, "spec": keep | {"type": "object", "properties": {"labels": labels}}},
    }


def test_crd_with_a_conversion_webhook_and_without_a_scope():
    client = {"service": {"name": "w", "namespace": "a"}}
    result, _ = convert("removed-api-crd", crd(scope="", version="v1", conversion={"strategy": "Webhook", "webhookClientConfig": client}))
    assert result["spec"]["conversion"] == {
        "strategy": "Webhook",
        "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1beta1"]},
    }
    assert result["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize(
    "spec",
    [
        {"version": "v1", "preserveUnknownFields": False},
        {"version": "v1", "validation": {"openAPIV3Schema": {"properties": {"a": {}}}}},
        {"version": "v1", "preserveUnknownFields": False, "validation": {"openAPIV3Schema": {"properties": {"a": {}}}}},
        {"version": "v1", "conversion": {"strategy": "Webhook"}},
        {},
    ],
)
def test_crds_that_would_behave_otherwise_are_refused(spec):
    expect_refusal("removed-api-crd", crd(**spec))
