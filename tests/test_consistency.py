"""References between objects: what a change breaks is taken back, what was broken before is told once."""

from __future__ import annotations

import json

import pytest

from shared.cli.local import inspected
from shared.domain.consistency import as_they_came
from shared.domain.intake import plan_run
from shared.domain.model import FileOutcome, PatchOperation
from shared.domain.reference_kinds import references
from shared.domain.references import Reference
from shared.domain.reporter import finish
from shared.domain.run import FinishedRun, RunOptions, RunSetup, SourceFile

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n"
)
DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {matchLabels: {app: web}}\n"
    "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      serviceAccountName: shop\n      containers:\n"
    "        - name: web\n          image: nginx:1.27\n          env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n"
    "          envFrom: [{configMapRef: {name: c}}, {configMapRef: {name: maybe, optional: true}}]\n"
    "      volumes:\n        - {name: d, persistentVolumeClaim: {claimName: data}}\n"
    "        - {name: p, projected: {sources: [{configMap: {name: c2}}, {secret: {name: s2}}]}}\n"
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec:\n"
    "  ingressClassName: webapprouting.kubernetes.azure.com\n"
    "  rules:\n    - host: a.example.com\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n"
    "            backend: {service: {name: web, port: {number: 80}}}\n"
)
FILES = {"ingress.yaml": INGRESS, "service.yaml": SERVICE, "web.yaml": DEPLOYMENT}


def setup_of(files: dict[str, str]) -> RunSetup:
    return plan_run([SourceFile(p, t.encode()) for p, t in files.items()], RunOptions("app", "generic"))


def missing(files: dict[str, str]) -> set[tuple[str, str, bool]]:
    return {(d.reference.kind, d.reference.name, d.only_part) for d in as_they_came(setup_of(files).index).dangling}


def finished(files: dict[str, str], changed: dict[str, str]) -> FinishedRun:
    """A run in which some fix, whatever it was, made these texts of these files."""
    setup = setup_of(files)
    outcomes = []
    for path, text in files.items():
        outcome = inspected(SourceFile(path, text.encode()), setup).outcome
        operation = PatchOperation("replace", "/0/spec", "AKS9999", None)
        outcomes.append(FileOutcome(path, "patched", None, 1, operations=(operation,)) if path in changed else outcome)
    original = {p: t.encode() for p, t in files.items()}
    now = original | {p: t.encode() for p, t in changed.items()}
    return finish(setup, outcomes, now.get, original.get)


def entry(run: FinishedRun, path: str) -> FileOutcome:
    return next(o for o in run.outcomes if o.path == path)


def test_every_reference_of_a_pod_is_seen() -> None:
    assert missing({"web.yaml": DEPLOYMENT}) == {
        ("ServiceAccount", "shop", False), ("Secret", "s", False), ("ConfigMap", "c", False), ("PersistentVolumeClaim", "data", False),
        ("ConfigMap", "c2", False), ("Secret", "s2", False),
    }  # fmt: skip


def test_substitutions_and_wrong_shapes_are_no_references() -> None:
    assert missing({"a.yaml": INGRESS.replace("name: web, port", "name: '${APP}', port")}) == set()
    assert list(references({"apiVersion": "v1", "kind": "Service", "metadata": 3, "spec": {"selector": ["x"]}})) == []


def test_a_reference_survives_json() -> None:
    for reference in references({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "web"}}}):
        assert Reference.from_json(json.loads(json.dumps(reference.to_json()))) == reference


def test_a_service_that_a_change_renames_is_put_back() -> None:
    run = finished(FILES, {"service.yaml": SERVICE.replace("name: web,", "name: renamed,")})
    assert run.written["service.yaml"] == SERVICE.encode()
    assert entry(run, "service.yaml").status == "refused"
    assert entry(run, "service.yaml").reason == "Not changed: afterwards, Ingress web names Service web, which is not there."
    assert entry(run, "service.yaml").operations == ()


def test_a_reference_that_a_change_bends_is_put_back_and_the_rest_stays() -> None:
    harmless = SERVICE.replace("shop}", "shop, labels: {a: b}}")
    run = finished(FILES, {"ingress.yaml": INGRESS.replace("number: 80", "number: 81"), "service.yaml": harmless})
    assert run.written["ingress.yaml"] == INGRESS.encode()
    assert entry(run, "service.yaml").status == "patched"
    assert "service.yaml" not in run.written


