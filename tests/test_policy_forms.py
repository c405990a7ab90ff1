"""Odd forms that published policy samples and linters' tests hold: each was missed, or said twice, once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from app_support import fix
from policy_support import KINDS, container, controls, findings, pod_spec, workload

from shared.domain.rulebook import by_id

HOST_PATH_RULES = ("AKS0105", "AKS0106", "AKS0107", "AKS0108", "AKS0109")


def host_paths() -> list[str]:
    """Every path that a glob of the rules about host paths names, and its neighbours that are spelt nearly so."""
    match = [by_id()[rule].match.params for rule in HOST_PATH_RULES]
    globs = {glob for params in match for field in ("any_of", "none_of", "logs") for glob in params.get(field, ())}
    stems = sorted({glob.rstrip("*") for glob in globs})
    return [path for stem in stems for path in (stem, f"{stem}x", f"{stem.rstrip('/')}/x", f"{stem.rstrip('/')}2/x")]


def test_every_host_path_is_one_finding() -> None:
    paths = host_paths()
    assert len(paths) > 100
    objects = [workload("Pod", pod_spec(volumes=[{"name": "v", "hostPath": {"path": path}}])) for path in paths]
    found = findings(*objects, safeguards="off")
    wrong = {paths[v.document]: v.rule_id for v in found if [w.document for w in found].count(v.document) != 1}
    assert (set(range(len(paths))) - {v.document for v in found}, wrong) == (set(), {})


@pytest.mark.parametrize("profile", [{}, {"type": ""}, {"type": None}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_seccomp_profile_without_a_type_names_none(kind: str, profile: dict[str, Any]) -> None:
    obj = workload(kind, pod_spec({"seccompProfile": profile}))
    assert controls(obj, podSecurity="restricted") == {"seccompProfile_restricted"}
    assert controls(obj, podSecurity="baseline") == set()


def test_the_fix_fills_a_seccomp_profile_without_a_type() -> None:
    text = yaml.safe_dump(workload("Deployment", pod_spec({"seccompProfile": {}}))).encode()
    done = fix({"app.yaml": text}, "generic", unsafe=True, target="podSecurity: restricted\nsafeguards: off\n")
    after = yaml.safe_load(done.after["app.yaml"])
    assert after["spec"]["template"]["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize(
    ("user", "flagged"), [("CONTAINERADMINISTRATOR", True), ("containerAdministrator", True), ("ContainerUser", False)]
)
def test_windows_names_of_users_have_no_case(user: str, flagged: bool) -> None:
    obj = workload("Pod", pod_spec({"windowsOptions": {"runAsUserName": user}}))
    assert [v.rule_id for v in findings(obj, podSecurity="privileged")] == (["AKS1037"] if flagged else [])


@pytest.mark.parametrize(
    ("image", "flagged"),
    [
        ("nginx:latest-alpine", True),
        ("r.io:5000/nginx:latest.1", True),
        ("nginx:latest@sha256:" + "a" * 64, False),
        ("nginx:latestfix", False),
    ],
)
def test_variants_of_latest_follow_the_newest_version_too(image: str, flagged: bool) -> None:
    """The pattern of the safeguard is `:latest?\\b` (Azure/draft, container-no-latest-image). A digest is a version all the same."""
    obj = workload("Deployment", pod_spec(ephemeralContainers=[container(name="debug", image=image)]))
    assert [v.rule_id for v in findings(obj) if v.severity != "info"] == (["AKS0706"] if flagged else [])


DIGEST = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "target", "severity"),
    [
        ("nginx:latest" + DIGEST, {"safeguards": "off"}, None),
        ("nginx:latest" + DIGEST, {}, "info"),
        ("nginx:latest-alpine" + DIGEST, {"safeguards": "enforce"}, "warning"),
        ("r.io:5000/nginx:latest" + DIGEST, {"mode": "automatic"}, "warning"),
        ("nginx:1.27" + DIGEST, {"safeguards": "enforce"}, None),
        ("nginx" + DIGEST, {"safeguards": "enforce"}, None),
        ("latest:1" + DIGEST, {"safeguards": "enforce"}, None),
        ('"${IMAGE}"', {"safeguards": "enforce"}, None),
    ],
)
def test_latest_beside_a_digest_is_what_the_safeguards_pattern_finds(image: str, target: dict, severity: str | None) -> None:
    obj = workload("Deployment", pod_spec(containers=[container(image=image)]))
    assert [(v.rule_id, v.severity) for v in findings(obj, **target)] == ([("AKS0711", severity)] if severity else [])


@pytest.mark.parametrize(
    ("image", "sample"),
    [("a/b:latest-alpine", "a/b:1.2.3-alpine"), ("a/b:latest", "a/b:1.2.3"), ("r:5000/b", "r:5000/b:1.2.3"), ("b:", "b:1.2.3")],
)
def test_the_question_shows_an_answer_that_is_an_image(image: str, sample: str) -> None:
    done = fix({"app.yaml": yaml.safe_dump(workload("Deployment", pod_spec(containers=[container(image=image)]))).encode()}, "generic")
    assert [q.example for q in done.questions if q.key.startswith("images.")] == [sample]


# --- disruption budgets: kube-linter's pdb-min-available and pdb-max-unavailable, AKS' UnsatisfiablePDB


def budget(**spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "web"}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": {"selector": selector, **spec}}


def scaled(replicas: int | None, kind: str = "Deployment") -> dict[str, Any]:
    obj = workload(kind, pod_spec(topologySpreadConstraints=[{"maxSkew": 1}]))
    obj["spec"]["template"]["metadata"] = {"labels": {"app": "web", "tier": "front"}}
    obj["spec"] |= {"replicas": replicas} if replicas is not None else {}
    return obj


def blocked(*objects: dict[str, Any], path: str = "app.yaml", more: dict[str, bytes] | None = None) -> list[str]:
    """The places that AKS1043 names."""
    files = {path: yaml.safe_dump_all(objects).encode(), **(more or {})}
    return [v.path for outcome in fix(files, "generic").outcomes for v in outcome.violations if v.rule_id == "AKS1043"]


@pytest.mark.parametrize(
    ("spec", "replicas", "place"),
    [
        ({"maxUnavailable": 0}, None, "/spec/maxUnavailable"),
        ({"maxUnavailable": "0%"}, 3, "/spec/maxUnavailable"),
        ({"maxUnavailable": 0, "minAvailable": 0}, 3, "/spec/maxUnavailable"),
        ({"minAvailable": "100%"}, None, "/spec/minAvailable"),
        ({"minAvailable": 1}, 1, "/spec/minAvailable"),
        ({"minAvailable": 3}, 2, "/spec/minAvailable"),
        ({"minAvailable": "50%"}, 1, "/spec/minAvailable"),
        ({"minAvailable": "51%"}, 2, "/spec/minAvailable"),
        ({"minAvailable": "50%"}, 2, None),
        ({"minAvailable": 1}, 2, None),
        ({"minAvailable": 1}, 0, None),
        ({"minAvailable": 1}, None, None),
        ({"minAvailable": 0}, 1, None),
        ({"minAvailable": "${MIN}"}, 1, None),
        ({"maxUnavailable": 1}, 1, None),
        ({"maxUnavailable": "1%"}, 1, None),
        ({}, 1, None),
    ],
)
def test_budgets_that_let_no_pod_go(spec: dict[str, Any], replicas: int | None, place: str | None) -> None:
    for kind in ("Deployment", "StatefulSet", "ReplicationController"):
        assert blocked(budget(**spec), scaled(replicas, kind)) == ([place] if place else [])


def test_a_budget_for_pods_that_something_else_counts_is_not_judged() -> None:
    scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"maxReplicas": 3}}
    assert blocked(budget(minAvailable=1), scaled(1), scaler) == []
    base = {"base/kustomization.yaml": b"resources: [app.yaml]\n"}
    over = {"prod/kustomization.yaml": b"resources: [../base]\nreplicas: [{name: web, count: 3}]\n"}
    assert blocked(budget(minAvailable=1), scaled(1), path="base/app.yaml", more=base) == ["/spec/minAvailable"]
    assert blocked(budget(minAvailable=1), scaled(1), path="base/app.yaml", more=base | over) == []
    other = scaled(1)
    other["spec"]["template"]["metadata"]["labels"] = {"app": "api"}
    assert blocked(budget(minAvailable=1), other) == []


# --- Argo Rollouts: checkov's example_ArgoRollouts


def test_pods_of_a_rollout_are_held_against_the_policies_and_repaired() -> None:
    obj = workload("Rollout", pod_spec(containers=[container({"privileged": True}, image="harbor.old.lan/app:1")]))
    obj["spec"] |= {"replicas": 3, "strategy": {"canary": {"steps": [{"setWeight": 20}]}}}
    assert {v.rule_id for v in findings(obj)} == {"AKS0802", "AKS1031"}
    answers = {".aks-copilot.yaml": b"registries: {harbor.old.lan: acme.azurecr.io}\n"}
    done = fix({"app.yaml": yaml.safe_dump(obj).encode(), **answers}, "generic")
    assert yaml.safe_load(done.after["app.yaml"])["spec"]["template"]["spec"]["containers"][0]["image"] == "acme.azurecr.io/app:1"


def test_a_rollout_that_refers_to_a_deployment_has_no_pods_of_its_own() -> None:
    spec = {"replicas": 3, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    assert findings({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": spec}) == []
