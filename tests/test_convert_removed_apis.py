"""Removed APIs to their successors: a golden case per field that changed, and the changes that are refused."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages, obj

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
    error = expect_refusal("removed-api-ingress", INGRESS.replace("{serviceName: api, servicePort: 8080}", backend))
    assert error.path == "/spec/rules/0/http/paths/1/backend"


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
    error = expect_refusal("removed-api-hpa", obj("autoscaling/v2beta1", "HorizontalPodAutoscaler", spec=spec))
    assert error.path == "/spec/metrics/0"


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
