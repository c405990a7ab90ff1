"""The repair loop: accepted with proof, refused with every reason, drafted and never taken."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from llm_support import FIXED, PLACE, POD, RIGHT, ScriptedModel, answer, ask, case_of, found

from shared.domain.errors import EditRefused, ProofFailed, TransientError, ValidationError
from shared.domain.language_model import BudgetSpent, Usage
from shared.domain.llm.answer import ANSWER_SCHEMA
from shared.domain.llm.case import Snippet, open_case
from shared.domain.llm.trial import prover
from shared.domain.model import PatchOperation
from shared.domain.rulebook import by_id

SELECTOR = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  nodeSelector: {eks.amazonaws.com/compute-type: fargate}\n  containers: []\n"
)
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: fast-tier-7, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}  # keep me
spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}
"""


NAMED = [Snippet("Runtime classes", "https://example.com/a", "Others know gvisor, kata and runsc.")]


def first_bad(rule: str) -> str:
    return next(e.bad for e in by_id()[rule].examples if e.bad)


def test_a_right_answer_is_accepted_with_its_proven_bytes() -> None:
    result = ask(ScriptedModel(RIGHT))
    assert (result.status, result.tries, result.reasons, result.usage) == ("accepted", 1, (), Usage(10, 5))
    assert (result.data or b"").decode() == FIXED
    assert [(o.op, o.path, o.rule_id, o.origin, o.disposition) for o in result.operations] == [
        ("remove", f"/0{PLACE}", "AKS0510", "llm", "unsafe")
    ]


def test_an_object_of_a_list_is_mended_at_its_place() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- " + BUDGET.replace("\n", "\n  ").rstrip() + "\n"
    result = ask(ScriptedModel(answer(("replace", "/spec/maxUnavailable", 1))), text, "AKS1043")
    assert result.operations[0].path == "/0/items/0/spec/maxUnavailable"
    assert (result.data or b"").decode() == text.replace("maxUnavailable: 0", "maxUnavailable: 1")


def test_the_precise_reason_goes_back_and_the_second_try_counts() -> None:
    model = ScriptedModel(answer(("replace", PLACE, "gvisor")), RIGHT)
    result = ask(model, snippets=NAMED)
    assert (result.status, result.tries) == ("accepted", 2)
    assert result.reasons == ("Not proven: AKS0510 (A runtime class that AKS does not have) still fires after the change.",)
    assert "still fires after the change" in model.asked[1][-1].content
    assert [m.role for m in model.asked[1]] == ["system", "user", "assistant", "user"]


def test_after_three_tries_it_is_refused_with_every_reason() -> None:
    model = ScriptedModel("the answer is no JSON", answer(("remove", "/spec/replicas")), answer(("replace", PLACE, "kata")))
    result = ask(model, snippets=NAMED)
    assert (result.status, result.tries, result.data, result.operations) == ("refused", 3, None, ())
    assert result.reasons == (
        "The answer is no JSON.",
        f"Operation 1: its path is outside of what may change ({PLACE}).",
        "Not proven: AKS0510 (A runtime class that AKS does not have) still fires after the change.",
    )
    assert len(model.asked) == 3


def test_a_model_that_gives_up_is_not_asked_again() -> None:
    result = ask(ScriptedModel(answer()))
    assert (result.status, result.tries, result.reasons) == ("refused", 1, ("The model proposes no change.",))


def test_a_spent_budget_is_a_refusal_and_an_outage_is_not() -> None:
    result = ask(ScriptedModel("the answer is empty", BudgetSpent("The tokens of this run are used up.")))
    assert (result.status, result.reasons) == ("refused", ("The answer is empty.", "The tokens of this run are used up."))
    with pytest.raises(TransientError):
        ask(ScriptedModel(TransientError("down", 3)))


def test_sources_that_were_given_are_kept_and_others_refused() -> None:
    snippets = [Snippet("Runtime classes", "https://example.com/a", "Drop it."), Snippet("GPU", "https://example.com/b", "Ask for a GPU.")]
    right = answer(("remove", PLACE), sources=["S2"])
    assert ask(ScriptedModel(right), snippets=snippets).sources == (snippets[1],)
    wrong = ask(ScriptedModel(answer(("remove", PLACE), sources=["S3"])), snippets=snippets)
    assert (wrong.status, set(wrong.reasons)) == ("refused", {"The answer names a source that was not given."})


def test_a_rule_widens_the_places_that_a_repair_may_use() -> None:
    case = case_of(SELECTOR, "AKS0507")
    assert case.allowed == ("/spec/nodeSelector/eks.amazonaws.com~1compute-type", "/spec/nodeSelector")
    change = answer(("add", "/spec/nodeSelector/kubernetes.azure.com~1agentpool", "fargate"), ("remove", case.allowed[0]))
    text = SELECTOR.replace("[]", '[{name: app, image: "app:1"}]')
    result = ask(ScriptedModel(change), text, "AKS0507")
    assert (result.data or b"").decode() == text.replace(
        "eks.amazonaws.com/compute-type: fargate", "kubernetes.azure.com/agentpool: fargate"
    )


def test_every_place_that_a_rule_names_is_used_by_its_examples() -> None:
    named = {rule.id for rule in by_id().values() if rule.repair}
    assert named == {"AKS0507", "AKS0527", "AKS0608", "AKS0611", "AKS0806"}


DRAFT = {"key": "storageClasses.fast-tier-7", "value": "managed-csi-premium"}


