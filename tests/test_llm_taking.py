"""What the Patcher does with a model's repairs: it believes no message, and follows their places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonpatch
import pytest
from llm_support import PLACE, RIGHT, ScriptedModel, answer
from llm_work_support import CLAIM, GOLD, MENDED, POOLS, QUIET, Shelf, one, setup_of

from shared.domain.advice import Mode
from shared.domain.code_review import Shown
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.llm.work import Adviser, advised, mended
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, ModelRepair
from shared.domain.patcher import patch
from shared.domain.plan import FilePlan
from shared.domain.run import RunOptions, RunSetup, SourceFile
from shared.domain.suggestions import Changed, suggestions
from shared.domain.takeback import taken_back
from shared.domain.thinker import propose


def planned(mode: Mode = "apply") -> tuple[SourceFile, RunSetup, FilePlan]:
    file, setup = setup_of(QUIET + CLAIM, mode)
    found = inspect(file, setup)
    return file, setup, advised(file, found, propose(file, found, setup), setup, Adviser(lambda _: ScriptedModel(RIGHT)))


def test_a_plan_and_an_outcome_survive_their_journey() -> None:
    file, setup, plan = planned()
    done = patch(file, inspect(file, setup), plan, setup)
    assert FilePlan.from_json(plan.to_json()) == plan
    assert FileOutcome.from_payload(done.outcome.to_payload()) == done.outcome
    assert plan.repairs[0].to_json()["operations"] == [
        {"op": "remove", "path": f"/0{PLACE}", "ruleId": "AKS0510", "origin": "llm", "disposition": "unsafe"}
    ]


def forged(repair: ModelRepair, **changes: Any) -> ModelRepair:
    return replace(repair, operations=tuple(replace(o, **changes) for o in repair.operations))


@pytest.mark.parametrize("mode", ["suggest", "apply"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": "/0/spec/replicas", "op": "add", "value": 3}, "outside of what may change"),
        ({"path": "/1/spec/storageClassName"}, "not those of a model's repair"),
        ({"path": f"/0{PLACE}", "op": "replace", "value": "gvisor"}, "names are never invented"),
        ({"path": f"/0{PLACE}", "op": "replace", "value": True}, "takes a value of another type"),
        ({"origin": "rule"}, "not those of a model's repair"),
        ({"disposition": "safe"}, "not those of a model's repair"),
        ({"rule_id": "AKS0101"}, "not those of a model's repair"),
    ],
)
def test_the_patcher_believes_no_message(mode: Mode, change: dict[str, Any], reason: str) -> None:
    """Each change makes of an accepted repair what the Thinker would not have let through; the control is the unchanged one."""
    file, setup, plan = planned(mode)
    found = inspect(file, setup)
    control = patch(file, found, plan, setup)
    done = patch(file, found, replace(plan, repairs=(forged(plan.repairs[0], **change),)), setup)
    advice = one(done, "AKS0510").advice
    assert one(control, "AKS0510").resolution == ("fixed" if mode == "apply" else "suggested")
    assert advice is not None
    assert advice.status == "refused"
    assert reason in advice.reasons[-1]
    assert [o.origin for o in (*done.outcome.operations, *done.outcome.suggestions)] == ["rule"]
    assert (done.data or b"").decode() == QUIET + CLAIM.replace("local-path", "managed-csi")


@pytest.mark.parametrize("mode", ["suggest", "apply"])
def test_a_refusal_that_carries_operations_changes_nothing(mode: Mode) -> None:
    file, setup, plan = planned(mode)
    refused = replace(plan.repairs[0], advice=plan.repairs[0].advice.refused("Not proven: a reason."))
    done = patch(file, inspect(file, setup), replace(plan, repairs=(refused,)), setup)
    assert refused.operations
    assert one(done, "AKS0510").resolution == "needs-human"
    assert [o.origin for o in (*done.outcome.operations, *done.outcome.suggestions)] == ["rule"]
    assert (done.data or b"").decode() == QUIET + CLAIM.replace("local-path", "managed-csi")


def test_a_run_without_a_model_takes_none_of_its_operations() -> None:
    file, setup, plan = planned()
    done = patch(file, inspect(file, setup), plan, replace(setup, model="off"))
    assert {o.origin for o in done.outcome.operations} == {"rule"}
    assert one(done, "AKS0510").advice is None


def test_operations_for_a_finding_that_is_not_there_are_taken_by_nobody() -> None:
    file, setup, plan = planned()
    foreign = replace(plan.repairs[0], rule_id="AKS0101", document=1, path="/spec/storageClassName")
    done = patch(file, inspect(file, setup), replace(plan, repairs=(foreign,)), setup)
    assert {o.origin for o in done.outcome.operations} == {"rule"}
    assert one(done, "AKS0101").advice is None


def test_a_repair_survives_when_a_fix_beside_it_is_taken_back() -> None:
    """The class goes, the claim of another file still names it: that fix is taken back; the repair in its file is proven once more."""
    files = {"a.yaml": (QUIET + GOLD).encode(), "claim.yaml": CLAIM.replace("local-path", "gold").encode()}
    setup = plan_run([SourceFile(*f) for f in files.items()], RunOptions("app", "k3s", apply_unsafe=True, model="apply"))
    done = {path: mended(SourceFile(path, data), setup, Adviser(lambda _: ScriptedModel(RIGHT))) for path, data in files.items()}
    back = taken_back(setup, {path: one.outcome for path, one in done.items()}, lambda path: done[path].data, files.get)
    assert b"StorageClass" not in (done["a.yaml"].data or b"")
    assert (back["a.yaml"].data or b"").decode() == MENDED + GOLD
    assert [(o.rule_id, o.origin) for o in back["a.yaml"].outcome.operations] == [("AKS0510", "llm")]
    assert one(back["a.yaml"], "AKS0510").resolution == "fixed"


def test_the_sources_of_new_words_go_with_the_repair() -> None:
    """The rule says nothing of this pool; the passage does, and the Patcher needs it to believe the word."""
    shelf, gone = Shelf("On AKS the pool is called gold-pool."), "/spec/nodeSelector/karpenter.sh~1nodepool"
    model = ScriptedModel(answer(("add", "/spec/nodeSelector/kubernetes.azure.com~1agentpool", "gold-pool"), ("remove", gone)))
    file, setup = setup_of(POOLS.replace(", karpenter.sh/capacity-type: spot", ""), "suggest")
    found = inspect(file, setup)
    plan = advised(file, found, propose(file, found, setup), setup, Adviser(lambda _: model, shelf))
    assert [s.text for s in plan.repairs[0].grounds] == [shelf.text]
    assert plan.repairs[0].advice.sources == (("GPU pools: Classes", "https://example.com/gpu"),)
    assert one(patch(file, found, plan, setup), "AKS0527").resolution == "suggested"
    without = replace(plan, repairs=(replace(plan.repairs[0], grounds=()),))
    assert one(patch(file, found, without, setup), "AKS0527").resolution == "needs-human"


def test_no_reviewer_is_offered_a_models_change_by_one_click() -> None:
    """The rule's fix of the same file is; a model's is `unsafe`, and asks for a person who reads it."""
    file, setup = setup_of(QUIET + CLAIM, "apply")
    done = mended(file, setup, Adviser(lambda _: ScriptedModel(RIGHT)))
    lines = len(file.data.splitlines())
    shown = Shown(((1, lines),), frozenset(range(1, lines + 1)))
    offered = list(suggestions(setup, [done.outcome], [Changed(done.outcome, file.data, file.path, shown)]))
    assert [v.rule_id for one in offered for v in one.violations] == ["AKS0101"]
    assert "runtimeClassName" not in "".join(one.text for one in offered)


TEMPLATE = """\
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: shop}
parameters: [{name: SIZE, value: "1"}]
objects:
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata: {name: data}
  spec: {storageClassName: gluster, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
- apiVersion: v1
  kind: Pod
  metadata: {name: app}
  spec: {runtimeClassName: nvidia, containers: [{name: app, image: "registry.example.com/app:1.2"}]}
---
"""


def test_a_finding_is_found_again_when_a_document_before_it_is_gone() -> None:
    """The class goes, so the Deployment after it is the first document when the model is asked."""
    text = GOLD.removeprefix("---\n") + "---\n" + QUIET
    file, setup = setup_of(text, "apply", apply_unsafe=True)
    done = mended(file, setup, Adviser(lambda _: ScriptedModel(RIGHT)))
    assert [(o.op, o.path, o.origin) for o in done.outcome.operations] == [("remove", "/0", "rule"), ("remove", f"/0{PLACE}", "llm")]
    assert (one(done, "AKS0510").document, one(done, "AKS0510").resolution) == (1, "fixed")
    documents = [d.value for d in read_manifest("a.yaml", text.encode()).documents]
    patched = jsonpatch.JsonPatch([o.rfc6902() for o in done.outcome.operations]).apply(documents)
    assert patched == [d.value for d in read_manifest("a.yaml", done.data or b"").documents]


def test_an_object_that_a_template_held_is_asked_about_where_it_stands_now() -> None:
    def drop(messages: Any) -> Any:
        return answer(("remove", "/spec/runtimeClassName"))

    file, setup = setup_of(TEMPLATE + QUIET, "suggest", source="okd")
    done = mended(file, setup, Adviser(lambda _: ScriptedModel(drop)))
    found = [v for v in done.outcome.violations if v.rule_id == "AKS0510"]
    assert done.outcome.status == "patched"
    assert [v.advice.status for v in found if v.advice] == ["accepted", "refused"]
    assert all(o.path.endswith("/spec/runtimeClassName") for o in done.outcome.suggestions if o.origin == "llm")
