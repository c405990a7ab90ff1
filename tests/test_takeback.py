"""A fix that breaks a reference is taken back, and nothing but that: other fixes of the file stay, on disk as in the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import World

from shared.cli.local import LocalRun, fix_tree, inspect_tree
from shared.cli.tree import read_tree
from shared.domain.model import FileOutcome, Violation
from shared.domain.run import RunOptions
from shared.pipeline import names, submit
from shared.services import build_engine

CLASS = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: gold}\nprovisioner: driver.example.com\n"
JOB = (
    "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  schedule: '0 3 * * *'\n"
    "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'busybox:1.36'}]}}}}\n"
)
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    "spec: {accessModes: [ReadWriteOnce], storageClassName: gold, resources: {requests: {storage: 1Gi}}}\n"
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n"
    "  ingressClassName: webapprouting.kubernetes.azure.com\n"
    "  defaultBackend: {service: {name: web, port: {number: 8080}}}\n"
)
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"


def tree(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def fixed(folder: Path, files: dict[str, str]) -> LocalRun:
    return fix_tree(read_tree([tree(folder, files)]), RunOptions("app", "k3s", apply_unsafe=True))


def entry(run: LocalRun, path: str) -> FileOutcome:
    return next(o for o in run.outcomes if o.path == path)


def of_rule(outcome: FileOutcome, rule: str) -> list[Violation]:
    return [v for v in outcome.violations if v.rule_id == rule]


def test_the_class_that_a_claim_still_names_stays_and_the_job_beside_it_is_mended(tmp_path: Path) -> None:
    run = fixed(tmp_path, {"all.yaml": f"{CLASS}---\n{JOB}", "claim.yaml": CLAIM})
    assert run.changed["all.yaml"] == f"{CLASS}---\n{JOB}".replace("v1beta1", "v1").encode()
    found = entry(run, "all.yaml")
    assert (found.status, [(o.op, o.path) for o in found.operations]) == ("patched", [("replace", "/1/apiVersion")])
    told = of_rule(found, "AKS0103")
    assert [(v.resolution, v.reason) for v in told] == [
        ("needs-human", "Not changed: afterwards, PersistentVolumeClaim data names StorageClass gold, which is not there.")
    ]


def test_a_file_of_which_nothing_is_left_to_change_is_refused_and_stays(tmp_path: Path) -> None:
    run = fixed(tmp_path, {"class.yaml": CLASS, "claim.yaml": CLAIM})
    assert "class.yaml" not in run.changed
    assert "class.yaml" not in run.diffs
    assert "class.yaml" not in run.removed
    assert entry(run, "class.yaml").status == "refused"
    assert entry(run, "class.yaml").operations == ()


def test_where_the_claim_is_answered_the_class_goes(tmp_path: Path) -> None:
    answers = "version: 1\nsource: k3s\nstorageClasses: {gold: managed-csi}\n"
    run = fixed(tmp_path, {"all.yaml": f"{CLASS}---\n{JOB}", "claim.yaml": CLAIM, ".aks-copilot.yaml": answers})
    assert b"StorageClass" not in run.changed["all.yaml"]
    assert b"managed-csi" in run.changed["claim.yaml"]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    run = fixed(tmp_path, {"all.yaml": f"{CLASS}---\n{JOB}", "claim.yaml": CLAIM})
    for path, data in run.changed.items():
        (tmp_path / path).write_bytes(data)
    again = fixed(tmp_path, {})
    assert again.changed == {}


def test_the_pipeline_takes_back_the_same(tmp_path: Path) -> None:
    files = {"all.yaml": f"{CLASS}---\n{JOB}", "claim.yaml": CLAIM, "silver.yaml": CLASS.replace("gold", "silver"),
             "more.yaml": CLAIM.replace("gold", "silver").replace("data", "more")}  # fmt: skip
    world = World(engine=build_engine())
    run = submit.submit_files(world.context, files, RunOptions("app", "k3s", apply_unsafe=True))
    world.drain()

    expected = fixed(tmp_path, files)
    written = {path.removeprefix(f"{run}/"): data for path, data in world.blobs.texts(names.PATCHED, f"{run}/").items()}
    assert {p: d for p, d in written.items() if p != names.REMOVED} == {p: t.encode() for p, t in files.items()} | dict(expected.changed)
    assert {o.path: o.status for o in expected.outcomes} == {p: e["status"] for p, e in world.report(run).items()}
    assert (entry(expected, "silver.yaml").status, entry(expected, "all.yaml").status) == ("refused", "patched")


CONFIG = (
    "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: web}\n"
    "spec:\n  replicas: 1\n  selector: {app: web}\n  strategy: {type: %s}\n"
    "  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: 'quay.io/acme/web:1.0'}]}}\n"
)
SCALER = (
    "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
    "spec:\n  scaleTargetRef: {apiVersion: apps.openshift.io/v1, kind: DeploymentConfig, name: web}\n  minReplicas: 1\n  maxReplicas: 3\n"
)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"web.yaml": CONFIG % "Rolling"}, b"kind: Deployment,"),
        ({"web.yaml": CONFIG % "Custom"}, b"kind: DeploymentConfig,"),
        ({}, b"kind: Deployment,"),
    ],
    ids=["the target becomes a Deployment", "the target stays what it is", "the target is elsewhere"],
)
def test_an_autoscaler_follows_its_target_and_gets_its_api_version_either_way(tmp_path: Path, files: dict[str, str], kind: bytes) -> None:
    run = fix_tree(read_tree([tree(tmp_path, {**files, "scaler.yaml": SCALER})]), RunOptions("app", "okd"))
    assert b"autoscaling/v2\n" in run.changed["scaler.yaml"]
    assert kind in run.changed["scaler.yaml"]


def test_what_another_application_of_the_tree_still_names_holds_nothing_back(tmp_path: Path) -> None:
    """A namesake elsewhere is no help to the one who loses the nearest."""
    run = fixed(tmp_path, {"one/all.yaml": f"{CLASS}---\n{CLAIM}", "two/class.yaml": CLASS})
    assert "one/all.yaml" not in run.changed, "its claim would be left with the class of another folder"
    assert "two/class.yaml" in run.removed


@pytest.mark.parametrize("step", [fix_tree, inspect_tree])
def test_a_port_that_never_was_is_told_by_fix_and_by_inspect(tmp_path: Path, step: object) -> None:
    options = RunOptions("app", "generic")
    run = step(read_tree([tree(tmp_path, {"ingress.yaml": INGRESS, "service.yaml": SERVICE})]), options)  # type: ignore[operator]
    told = of_rule(entry(run, "ingress.yaml"), "AKS0007")
    assert [(v.severity, v.message) for v in told] == [
        ("warning", "Ingress web names port 8080 of Service web, which has no such port.")
    ]  # fmt: skip


def test_a_namesake_of_another_application_is_not_meant(tmp_path: Path) -> None:
    run = fix_tree(read_tree([tree(tmp_path, {"one/ingress.yaml": INGRESS, "two/service.yaml": SERVICE})]), RunOptions("app", "generic"))
    assert of_rule(entry(run, "one/ingress.yaml"), "AKS0007") == []
