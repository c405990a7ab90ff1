"""What is done about safeguards and Pod Security: only what a human decided, or suggested exactly as AKS does it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from app_support import fix
from policy_support import container, pod_spec, workload

from shared.domain.decisions import FILE_NAME
from shared.domain.fixes.probes import parse
from shared.domain.mutation import mutated_amounts
from shared.domain.quantities import quantity

ENFORCE = {"safeguards": "enforce"}


def fixed(
    obj: dict[str, Any], target: dict[str, Any], decisions: dict[str, Any] | None = None, *, unsafe: bool = False
) -> tuple[dict[str, Any], set[str]]:
    """The object after `fix`, and the keys that are asked; a second run changes nothing."""
    answers = {FILE_NAME: yaml.safe_dump(decisions).encode()} if decisions else {}
    done = fix({"app.yaml": yaml.safe_dump(obj).encode(), **answers}, "generic", unsafe=unsafe, target=json.dumps(target))
    again = fix({**done.after}, "generic", unsafe=unsafe, target=json.dumps(target))
    assert again.after["app.yaml"] == done.after["app.yaml"]
    return yaml.safe_load(done.after["app.yaml"]), {q.key for q in done.questions}


def first(obj: dict[str, Any]) -> dict[str, Any]:
    return obj["spec"]["template"]["spec"]["containers"][0]


# --- amounts: learn.microsoft.com/azure/aks/deployment-safeguards, "CPU mutation rules", "Memory mutation rules", "QoS class fix"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, {"requests": {"cpu": "500m", "memory": "2048Mi"}, "limits": {"cpu": "500m", "memory": "2048Mi"}}),
        ({"requests": {"cpu": "200m"}}, {"requests": {"memory": "2048Mi"}, "limits": {"cpu": "200m", "memory": "2048Mi"}}),
        ({"limits": {"cpu": "200m"}}, {"requests": {"cpu": "200m", "memory": "2048Mi"}, "limits": {"memory": "2048Mi"}}),
        ({"requests": {"memory": "1Gi", "cpu": "1"}, "limits": {"cpu": "1"}}, {}),
        ({"limits": {"memory": "1Gi", "cpu": "1"}, "requests": {"cpu": "1"}}, {}),
        (
            {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "50m", "memory": "99Mi"}},
            {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "100m", "memory": "100Mi"}},
        ),
        ({"requests": {"cpu": "10m", "memory": "1Gi"}}, {"requests": {"cpu": "100m"}, "limits": {"cpu": "100m"}}),
        ({"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}, {"requests": {"cpu": "1", "memory": "1Gi"}}),
        ({"requests": {"cpu": 0.05, "memory": 104857600}, "limits": {"cpu": 1}}, {"requests": {"cpu": "100m"}}),
        ({"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "0.1", "memory": "104857600"}}, {}),
        ({"requests": {"cpu": "${CPU}", "memory": "1Gi"}}, {}),
        ({"requests": None, "limits": {"cpu": "1", "memory": "1Gi"}}, {"requests": {"cpu": "1"}}),
    ],
)
def test_amounts_as_aks_makes_them(given: dict[str, Any], made: dict[str, Any]) -> None:
    found: dict[str, dict[str, Any]] = {}
    for part, name, value in mutated_amounts(given):
        found.setdefault(part, {})[name] = value
    assert found == made


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500m", 0.5),
        ("1", 1),
        (1.5, 1.5),
        ("2Gi", 2**31),
        ("1e3", 1000),
        ("2k", 2000),
        ("1E", 1e18),
        ("x", None),
        ("${A}", None),
        (True, None),
    ],
)
def test_amounts_are_read_as_kubernetes_writes_them(text: object, amount: float | None) -> None:
    found = quantity(text)
    assert (None if found is None else float(found)) == amount


@pytest.mark.parametrize("resources", [None, {}, {"requests": {"cpu": "10m"}}, {"limits": {"memory": "50Mi"}, "requests": None}])
@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "Job"])
def test_what_aks_would_set_is_suggested_and_written_when_asked(kind: str, resources: object) -> None:
    obj = workload(kind, pod_spec(containers=[container(resources=resources)]))
    untouched, _ = fixed(obj, ENFORCE)
    assert first(untouched) == first(obj)
    written, _ = fixed(obj, ENFORCE, unsafe=True)
    assert list(mutated_amounts(first(written)["resources"])) == [], "AKS would change nothing any more"


def test_a_decision_about_amounts_wins() -> None:
    obj = workload("Deployment", pod_spec(containers=[container(resources=None)]))
    answer = {"resources": {"default": "requests.cpu=200m, requests.memory=300Mi, limits.memory=300Mi"}}
    done, asked = fixed(obj, ENFORCE, answer)
    assert first(done)["resources"] == {"requests": {"cpu": "200m", "memory": "300Mi"}, "limits": {"memory": "300Mi"}}
    assert asked == set()


# --- spread


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        ({"app": "a", "app.kubernetes.io/name": "b"}, {"app": "a"}),
        ({"app.kubernetes.io/name": "b", "x": "z"}, {"app.kubernetes.io/name": "b"}),
        ({"x": "z"}, {"default-antiaffinity-applabel": "web"}),
        (None, {"default-antiaffinity-applabel": "web"}),
    ],
)
def test_replicas_are_spread_as_aks_does_it(labels: dict[str, str] | None, label: dict[str, str]) -> None:
    node_affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    obj = workload("Deployment", pod_spec(affinity=node_affinity))
    obj["spec"] |= {"replicas": 2, "selector": {"matchLabels": labels or {"x": "z"}}}
    if labels:
        obj["spec"]["template"]["metadata"] = {"labels": labels}
    done, _ = fixed(obj, {}, unsafe=True)
    template = done["spec"]["template"]
    assert template["metadata"]["labels"] == {**(labels or {}), **label}
    assert template["spec"]["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": label},
        }
    ]
    (term,) = template["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term == {"weight": 100, "podAffinityTerm": {"labelSelector": {"matchLabels": label}, "topologyKey": "kubernetes.io/hostname"}}
    assert template["spec"]["affinity"]["nodeAffinity"] == node_affinity["nodeAffinity"]
    assert fixed(obj, {})[0] == obj, "it is only suggested"


# --- probes


@pytest.mark.parametrize(
    ("answer", "probes"),
    [
        ("http:8080/healthz", {"httpGet": {"path": "/healthz", "port": 8080}}),
        ("http:web", {"httpGet": {"path": "/", "port": "web"}}),
        ("https:8443/a?b=c", {"httpGet": {"path": "/a?b=c", "port": 8443, "scheme": "HTTPS"}}),
        ("tcp:5432", {"tcpSocket": {"port": 5432}}),
        ("exec:pg_isready -U 'the app'", {"exec": {"command": ["pg_isready", "-U", "the app"]}}),
        ("exec:curl http://localhost/?a=b; true", {"exec": {"command": ["curl", "http://localhost/?a=b;", "true"]}}),
    ],
)
def test_one_answer_is_both_probes(answer: str, probes: dict[str, Any]) -> None:
    assert parse(answer) == {"readinessProbe": probes, "livenessProbe": probes}


@pytest.mark.parametrize(
    "answer", ["", "8080", "grpc:9090", "exec:", "exec:'", "readiness=tcp:1; liveness=x", "startup=tcp:1", "http:/healthz"]
)
def test_an_answer_that_says_no_probe_is_none(answer: str) -> None:
    assert parse(answer) is None


def test_two_answers_in_one() -> None:
    found = parse("readiness=http:80/ready; liveness=tcp:80")
    assert found == {"readinessProbe": {"httpGet": {"path": "/ready", "port": 80}}, "livenessProbe": {"tcpSocket": {"port": 80}}}


WITHOUT = container(readinessProbe=None, livenessProbe=None)


@pytest.mark.parametrize(("target", "asks"), [(ENFORCE, True), ({}, False), ({"mode": "automatic"}, False)])
def test_probes_are_asked_where_aks_denies_the_pod(target: dict[str, Any], asks: bool) -> None:
    obj = workload("Deployment", pod_spec(containers=[WITHOUT]), namespace="shop")
    done, asked = fixed(obj, target, unsafe=True)
    assert asked == ({"probes.shop/web/c"} if asks else set())
    assert "httpGet" not in json.dumps(done)


@pytest.mark.parametrize(("target", "stays"), [(ENFORCE, "needs-human"), ({}, "ignored"), ({"mode": "automatic"}, "ignored")])
def test_a_container_that_somebody_leaves_without_probes_is_answered_where_aks_only_warns(target: dict[str, Any], stays: str) -> None:
    obj = workload("Deployment", pod_spec(containers=[WITHOUT]), namespace="shop")
    answers = {FILE_NAME: b"probes: {shop/web/c: none}\n"}
    done = fix({"app.yaml": yaml.safe_dump(obj).encode(), **answers}, "generic", target=json.dumps(target))
    assert [v.resolution for o in done.outcomes for v in o.violations if v.rule_id == "AKS1030"] == [stays]
    assert not done.questions


def test_a_grpc_probe_is_no_missing_one() -> None:
    obj = workload("Pod", pod_spec(containers=[container(livenessProbe={"grpc": {"port": 1}})]))
    done = fix({"app.yaml": yaml.safe_dump(obj).encode()}, "generic")
    (reason,) = (v.reason or "" for o in done.outcomes for v in o.violations if v.rule_id == "AKS1030")
    assert reason.startswith("The grpc probe works on AKS: answer probes.")


@pytest.mark.parametrize("target", [ENFORCE, {}])
def test_decided_probes_are_written_once(target: dict[str, Any]) -> None:
    obj = workload("Deployment", pod_spec(containers=[WITHOUT]), namespace="shop")
    done, asked = fixed(obj, target, {"probes": {"shop/web/c": "readiness=http:80/ready; liveness=tcp:80"}})
    assert first(done)["readinessProbe"] == {"httpGet": {"path": "/ready", "port": 80}}
    assert first(done)["livenessProbe"] == {"tcpSocket": {"port": 80}}
    assert asked == set()


def test_a_decided_container_without_probes_is_not_asked_about() -> None:
    obj = workload("Deployment", pod_spec(containers=[WITHOUT]))
    done, asked = fixed(obj, ENFORCE, {"probes": {"web/c": "none"}})
    assert (done, asked) == (obj, set())


# --- restricted


def test_nothing_about_users_is_guessed() -> None:
    obj = workload("Deployment", {"containers": [{**container(), "securityContext": {"runAsUser": 0}}]})
    done, asked = fixed(obj, {"podSecurity": "restricted"}, unsafe=True)
    assert asked == {"users.web"}
    context = first(done)["securityContext"]
    assert context == {"runAsUser": 0, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert done["spec"]["template"]["spec"]["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert "readOnlyRootFilesystem" not in json.dumps(done)


@pytest.mark.parametrize(
    ("answer", "pod", "inner"),
    [
        ("1000", {"runAsNonRoot": True, "runAsUser": 1000}, 1000),
        (1000, {"runAsNonRoot": True, "runAsUser": 1000}, 1000),
        ("image", {"runAsNonRoot": True}, None),
    ],
)
def test_a_decided_user_takes_the_place_of_root(answer: object, pod: dict[str, Any], inner: object) -> None:
    obj = workload("Deployment", {"containers": [{**container(), "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}]})
    done, asked = fixed(obj, {"podSecurity": "restricted"}, {"users": {"web": answer}})
    assert asked == set()
    assert first(done)["securityContext"].get("runAsUser") == inner
    assert first(done)["securityContext"]["runAsNonRoot"] is True
    assert done["spec"]["template"]["spec"].get("securityContext", pod) == pod


def test_a_privileged_container_cannot_give_up_escalation() -> None:
    obj = workload(
        "Pod", pod_spec(containers=[{**container(), "securityContext": {"privileged": True, "capabilities": {"drop": ["ALL"]}}}])
    )
    done, _ = fixed(obj, {"podSecurity": "restricted"}, unsafe=True)
    assert done == obj


def test_every_line_of_the_skeleton_is_an_answer_once_its_mark_is_taken_away() -> None:
    two = [{**WITHOUT, "name": name, "securityContext": {}} for name in ("a", "b")]
    target = {**ENFORCE, "podSecurity": "restricted"}
    files = {"app.yaml": yaml.safe_dump(workload("Deployment", {"containers": two})).encode()}
    text = fix(files, "generic", target=json.dumps(target)).after[FILE_NAME].decode()
    answered = "".join(
        f"{line.removeprefix('# ').removeprefix('#')}\n" for line in text.splitlines() if not line.startswith(("#   #", "# aks", "# Open"))
    )
    done = fix({**files, FILE_NAME: answered.encode()}, "generic", target=json.dumps(target))
    assert done.questions == []
    containers = yaml.safe_load(done.after["app.yaml"])["spec"]["template"]["spec"]["containers"]
    assert [c["livenessProbe"] for c in containers] == [{"httpGet": {"path": "/healthz", "port": 8080}}] * 2
