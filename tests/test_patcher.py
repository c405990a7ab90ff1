"""The Patcher: proofs, refusals fix by fix, originals kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.model import PatchOperation
from shared.domain.patcher import patch
from shared.domain.plan import Unit
from shared.domain.run import FileFindings, RunOptions, RunSetup, SourceFile
from shared.domain.thinker import propose

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}  # of the shop
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: local-path  # on the node
  resources: {requests: {storage: 5Gi}}
"""
TWO = CLAIM.replace("NAME", "one") + "---\n" + CLAIM.replace("NAME", "two")


def opened(text: str) -> tuple[SourceFile, RunSetup, FileFindings]:
    file = SourceFile("a.yaml", text.encode())
    setup = plan_run([file], RunOptions("app"))
    return file, setup, inspect(file, setup)


def test_only_the_value_changes() -> None:
    file, setup, findings = opened(TWO)
    result = patch(file, findings, propose(file, findings, setup), setup)
    assert result.data == TWO.replace("local-path", "managed-csi").encode()
    assert result.outcome.status == "patched"
    assert [v.resolution for v in result.outcome.violations if v.rule_id == "AKS0101"] == ["fixed", "fixed"]
    assert "-  storageClassName: local-path" in result.diff


def test_a_file_without_a_fix_still_says_which_resources_it_calls_for() -> None:
    file, setup, findings = opened("{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: db}}\n")
    outcome = patch(file, findings, propose(file, findings, setup), setup).outcome
    assert (outcome.status, [r.kind for r in outcome.resources]) == ("unchanged", ["Secret to bring along", "Key vault", "Cluster add-on"])


def test_a_fix_that_breaks_the_schema_is_refused_alone() -> None:
    """The second unit is made wrong by hand: the plan is made anew without the fix that a proof rejected."""
    file, setup, findings = opened(TWO)
    good = propose(file, findings, setup)
    bad = replace(good, operations=(good.operations[0], replace(good.operations[1], value=["a", "list"])))
    result = patch(file, findings, bad, setup)
    first, second = (v for v in result.outcome.violations if v.rule_id == "AKS0101")
    assert (first.resolution, second.resolution) == ("fixed", "needs-human")
    assert second.reason is not None
    assert "PersistentVolumeClaim would not be valid" in second.reason
    assert (result.data or b"").decode() == TWO.replace("local-path", "managed-csi", 1)


def test_a_fix_that_leaves_its_rule_firing_is_refused() -> None:
    file, setup, findings = opened(CLAIM)
    good = propose(file, findings, setup)
    bad = replace(good, operations=(replace(good.operations[0], value="longhorn"),))
    result = patch(file, findings, bad, setup)
    assert (result.data, result.outcome.status) == (CLAIM.encode(), "unchanged")
    assert [v.reason for v in result.outcome.violations if v.rule_id == "AKS0101"] == [
        "Not changed: AKS0101 (The storage class does not exist on AKS) still fires after the change."
    ]


def test_an_operation_that_the_editor_refuses_costs_only_its_own_fix() -> None:
    file, setup, findings = opened(TWO)
    good = propose(file, findings, setup)
    nowhere = PatchOperation("replace", "/1/spec/nothing/here", "AKS0101", "x")
    result = patch(file, findings, replace(good, operations=(good.operations[0], nowhere)), setup)
    assert (result.data or b"").decode() == TWO.replace("local-path", "managed-csi", 1)


def test_several_bad_fixes_cost_only_themselves() -> None:
    """Two answers name a disk class for claims of several nodes; the third claim has nothing to do with them."""
    shared = CLAIM.replace("ReadWriteOnce", "ReadWriteMany")
    claims = (shared.replace("NAME", "a"), shared.replace("NAME", "b").replace("local-path", "longhorn"), CLAIM.replace("NAME", "c"))
    text = "---\n".join(claims)
    answers = "version: 1\nstorageClasses: {local-path: managed-csi, longhorn: managed-csi}\n"
    file = SourceFile("a.yaml", text.encode())
    setup = plan_run([file, SourceFile(".aks-copilot.yaml", answers.encode())], RunOptions("app"))
    findings = inspect(file, setup)
    result = patch(file, findings, propose(file, findings, setup), setup)
    assert (result.data or b"").decode() == "---\n".join((*claims[:2], claims[2].replace("local-path", "managed-csi")))


@pytest.mark.parametrize(("text", "status"), [("a: 1\n", "skipped"), ("apiVersion: v1\nkind: {{ .x }}\n", "refused")])
def test_what_is_no_manifest_comes_back_as_it_was(text: str, status: str) -> None:
    file, setup, findings = opened(text)
    result = patch(file, findings, propose(file, findings, setup), setup)
    assert (result.data, result.outcome.status) == (text.encode(), status)
    assert result.outcome.reason
    assert result.diff == ""


def test_the_plan_and_the_findings_survive_json() -> None:
    file, setup, findings = opened(TWO)
    plan = propose(file, findings, setup)
    assert type(plan).from_json(plan.to_json()) == plan
    assert FileFindings.from_json(findings.to_json()) == findings
    assert Unit.from_json(plan.units[0].to_json()) == plan.units[0]
    outcome = patch(file, findings, plan, setup).outcome
    assert type(outcome).from_payload(outcome.to_payload()) == outcome


def test_errors_are_one_line_for_the_user() -> None:
    assert "\n" not in str(EditRefused("no", 1)) + str(ProofFailed("no"))