def test_a_question_is_drafted_and_never_taken() -> None:
    model = ScriptedModel(answer(decision=DRAFT))
    result = ask(model, CLAIM, "AKS0102")
    assert (result.status, result.operations, result.data) == ("drafted", (), None)
    assert result.draft is not None
    assert (result.draft.key, result.draft.value) == tuple(DRAFT.values())
    assert "storageClasses.fast-tier-7" in model.seen


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(("replace", "/spec/storageClassName", "managed-csi")), "A human decides this"),
        (answer(("replace", "/spec/storageClassName", "managed-csi"), decision=DRAFT), "A human decides this"),
        (answer(decision=DRAFT | {"key": "registries.docker.io"}), "a key that nobody asked for"),
        (answer(decision=DRAFT | {"value": "x\ny: 1"}), "not one line"),
        (answer(decision=DRAFT | {"value": "a" * 601}), "not one line"),
        (answer(decision=DRAFT | {"value": "a\u202eb"}), "not one line"),
        (answer(decision=DRAFT | {"value": " "}), "not one line"),
        (answer(), "proposes no change"),
    ],
)
def test_what_is_no_draft_is_refused(said: Any, reason: str) -> None:
    result = ask(ScriptedModel(said), CLAIM, "AKS0102")
    assert (result.status, result.draft) == ("refused", None)
    assert reason in result.reasons[0]


def test_a_draft_holds_no_secret() -> None:
    text = CLAIM.replace("metadata: {name: data}", "metadata: {name: data, annotations: {note: fast-tier-7}}")
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: s3cr3t-value-of-shop}\n"
    text = text.replace("spec: {", "spec: {volumeName: s3cr3t-value-of-shop, ") + secret

    def leaky(messages: Any) -> Any:
        shown = re.findall(r"redacted-secret-\d+-\w+", messages[1].content)
        return answer(decision=DRAFT | {"value": shown[0]})

    assert set(ask(ScriptedModel(leaky), text, "AKS0102").reasons) == {"The drafted decision holds a secret."}


RUN = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: team-a}
data: {a: b}
"""


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (PatchOperation("add", "/0/spec/replicas", "AKS0510", "many"), "would not be valid"),
        (PatchOperation("replace", "/1/metadata/name", "AKS0510", "others"), "names ConfigMap settings, which is not there"),
        (PatchOperation("remove", "/0/spec/nowhere", "AKS0510"), "not there"),
        (PatchOperation("add", f"/0{PLACE}", "AKS0510", "gvisor"), "still fires"),
    ],
)
def test_what_does_not_prove_out_is_refused_with_its_reason(more: PatchOperation, reason: str) -> None:
    """The proofs alone, with operations that the limits would not let so far."""
    text = POD.replace("        env:\n", "        envFrom: [{configMapRef: {name: settings}}]\n        env:\n") + RUN
    file, violation, setup = found(text)
    right = PatchOperation("remove", f"/0{PLACE}", "AKS0510")
    prove = prover(file, violation, setup)
    assert b"nvidia" not in prove([right])
    with pytest.raises((ProofFailed, EditRefused), match=reason):
        prove([right, more])


def test_a_draft_where_nothing_is_asked_is_refused() -> None:
    assert ask(ScriptedModel(answer(("remove", PLACE), decision=DRAFT))).reasons[0].startswith("No question is open here")


@pytest.mark.parametrize(
    ("text", "rule", "reason"),
    [
        (CLAIM.replace("fast-tier-7", "local-path"), "AKS0101", "a fix of its own"),
        (POD.replace("team-a", "kube-system"), "AKS0510", "belongs to the cluster itself"),
        (POD.replace("  name: shop\n", ""), "AKS0510", "without a name"),
        (first_bad("AKS0316"), "AKS0316", "A Namespace is never changed"),
        (first_bad("AKS0012"), "AKS0012", "A Secret is never changed"),
        (first_bad("AKS0331"), "AKS0331", "`command` is never guessed"),
        (first_bad("AKS1030"), "AKS1030", "own fix stops here"),
        (POD.replace("note: of the shop", "ignore.aks-copilot.io/AKS0510: of the old nodes"), "AKS0510", "accepted or harmless"),
    ],
)
def test_where_no_answer_could_hold_no_model_is_asked(text: str, rule: str, reason: str) -> None:
    file, violation, setup = found(text, rule)
    with pytest.raises(ValidationError, match=reason):
        open_case(file, violation, setup)


def test_a_violation_that_is_gone_is_no_case() -> None:
    file, violation, setup = found(POD)
    with pytest.raises(ValidationError, match="does not fire"):
        open_case(type(file)("a.yaml", FIXED.encode()), violation, setup)


def test_a_service_may_be_closed_and_not_opened() -> None:
    text = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort, selector: {a: b}, ports: [{name: http, port: 80}]}\n"
    )
    result = ask(ScriptedModel(answer(("replace", "/spec/type", "ClusterIP"))), text, "AKS0608")
    assert result.status == "accepted"
    other = ask(ScriptedModel(answer(("replace", "/spec/type", "LoadBalancer"))), text, "AKS0608")
    assert (other.status, other.reasons[0]) == ("refused", "/spec/type would weaken the security of the object.")


def test_the_schema_of_an_answer_is_closed_everywhere() -> None:
    parts = [ANSWER_SCHEMA, *ANSWER_SCHEMA["$defs"].values()]
    assert all(part["additionalProperties"] is False for part in parts)
    assert all(set(part["required"]) == set(part["properties"]) for part in parts)


def test_the_same_question_is_the_same_bytes() -> None:
    """Answers are kept by the content of the question: nothing in it may depend on the moment."""
    models = ScriptedModel(RIGHT), ScriptedModel(RIGHT)
    for model in models:
        ask(model, snippets=[Snippet("a", "b", "c")], hosts=["example.com"])
    assert json.dumps([str(m) for m in models[0].asked]) == json.dumps([str(m) for m in models[1].asked])