def test_labels_that_a_change_takes_from_pods_are_put_back() -> None:
    run = finished(FILES, {"web.yaml": DEPLOYMENT.replace("labels: {app: web}", "labels: {app: other}")})
    assert "selects pods with the labels app=web, of which there are none here" in str(entry(run, "web.yaml").reason)


def test_what_dangled_before_is_no_reason_to_refuse() -> None:
    files = {"ingress.yaml": INGRESS.replace("name: web, port", "name: gone, port")}
    run = finished(files, {"ingress.yaml": files["ingress.yaml"].replace("path: /\n", "path: /a\n")})
    assert entry(run, "ingress.yaml").status == "patched"


def test_changes_that_belong_together_are_put_back_together() -> None:
    scaler = (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: shop}\n"
        "spec: {scaleTargetRef: {kind: Deployment, name: web}}\n"
    )
    files = {**FILES, "scaler.yaml": scaler}
    renamed = {
        "web.yaml": DEPLOYMENT.replace("labels: {app: web}", "labels: {app: x}").replace("name: web, namespace", "name: w2, namespace")
    }
    run = finished(files, renamed | {"scaler.yaml": scaler.replace("name: web", "name: w2")})
    assert {p for p in files if entry(run, p).status == "refused"} == {"web.yaml", "scaler.yaml"}


def test_a_port_that_never_was_is_told_once_with_its_line() -> None:
    wrong = INGRESS.replace("number: 80", "number: 8080")
    run = finished({**FILES, "ingress.yaml": wrong, "more.yaml": wrong.replace("name: web, namespace", "name: again, namespace")}, {})
    told = [(o.path, v) for o in run.outcomes for v in o.violations if v.rule_id == "AKS0007"]
    assert [(path, v.severity, v.line) for path, v in told] == [("ingress.yaml", "warning", 12)]
    assert told[0][1].message == "Ingress web names port 8080 of Service web, which has no such port."


def test_a_missing_object_is_told_only_where_all_of_the_application_is_there() -> None:
    broken = {**FILES, "ingress.yaml": INGRESS.replace("name: web, port", "name: gone, port")}
    chart = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec: {}\n"

    def told(files: dict[str, str]) -> list[str]:
        return [v.severity for o in finished(files, {}).outcomes for v in o.violations if v.rule_id == "AKS0007"]

    listed = "resources: [ingress.yaml, service.yaml, web.yaml]\nconfigMapGenerator: [{name: a, literals: [b=c]}]\n"
    remote = "resources: ['https://example.com/base?ref=v1', ingress.yaml]\n"
    assert told(broken) == ["info"]
    assert told({**broken, "kustomization.yaml": listed}) == ["info"]
    assert told({**broken, "kustomization.yaml": remote}) == [], "a remote base may hold the Service"
    assert told({**broken, "kustomization.yaml": "resources: 3\nhelmCharts: [{name: a}]\n"}) == []
    assert told({**broken, "chart.yaml": chart}) == [], "a chart may make the Service"
    own = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"
    assert told({**broken, "crd.yaml": own}) == [], "an operator may make it"
    assert told({"ingress.yaml": broken["ingress.yaml"]}) == [], "no Service at all: they are somewhere else"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("{app: wbe}", "Service web selects pods with the labels app=wbe, of which there are none here."),
        ("{app: web, statefulset.kubernetes.io/pod-name: web-0}", None),
        ("{statefulset.kubernetes.io/pod-name: web-0}", None),
    ],
)
def test_a_selector_that_meets_no_pods_is_told(selector: str, expected: str | None) -> None:
    run = finished({"service.yaml": SERVICE.replace("{app: web}", selector), "web.yaml": DEPLOYMENT}, {})
    told = [(v.severity, v.message) for o in run.outcomes for v in o.violations if v.rule_id == "AKS0007" and "Service" in v.message]
    assert told == ([("info", expected)] if expected else [])


def test_the_label_that_openshift_gives_the_pods_of_a_deployment_config_counts() -> None:
    config = DEPLOYMENT.replace("apps/v1\nkind: Deployment", "apps.openshift.io/v1\nkind: DeploymentConfig")
    selecting = SERVICE.replace("{app: web}", "{deploymentconfig: web}")
    assert "pods" not in {kind for kind, _, _ in missing({"a.yaml": config, "b.yaml": selecting})}
