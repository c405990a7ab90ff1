"""Rules and model together on one file: what is suggested, applied, drafted or refused, and that the Patcher believes no message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonpatch
import pytest
from llm_support import PLACE, POD, RIGHT, ScriptedModel, answer

from shared.domain.advice import Mode
from shared.domain.code_review import Shown
from shared.domain.errors import CriticalError, TransientError
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.llm.taking import CURED
from shared.domain.llm.work import Adviser, advised, mended
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, ModelRepair, Violation
from shared.domain.patcher import patch
from shared.domain.plan import FilePlan
from shared.domain.retrieval.passages import Passage
from shared.domain.retrieval.ports import Hit
from shared.domain.run import PatchedFile, RunOptions, RunSetup, SourceFile
from shared.domain.suggestions import Changed, suggestions
from shared.domain.takeback import taken_back
from shared.domain.thinker import propose

QUIET = POD.replace(
    "        ports: [{containerPort: 8080}]\n",
    "        ports: [{containerPort: 8080}]\n        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}\n"
    "        readinessProbe: {httpGet: {path: /, port: 8080}}\n        livenessProbe: {httpGet: {path: /, port: 8080}}\n",
)
"""The Deployment with nothing left but its runtime class."""
MENDED = QUIET.replace("      runtimeClassName: nvidia  # of the old nodes\n", "")
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}  # of k3s
spec: {storageClassName: local-path, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
"""
UNKNOWN = CLAIM.replace("local-path", "fast-tier-7")
DRAFT = {"key": "storageClasses.fast-tier-7", "value": "managed-csi-premium"}
POOLS = """\
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  nodeSelector: {karpenter.sh/nodepool: batch, karpenter.sh/capacity-type: spot}
  containers:
  - {name: app, image: "registry.example.com/app:1.2", resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}}
"""


def setup_of(text: str, mode: Mode, **options: Any) -> tuple[SourceFile, RunSetup]:
    file = SourceFile("a.yaml", text.encode())
    return file, plan_run([file], RunOptions("app", model=mode, **options))


def made(text: str, mode: Mode, model: ScriptedModel, knowledge: Any = None) -> PatchedFile:
    file, setup = setup_of(text, mode)
    return mended(file, setup, Adviser(lambda _: model, knowledge))


def one(done: PatchedFile, rule: str) -> Violation:
    (found,) = [v for v in done.outcome.violations if v.rule_id == rule]
    return found


def test_in_suggest_mode_a_repair_is_a_suggestion_and_the_file_stays() -> None:
    done = made(QUIET, "suggest", ScriptedModel(RIGHT))
    found = one(done, "AKS0510")
    assert (done.outcome.status, done.data) == ("unchanged", QUIET.encode())
    assert [(o.op, o.path, o.origin, o.disposition) for o in done.outcome.suggestions] == [("remove", f"/0{PLACE}", "llm", "unsafe")]
    assert (found.resolution, found.advice.status if found.advice else None) == ("suggested", "accepted")
    assert "Suggested by a language model" in (found.reason or "")


def test_in_apply_mode_a_repair_comes_after_the_fixes_of_the_rules() -> None:
    done = made(QUIET + CLAIM, "apply", ScriptedModel(RIGHT))
    assert (done.data or b"").decode() == MENDED + CLAIM.replace("local-path", "managed-csi")
    assert [(o.rule_id, o.origin, o.disposition) for o in done.outcome.operations] == [
        ("AKS0101", "rule", "safe"),
        ("AKS0510", "llm", "unsafe"),
    ]
    assert (one(done, "AKS0510").resolution, one(done, "AKS0101").resolution) == ("fixed", "fixed")
    assert "-      runtimeClassName: nvidia" in done.diff
    assert "+spec: {storageClassName: managed-csi" in done.diff


def test_off_asks_nobody_and_says_how_many_could_be_asked() -> None:
    model = ScriptedModel(RIGHT)
    done = made(QUIET + UNKNOWN, "off", model)
    assert (model.asked, done.outcome.askable, done.outcome.repairs) == ([], 2, ())
    assert "model" not in one(done, "AKS0510").to_json()


def test_the_count_of_what_could_be_asked_is_what_is_asked() -> None:
    text = POD + UNKNOWN + "---\n" + POD.replace("name: shop\n", "name: other\n", 1).replace("namespace: team-a", "namespace: kube-system")
    asked: list[str] = []
    file, setup = setup_of(text, "suggest")
    plan = advised(file, inspect(file, setup), propose(file, inspect(file, setup), setup), setup, Adviser(_named(asked)))
    assert plan.askable == len(asked) == len(plan.repairs) == 3
    assert not [name for name in asked if name.startswith("a.yaml#2")]


def _named(asked: list[str]) -> Any:
    def give(name: str) -> ScriptedModel:
        asked.append(name)
        return ScriptedModel(answer())

    return give


def test_a_drafted_decision_is_kept_with_its_finding_and_nothing_changes() -> None:
    done = made(UNKNOWN, "apply", ScriptedModel(answer(decision=DRAFT)))
    advice = one(done, "AKS0102").advice
    assert advice is not None
    assert advice.draft is not None
    assert (advice.status, advice.draft.key, advice.draft.value) == ("drafted", *DRAFT.values())
    assert (one(done, "AKS0102").resolution, done.outcome.operations, done.data) == ("needs-human", (), UNKNOWN.encode())


