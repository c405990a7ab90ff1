"""deploy/: the action that applies a folder to a namespace. Its scripts run here with a fake `kubectl`, `az` and `kubelogin` on PATH.

Not tried: a real cluster (its validation, conflicts, rollouts), Azure's login, GitHub's runner.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from action_support import ROOT, Ran, load, run
from http_support import Inbox

from functions.runs_api import Told

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1}
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: hunter2hunter2}
"""
MORE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: data, namespace: shop}
spec: {updateStrategy: {type: OnDelete}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: later}
spec: {paused: true}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
KEY = "function-key-of-the-tests"


class Place:
    """A checkout, a fake cluster, and what the action did there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workspace, self.cluster, self.bin = folder, folder / "work", folder / "cluster", folder / "bin"
        for made in (self.workspace, self.cluster, self.bin):
            made.mkdir()
        self.tool("kubectl", f'exec {sys.executable} {ROOT / "tests/fake_kubectl.py"} "$@"')
        self.tool("az", 'echo "az $*" >> "$FAKE_CLUSTER/tools"; [ "$1" = aks ] && touch "$KUBECONFIG"')
        self.tool("kubelogin", 'echo "kubelogin $*" >> "$FAKE_CLUSTER/tools"')
        self.runs = 0

    def tool(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f"#!/bin/bash\n{script}\n")
        (self.bin / name).chmod(0o755)

    def write(self, **files: str) -> Place:
        for name, text in files.items():
            path = self.workspace / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def answer(self, words: str, **answer: Any) -> None:
        (self.cluster / "answers.json").write_text(json.dumps({words: answer}))

    def deploy(self, **given: str) -> Ran:
        self.runs += 1
        folder = self.folder / f"run{self.runs}"
        folder.mkdir()
        inputs = {"namespace": "shop", "path": "aks", "run": "shop-0123456789ab"} | {k.replace("_", "-"): v for k, v in given.items()}
        path = f"{self.bin}:{os.environ['PATH']}"
        return run(load("deploy/action.yml"), folder, self.workspace, inputs, path="deploy", PATH=path, FAKE_CLUSTER=str(self.cluster))

    def calls(self) -> list[str]:
        file = self.cluster / "journal"
        return [" ".join(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    def applied(self) -> list[str]:
        file = self.cluster / "applied.json"
        return [f"{o['kind']}/{o['metadata']['name']}" for o in json.loads(file.read_text())] if file.exists() else []

    def left(self) -> list[str]:
        """Files that hold a Secret's value after the action, but for the checkout and what the cluster has."""
        kept = [p for n in range(1, self.runs + 1) for p in (self.folder / f"run{n}").rglob("*") if p.is_file()]
        return [p.name for p in kept if b"hunter2" in p.read_bytes()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def told(inbox: Inbox) -> list[Told]:
    return [Told.model_validate_json(seen.body) for seen in inbox.seen]


def test_dry_run_then_apply_then_every_rollout_and_the_outcome_is_reported(place: Place, inbox: Inbox) -> None:
    place.write(**{"aks__web": WEB, "aks__more": MORE, "other__x": "kind: X\n", "aks__.aks-copilot": "source: k3s\n"})

    ran = place.deploy(report_url=inbox.url, report_key=KEY, resource_group="group", cluster="aks-1")

    assert (ran.code, ran.outputs["deploy"]["state"]) == (0, "succeeded"), ran.log
    done = [call for call in place.calls() if call.startswith(("apply", "rollout"))]
    assert [("--dry-run=server" in call) for call in done if call.startswith("apply")] == [True, False]
    assert all(
        "--server-side --field-manager=aks-copilot -n shop" in call and "force" not in call for call in done if call.startswith("apply")
    )
    waited = [call.split()[4] for call in done if call.startswith("rollout")]
    assert waited == ["daemonset/agent", "deployment/web"], "paused and OnDelete workloads do not roll out by themselves"
    assert place.applied() == ["StatefulSet/data", "Deployment/later", "DaemonSet/agent", "Deployment/web", "Secret/db"]
    assert [one.state for one in told(inbox)] == ["running", "succeeded"]
    first = inbox.seen[0]
    assert (first.path, first.headers["x-functions-key"]) == ("/api/runs/shop-0123456789ab/deployment", KEY)
    assert told(inbox)[0].url == "https://github.com/acme/shop/actions/runs/7"
    tools = (place.cluster / "tools").read_text()
    assert "az aks get-credentials --resource-group group --name aks-1" in tools
    assert "kubelogin convert-kubeconfig --login azurecli" in tools
    assert not list(place.folder.glob("run1/temp/aks-copilot-kubeconfig"))
    assert place.left() == []
    assert "hunter2" not in ran.log + ran.summary
    assert KEY not in ran.log


def test_where_callers_sign_in_the_report_has_a_token_beside_the_key(place: Place, inbox: Inbox) -> None:
    place.tool(
        "az", '[ "$*" = "account get-access-token --resource api-of-ours --query accessToken --output tsv" ] && echo a-token-of-the-tests'
    )
    ran = place.write(aks__web=WEB).deploy(report_url=inbox.url, report_key=KEY, report_audience="api-of-ours")

    assert ran.code == 0, ran.log
    assert {(one.headers["x-functions-key"], one.headers["authorization"]) for one in inbox.seen} == {(KEY, "Bearer a-token-of-the-tests")}
    assert "a-token-of-the-tests" not in ran.log


def test_a_dry_run_changes_nothing_and_reports_nothing(place: Place, inbox: Inbox) -> None:
    place.write(aks__web=WEB)

    ran = place.deploy(mode="dry-run", report_url=inbox.url)

    assert ran.code == 0
    assert (place.applied(), inbox.seen) == ([], [])
    assert "nothing was applied" in ran.summary


def test_a_kustomization_is_built(place: Place) -> None:
    place.write(aks__kustomization="resources: [web.yaml]\n", aks__web=WEB, aks__values="a: 1\n")

    assert place.deploy().code == 0
    assert place.applied() == ["Deployment/web", "Secret/db"]


def test_what_the_server_refuses_in_the_dry_run_is_never_applied(place: Place, inbox: Inbox) -> None:
    place.write(aks__web=WEB)
    place.answer(
        "apply --dry-run=server", code=1, stderr="Error from server: admission webhook denied: no probes\n::set-output name=a::b\n"
    )

    ran = place.deploy(report_url=inbox.url)

    assert ran.code == 1
    assert place.applied() == []
    assert len([call for call in place.calls() if call.startswith("apply")]) == 1, "one attempt"
    last = told(inbox)[-1]
    assert last.state == "failed"
    assert last.evidence.splitlines()[0] == "the cluster refuses the manifests (server-side dry run; nothing was applied)"
    assert "admission webhook denied" in last.evidence
    outside = ran.log.split("::stop-commands::")[0] + ran.log.rpartition("::\n")[2]
    assert "set-output" not in outside
    assert place.left() == []


def test_a_rollout_that_does_not_come_leaves_evidence_without_secrets(place: Place, inbox: Inbox) -> None:
    place.write(aks__web=WEB)
    pod = {
        "metadata": {"name": "web-1"},
        "spec": {"containers": [{"name": "web", "env": [{"name": "PASSWORD", "value": "hunter2hunter2"}]}]},
        "status": {
            "containerStatuses": [
                {
                    "name": "web", "ready": False, "restartCount": 4,
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
                }
            ],
            "conditions": [{"type": "PodScheduled", "status": "True"}],
        },
    }  # fmt: skip
    waiting = {"metadata": {"name": "web-2"}, "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]}}
    event = {"type": "Warning", "reason": "Failed", "message": "pull failed", "involvedObject": {"kind": "Pod", "name": "web-1"}}
    answers = {
        "rollout status": {"code": 1, "stderr": "error: timed out waiting for the condition\n"},
        "get pods": {"stdout": json.dumps({"items": [pod, waiting]})},
        "get events": {"stdout": json.dumps({"items": [event, event | {"type": "Normal", "message": "quiet"}]})},
    }
    (place.cluster / "answers.json").write_text(json.dumps(answers))

    ran = place.deploy(report_url=inbox.url, timeout="5")

    assert ran.code == 1
    evidence = told(inbox)[-1].evidence
    assert evidence.splitlines()[:2] == ["deployment/web did not become ready", "error: timed out waiting for the condition"]
    assert "  web-1 web: CrashLoopBackOff: back-off 40s, exit 1 Error, restarts 4" in evidence
    assert "  web-2: not scheduled: no node" in evidence
    assert "  Pod/web-1 Failed: pull failed" in evidence
    assert "quiet" not in evidence
    assert "hunter2" not in ran.log + ran.summary + evidence
    assert "::error title=aks-copilot deploy::deployment/web did not become ready" in ran.log


@pytest.mark.parametrize(
    ("files", "given", "said"),
    [
        ({"aks__ns": NAMESPACE}, {}, "not of a namespace, so they are not applied: Namespace/shop"),
        ({"aks__web": WEB.replace("{name: db}", "{name: db, namespace: other}")}, {}, "of another namespace than shop: Secret/db in other"),
        ({"aks__web": "a: 1\n"}, {}, "the manifests cannot be read"),
        ({"aks__web": "# nothing\n"}, {}, "the folder holds no manifest"),
        ({"aks__web": WEB}, {"path": "missing"}, "the folder is not there"),
        ({"aks__web": WEB}, {"path": "../cluster"}, "the folder lies outside of the checkout"),
        ({"aks__web": WEB}, {"path": "aks/web.yaml"}, "the path is no folder"),
        ({"aks__web": WEB}, {"namespace": "kube-system"}, "kube-system is one of the cluster's own namespaces"),
        ({"aks__web": WEB}, {"namespace": "shop --all"}, "the namespace is no name of a namespace"),
        ({"aks__web": WEB}, {"mode": "delete"}, "mode is apply or dry-run"),
        ({"aks__web": WEB}, {"timeout": "$(id)"}, "timeout is a number of seconds"),
    ],
)
def test_what_is_refused_before_the_cluster_is_asked_for_anything(
    place: Place, files: dict[str, str], given: dict[str, str], said: str
) -> None:
    ran = place.write(**files).deploy(**given)

    assert ran.code == 1
    assert said in ran.log
    assert [call for call in place.calls() if call.startswith("apply")] == []
    assert ran.outputs["deploy"]["state"] == "failed"


def test_cluster_scoped_objects_may_be_left_out_and_are_named(place: Place) -> None:
    ran = place.write(aks__web=WEB, aks__ns=NAMESPACE).deploy(cluster_scoped="skip")

    assert ran.code == 0
    assert "Left out, not of a namespace: Namespace/shop" in ran.log
    assert place.applied() == ["Deployment/web", "Secret/db"]


@pytest.mark.parametrize("mode", ["skip", "refuse"])
def test_a_name_cannot_give_the_runner_commands(place: Place, mode: str) -> None:
    named = NAMESPACE.replace("name: shop", 'name: "shop\\n::add-mask::e"')

    log = place.write(aks__web=WEB, aks__ns=named).deploy(cluster_scoped=mode).log

    stopped = re.search(r"^::stop-commands::([0-9a-f]{32})\n(.*?)^::\1::$", log, re.MULTILINE | re.DOTALL)
    assert stopped is not None
    assert "\n::add-mask::e" in stopped[2]
    assert "\n::add-mask" not in log.replace(stopped[0], "")


def test_fields_of_others_are_taken_over_only_where_that_is_wanted(place: Place) -> None:
    place.write(aks__web=WEB).deploy(force_conflicts="true")

    assert all("--force-conflicts" in call for call in place.calls() if call.startswith("apply"))


def test_a_report_that_does_not_arrive_fails_nothing(place: Place) -> None:
    ran = place.write(aks__web=WEB).deploy(report_url="http://127.0.0.1:1")

    assert ran.code == 0
    assert "::warning title=aks-copilot deploy::the outcome (succeeded) could not be reported" in ran.log


def test_a_login_that_fails_is_reported_as_a_failure(place: Place, inbox: Inbox) -> None:
    place.tool("az", "echo 'no subscription' >&2; exit 1")
    ran = place.write(aks__web=WEB).deploy(report_url=inbox.url, cluster="aks-1", resource_group="group")

    assert ran.code == 1
    assert [one.state for one in told(inbox)] == ["running", "failed"]
    assert told(inbox)[-1].evidence == "The job failed before anything was applied; its log says why.\n"


def git(place: Place, *arguments: str) -> str:
    named = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *named, *arguments], cwd=place.workspace, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_only_the_approved_commit_of_the_branch_is_deployed(place: Place) -> None:
    place.write(aks__web=WEB)
    git(place, "init", "-q")
    git(place, "add", ".")
    git(place, "commit", "-qm", "merged")
    merged = git(place, "rev-parse", "HEAD")
    git(place, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert place.deploy(commit=merged, ref="main").code == 0

    git(place, "commit", "-qm", "stray", "--allow-empty")
    assert "the checkout is not the commit to deploy" in place.deploy(commit=merged, ref="main").log
    stray = place.deploy(commit=git(place, "rev-parse", "HEAD"), ref="main")
    assert (stray.code, "the commit is not on the branch it was merged into" in stray.log) == (1, True)


def test_scripts_are_linted_by_make_check() -> None:
    (linted,) = re.findall(r"/shellcheck (.*)", (ROOT / "Makefile").read_text())
    assert {f"{p.parent.name}/*.sh" for p in ROOT.glob("*/*.sh")} == set(linted.split())
