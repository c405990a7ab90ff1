"""Deployment Safeguards: which target makes them speak, how gravely, and what each of them flags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from policy_support import AMOUNTS, KINDS, all_findings, container, findings, pod_spec, workload

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.paths import POD_SPECS
from shared.domain.policy import EXCLUDED_ON_AUTOMATIC
from shared.domain.run import RunOptions, SourceFile

PRIVILEGED = workload("Pod", pod_spec(containers=[container({"privileged": True})]))
LATEST = workload("Deployment", pod_spec(containers=[container(image="nginx:latest")]))
TARGETS = [
    (s, p, m) for s in ("off", "warn", "enforce") for p in ("privileged", "baseline", "restricted") for m in ("standard", "automatic")
]


@pytest.mark.parametrize(("safeguards", "level", "mode"), TARGETS)
def test_the_target_decides_whether_and_how_gravely(safeguards: str, level: str, mode: str) -> None:
    target = {"safeguards": safeguards, "podSecurity": level, "mode": mode}
    enforced = mode == "automatic" or safeguards == "enforce"
    graver = {True: ["error"], False: ["warning"]}[enforced]
    baseline = mode == "automatic" or level != "privileged"
    assert [v.severity for v in findings(PRIVILEGED, **target)] == (graver if baseline else [])
    assert [v.severity for v in findings(LATEST, **target)] == (graver if enforced or safeguards == "warn" else [])


def test_off_needs_no_quotes_in_a_target_file_and_levels_may_be_written_as_az_does() -> None:
    setup = plan_run([], RunOptions("test", "generic", "safeguards: off\npodSecurity: Restricted\n"))
    assert (setup.target["safeguards"], setup.target["podSecurity"]) == ("off", "restricted")


@pytest.mark.parametrize(("text", "version"), [("1.30", "1.30"), ("1.34", "1.34"), ('"1.35"', "1.35")])
def test_a_version_needs_no_quotes_in_a_target_file(text: str, version: str) -> None:
    setup = plan_run([], RunOptions("test", "generic", f"kubernetesVersion: {text}\n"))
    assert setup.target["kubernetesVersion"] == version


def test_the_default_target_warns_of_both() -> None:
    assert [v.severity for v in findings(PRIVILEGED, LATEST)] == ["warning", "warning"]


def test_aks_is_quoted_as_it_answers() -> None:
    (denied,) = findings(LATEST, safeguards="enforce")
    assert 'AKS denies it: "Please specify an explicit, versioned image tag such as' in denied.message
    (warned,) = findings(LATEST)
    assert "AKS warns: " in warned.message
    (label,) = findings(PRIVILEGED, safeguards="off")
    assert "AKS" not in label.message, "without safeguards nobody answers"


@pytest.mark.parametrize("namespace", ["kube-system", "gatekeeper-system", "azure-arc", "aks-istio-system"])
def test_namespaces_of_the_cluster_are_left_out(namespace: str) -> None:
    for obj in (PRIVILEGED, LATEST):
        inside = {**obj, "metadata": {"name": "web", "namespace": namespace}}
        assert findings(inside, safeguards="enforce") == []


@pytest.mark.parametrize("namespace", sorted(EXCLUDED_ON_AUTOMATIC))
def test_automatic_leaves_more_namespaces_out(namespace: str) -> None:
    inside = {**PRIVILEGED, "metadata": {"name": "web", "namespace": namespace}}
    assert findings(inside, mode="automatic") == []


def test_a_target_may_leave_namespaces_out() -> None:
    inside = {**PRIVILEGED, "metadata": {"name": "web", "namespace": "agents"}}
    assert findings(inside, excludedNamespaces=["agents"]) == []
    assert len(findings(PRIVILEGED, excludedNamespaces=["agents"])) == 1


# --- probes

WITH_PROBES = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout")
NO_PROBES = container(readinessProbe=None, livenessProbe=None)


@pytest.mark.parametrize("kind", KINDS)
def test_probes_are_asked_of_pods_that_stay(kind: str) -> None:
    found = findings(workload(kind, pod_spec(containers=[NO_PROBES])))
    expected = dict.fromkeys(WITH_PROBES, "AKS1030") | {"Job": "AKS1044", "CronJob": "AKS1044", "PodTemplate": None}
    assert [v.rule_id for v in found] == [rule for rule in [expected[kind]] if rule]


@pytest.mark.parametrize(
    ("target", "severity"),
    [
        ({"safeguards": "off"}, None),
        ({"safeguards": "warn"}, "info"),
        ({"safeguards": "enforce"}, "error"),
        ({"mode": "automatic"}, "warning"),
    ],
)
@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_the_safeguard_asks_probes_of_jobs_too(kind: str, target: dict, severity: str | None) -> None:
    found = findings(workload(kind, pod_spec(containers=[NO_PROBES])), **target)
    assert [(v.rule_id, v.severity) for v in found] == ([("AKS1044", severity)] if severity else [])


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_a_job_with_probes_is_fine_where_they_are_enforced(kind: str) -> None:
    assert findings(workload(kind, pod_spec()), safeguards="enforce") == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"readinessProbe": None}, "no readinessProbe."),
        ({"livenessProbe": None}, "no livenessProbe."),
        ({"livenessProbe": {}}, "no livenessProbe."),
        ({"livenessProbe": {"initialDelaySeconds": 3}}, "no livenessProbe."),
        ({"livenessProbe": {"grpc": {"port": 1}}}, "no livenessProbe of a kind that Deployment Safeguards count (tcpSocket, "),
        ({"readinessProbe": None, "livenessProbe": None}, "no readinessProbe and no livenessProbe."),
        ({"startupProbe": {"exec": {"command": ["a"]}}}, None),
        ({"livenessProbe": {"exec": {"command": ["a"]}}, "readinessProbe": {"httpGet": {"port": 1}}}, None),
    ],
)
def test_what_counts_as_a_probe(fields: dict[str, Any], says: str | None) -> None:
    found = findings(workload("Deployment", pod_spec(containers=[container(**fields)])))
    assert [says in v.message for v in found if says] == ([True] if says else [])
    assert bool(found) is bool(says)


def test_init_and_ephemeral_containers_need_no_probes() -> None:
    spec = pod_spec(initContainers=[NO_PROBES], ephemeralContainers=[NO_PROBES])
    assert findings(workload("Pod", spec)) == []


@pytest.mark.parametrize(("mode", "severity"), [("standard", "error"), ("automatic", "warning")])
def test_automatic_only_warns_of_missing_probes(mode: str, severity: str) -> None:
    (one,) = findings(workload("Deployment", pod_spec(containers=[NO_PROBES])), mode=mode, safeguards="enforce")
    assert one.severity == severity


# --- spread over nodes

REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def replicated(kind: str, replicas: object, **fields: Any) -> dict[str, Any]:
    obj = workload(kind, pod_spec(**fields))
    obj["spec"]["replicas"] = replicas
    return obj


@pytest.mark.parametrize("kind", REPLICATED)
@pytest.mark.parametrize(
    ("replicas", "fields", "flagged"),
    [
        (2, {}, True), (10, {}, True), (1, {}, False), (0, {}, False), (None, {}, False), ("${N}", {}, False),
        (2, {"topologySpreadConstraints": []}, True),
        (2, {"topologySpreadConstraints": [{"maxSkew": 1}]}, False),
        (2, {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}}, False),
        (2, {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}}, True),
        (2, {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}}, True),
    ],
)  # fmt: skip
def test_several_replicas_are_spread(kind: str, replicas: object, fields: dict[str, Any], flagged: bool) -> None:
    assert [v.rule_id for v in findings(replicated(kind, replicas, **fields))] == (["AKS1031"] if flagged else [])


# --- requests


@pytest.mark.parametrize(
    ("resources", "at_warn", "at_enforce"),
    [
        (None, ["AKS0801"], ["AKS1038"]),
        ({}, ["AKS0801"], ["AKS1038"]),
        ({"requests": {"cpu": "200m"}}, ["AKS0801"], ["AKS1038"]),
        ({"requests": {"cpu": "200m", "memory": None}}, ["AKS0801"], ["AKS1038"]),
        ({"requests": {"memory": "200Mi"}}, ["AKS0801"], ["AKS1038"]),
        ({"requests": {"cpu": "200m", "memory": "200Mi"}}, [], ["AKS1039"]),
        ({"limits": {"cpu": "200m", "memory": "200Mi"}}, [], ["AKS1039"]),
        ({"requests": {"cpu": "200m", "memory": "200Mi"}, "limits": {"cpu": "1"}}, [], []),
        ({"requests": {"cpu": "50m", "memory": "200Mi"}, "limits": {"cpu": "1"}}, [], ["AKS1039"]),
        (AMOUNTS, [], []),
    ],
)
@pytest.mark.parametrize("kind", ["Pod", "Deployment", "DaemonSet", "Job", "CronJob"])
def test_requests_and_what_aks_makes_of_them(kind: str, resources: object, at_warn: list[str], at_enforce: list[str]) -> None:
    obj = workload(kind, pod_spec(containers=[container(resources=resources)]))
    assert [v.rule_id for v in findings(obj)] == at_warn
    assert [v.rule_id for v in findings(obj, safeguards="enforce")] == at_enforce
    assert findings(obj, safeguards="off") == []


# --- labels, nodes, images, selectors


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "StatefulSet", "ReplicaSet"])
def test_reserved_labels(kind: str) -> None:
    obj = workload(kind, pod_spec())
    obj["metadata"]["labels"] = {"kubernetes.azure.com/team": "a", "kubernetes.io/team": "a", "azure.workload.identity/use": "true"}
    assert [(v.rule_id, v.path) for v in findings(obj)] == [("AKS1032", "/metadata/labels/kubernetes.azure.com~1team")]


def test_nodes_in_git() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "spec": {"taints": [{"key": "CriticalAddonsOnly", "effect": "NoSchedule"}]},
    }
    assert {v.rule_id for v in findings(node)} == {"AKS1033", "AKS1034"}
    system = {**node, "metadata": {"name": "n", "labels": {"kubernetes.azure.com/mode": "system"}}}
    assert {v.rule_id for v in findings(system)} == {"AKS1032", "AKS1033"}


@pytest.mark.parametrize(("image", "flagged"), [("acme.azurecr.io/a:1", False), ("docker.io/a:1", True), ("${IMAGE}", False)])
def test_images_that_a_target_allows(image: str, flagged: bool) -> None:
    obj = workload("Pod", pod_spec(containers=[container(image=image)], initContainers=[]))
    pattern = r"^[^\/]+\.azurecr\.io\/.+$"
    assert [v.rule_id for v in findings(obj, allowedImages=pattern)] == (["AKS1035"] if flagged else [])
    assert findings(obj) == []


def service(name: str, selector: object, namespace: str | None = "shop") -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **place},
        "spec": {"selector": selector, "ports": [{"port": 80}]},
    }


@pytest.mark.parametrize(
    ("second", "flagged"),
    [
        (service("b", {"app": "web"}), True), (service("b", {"app": "web"}, "other"), False),
        (service("b", {"app": "web", "x": "y"}), False),
        (service("b", {"app": "api"}), False), (service("a", {"app": "web"}), False), (service("b", {"app": "web"}, None), False),
    ],
)  # fmt: skip
def test_services_of_a_namespace_have_selectors_of_their_own(second: dict[str, Any], flagged: bool) -> None:
    found = findings(service("a", {"app": "web"}), second)
    assert [(v.rule_id, v.document) for v in found] == ([("AKS1036", 1)] if flagged else [])


@pytest.mark.parametrize(
    ("first", "second", "pods", "flagged"),
    [
        ("app/a.yaml", "app/b.yaml", "app/web.yaml", True),
        ("app/a.yaml", "app/b.yaml", "other/web.yaml", False),
        ("one/a.yaml", "two/b.yaml", "one/web.yaml", False),
    ],
)
def test_services_without_a_namespace_are_a_pair_where_their_pods_are(first: str, second: str, pods: str, flagged: bool) -> None:
    web = workload("Deployment", pod_spec())
    web["spec"]["template"]["metadata"] = {"labels": {"app": "web"}}
    texts = {first: service("a", {"app": "web"}, None), second: service("b", {"app": "web"}, None), pods: web}
    files = [SourceFile(path, json.dumps(obj).encode()) for path, obj in sorted(texts.items())]
    setup = plan_run(files, RunOptions("test", "generic"))
    found = [v.rule_id for file in files for v in inspect(file, setup).violations if v.rule_id == "AKS1036"]
    assert found == (["AKS1036"] if flagged else [])


def test_services_without_selectors_are_no_pair() -> None:
    assert findings(service("a", {}), service("b", {}), service("c", None)) == []


def test_automatic_lets_logs_be_read() -> None:
    volume = [{"name": "logs", "hostPath": {"path": "/var/log"}}]
    read = container(volumeMounts=[{"name": "logs", "mountPath": "/var/log", "readOnly": True}])
    write = container(volumeMounts=[{"name": "logs", "mountPath": "/var/log"}])
    assert findings(workload("DaemonSet", pod_spec(containers=[read], volumes=volume)), mode="automatic") == []
    assert [v.severity for v in findings(workload("DaemonSet", pod_spec(containers=[write], volumes=volume)), mode="automatic")] == [
        "error"
    ]
    assert len(findings(workload("DaemonSet", pod_spec(containers=[read], volumes=volume)), safeguards="enforce")) == 1


@pytest.mark.parametrize(
    ("mode", "version", "flagged"), [("automatic", "1.35", True), ("automatic", "1.36", False), ("standard", "1.35", False)]
)
def test_automatic_blocks_mutating_webhooks_up_to_a_version(mode: str, version: str, flagged: bool) -> None:
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "w"},
        "webhooks": [],
    }
    assert [(v.rule_id, v.severity) for v in findings(webhook, mode=mode, kubernetesVersion=version)] == (
        [("AKS1041", "error")] if flagged else []
    )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"os": {"name": "windows"}}, "/os/name"),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, "/nodeSelector/kubernetes.io~1os"),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}, "os": {"name": "windows"}}, "/os/name"),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}, "os": {"name": "linux"}}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_automatic_has_no_windows_nodes(kind: str, fields: dict, path: str | None) -> None:
    obj = workload(kind, pod_spec(**fields))
    found = [v for v in all_findings(obj, mode="automatic") if v.rule_id == "AKS1045"]
    assert [(v.severity, v.path) for v in found] == ([("error", POD_SPECS[kind] + path)] if path else [])
    assert "AKS1045" not in {v.rule_id for v in all_findings(obj)}


@pytest.mark.parametrize("mode", ["automatic", "standard"])
def test_automatic_denies_rights_on_the_kubelets_proxy(mode: str) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"},
        "rules": [{"apiGroups": [""], "resources": ["pods", "nodes/proxy"], "verbs": ["get"]}],
    }  # fmt: skip
    assert [v.path for v in findings(role, mode=mode)] == (["/rules/0/resources/1"] if mode == "automatic" else [])