def test_a_question_is_put_to_a_model_once_for_a_file() -> None:
    model = ScriptedModel(answer(decision=DRAFT))
    done = made(UNKNOWN + UNKNOWN.replace("name: data", "name: more"), "suggest", model)
    advices = [v.advice for v in done.outcome.violations if v.rule_id == "AKS0102"]
    assert len(model.asked) == 1
    assert [a.status if a else None for a in advices] == ["drafted", None]


def test_three_refused_answers_leave_all_their_reasons_on_the_finding() -> None:
    model = ScriptedModel("the answer is no JSON", answer(("remove", "/spec/replicas")), answer(("add", PLACE, "gvisor")))
    done = made(QUIET, "apply", model)
    advice = one(done, "AKS0510").advice
    assert advice is not None
    assert (advice.status, advice.tries, len(advice.reasons)) == ("refused", 3, 3)
    assert (one(done, "AKS0510").resolution, done.data, done.outcome.suggestions) == ("needs-human", QUIET.encode(), ())


def test_repairs_of_one_file_build_on_each_other_where_they_are_applied() -> None:
    """The second is asked about what the first left; each place is followed."""
    text = QUIET + "---\n" + QUIET.replace("name: shop\n", "name: next\n", 1)
    model = ScriptedModel(RIGHT)
    done = made(text, "apply", model)
    assert (done.data or b"").decode() == text.replace("      runtimeClassName: nvidia  # of the old nodes\n", "")
    assert [o.path for o in done.outcome.operations] == [f"/0{PLACE}", f"/1{PLACE}"]


def test_what_a_repair_cures_on_the_way_is_not_left() -> None:
    """Two labels of one selector: the first repair takes both."""
    both = answer(("remove", "/spec/nodeSelector/karpenter.sh~1nodepool"), ("remove", "/spec/nodeSelector/karpenter.sh~1capacity-type"))
    model = ScriptedModel(both)
    done = made(POOLS, "apply", model)
    found = [(v.path.rpartition("/")[2], v.resolution, v.reason) for v in done.outcome.violations if v.rule_id == "AKS0527"]
    assert len(model.asked) == 1
    assert sorted(resolution for _, resolution, _ in found) == ["fixed", "ignored"]
    assert CURED in [reason for _, _, reason in found]
    assert b"karpenter" not in (done.data or b"")


def test_suggestions_each_stand_alone() -> None:
    def drop(messages: Any) -> Any:
        label = "nodepool" if '"place": "/spec/nodeSelector/karpenter.sh~1nodepool"' in messages[1].content else "capacity-type"
        return answer(("remove", f"/spec/nodeSelector/karpenter.sh~1{label}"))

    done = made(POOLS, "suggest", ScriptedModel(drop))
    assert [o.path for o in done.outcome.suggestions] == [
        "/0/spec/nodeSelector/karpenter.sh~1capacity-type",
        "/0/spec/nodeSelector/karpenter.sh~1nodepool",
    ]
    assert done.data == POOLS.encode()


class Shelf:
    """A knowledge base with one passage; it keeps what was searched for."""

    def __init__(self, text: str) -> None:
        self.text, self.queries = text, list[str]()

    def explaining(self, rule_id: str, query: str, k: int) -> list[Hit]:
        self.queries.append(query)
        return [Hit(Passage("articles/gpu.md", "gpu", "GPU pools", "Classes", self.text, "https://example.com/gpu", (rule_id,)), 1.0)]

    search = rules = explaining  # type: ignore[assignment]


def test_the_sources_that_an_answer_names_are_told() -> None:
    shelf = Shelf("Drop it.")
    cited = made(QUIET, "suggest", ScriptedModel(answer(("remove", PLACE), sources=["S1"])), shelf)
    advice = one(cited, "AKS0510").advice
    assert shelf.queries == ["A runtime class that AKS does not have. " + one(cited, "AKS0510").message]
    assert advice is not None
    assert advice.sources == (("GPU pools: Classes", "https://example.com/gpu"),)
    assert "It read: GPU pools: Classes (https://example.com/gpu)." in (one(cited, "AKS0510").reason or "")


def test_no_credential_is_searched_for() -> None:
    secret = "ghp_abcdEFGH1234ijklMNOP5678qrstUVWX90yz"
    shelf = Shelf("x")
    made(POOLS.replace("nodepool: batch", f"nodepool: {secret}"), "suggest", ScriptedModel(RIGHT), shelf)
    assert len(shelf.queries) == 2
    assert secret not in "".join(shelf.queries)


@pytest.mark.parametrize("error", [TransientError("down", 3), CriticalError("wrong key")])
def test_an_outage_is_the_callers_to_judge(error: Exception) -> None:
    with pytest.raises(type(error)):
        made(QUIET, "suggest", ScriptedModel(error))


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


GOLD = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: gold}\nprovisioner: driver.example.com\n"


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


def test_what_a_model_says_leads_nowhere() -> None:
    model = ScriptedModel(answer(("remove", PLACE), explanation="See [it](https://evil.example/a) or www.evil.example.\u2028x: 1"))
    advice = one(made(QUIET, "suggest", model), "AKS0510").advice
    assert advice is not None
    assert advice.explanation == "See [it]((address) or (address) x: 1"


def test_a_models_name_carries_no_escape_sequence() -> None:
    class Named(ScriptedModel):
        def complete(self, messages: Any, schema: Any) -> Any:
            return replace(super().complete(messages, schema), model="small\x1b[31m-1\n# x")

    advice = one(made(QUIET, "suggest", Named(RIGHT)), "AKS0510").advice
    assert advice is not None
    assert advice.model == "small??31m-1???x"


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
