"""The Thinker on values: order, shifting indices, questions, suggestions, what it refuses to guess."""

from __future__ import annotations

import jsonpatch

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.manifest import read_manifest
from shared.domain.plan import FilePlan
from shared.domain.run import FileFindings, RunOptions, SourceFile
from shared.domain.thinker import propose

CLAIMS = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: one}
  spec: {accessModes: [ReadWriteOnce], storageClassName: local-path}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: two}
  spec: {accessModes: [ReadWriteMany], storageClassName: longhorn}
"""


def plan(text: str, *, decisions: str | None = None, unsafe: bool = False, blocked: bool = False) -> tuple[FileFindings, FilePlan]:
    file = SourceFile("a.yaml", text.encode())
    files = [file] + ([SourceFile(".aks-copilot.yaml", decisions.encode())] if decisions else [])
    setup = plan_run(files, RunOptions("app", apply_unsafe=unsafe))
    findings = inspect(file, setup)
    first = propose(file, findings, setup)
    if blocked:
        return findings, propose(file, findings, setup, {u.key: "no" for u in first.units})
    return findings, first


def test_operations_apply_in_order_to_the_array_of_documents() -> None:
    _, found = plan(CLAIMS)
    values = [d.value for d in read_manifest("a.yaml", CLAIMS.encode()).documents]
    patched = jsonpatch.apply_patch(values, [o.rfc6902() for o in found.operations])
    assert [i["spec"]["storageClassName"] for i in patched[0]["items"]] == ["managed-csi", "azurefile-csi"]


def test_every_violation_says_what_became_of_it() -> None:
    findings, found = plan(CLAIMS)
    assert [(v.rule_id, v.path, v.resolution) for v in found.violations if v.rule_id == "AKS0101"] == [
        ("AKS0101", "/items/0/spec/storageClassName", "fixed"),
        ("AKS0101", "/items/1/spec/storageClassName", "fixed"),
    ]
    assert all(v.resolution == "needs-human" for v in findings.violations)


def test_a_claim_without_access_modes_is_asked_about_and_not_changed() -> None:
    text = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {storageClassName: local-path}\n"
    _, found = plan(text)
    assert found.operations == ()
    assert [q.key for q in found.questions] == ["storageClasses.local-path"]


def test_a_decision_answers_without_asking() -> None:
    text = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {storageClassName: local-path}\n"
    _, found = plan(text, decisions="version: 1\nstorageClasses: {local-path: managed-csi-premium}\n")
    assert [o.value for o in found.operations] == ["managed-csi-premium"]
    assert found.questions == ()


def test_a_blocked_fix_is_not_tried_again_and_says_why() -> None:
    _, found = plan(CLAIMS, blocked=True)
    assert found.operations == ()
    assert {v.reason for v in found.violations if v.rule_id == "AKS0101"} == {"no"}


def test_opaque_values_are_left_alone() -> None:
    text = CLAIMS.replace("local-path", "'${SC}'").replace("longhorn", "'${SC}'")
    findings, _ = plan(text)
    assert [v for v in findings.violations if v.rule_id.startswith("AKS01")] == []
