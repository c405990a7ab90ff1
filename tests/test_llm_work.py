"""Rules and model together on one file: what is suggested, applied, drafted or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from llm_support import PLACE, POD, RIGHT, ScriptedModel, answer
from llm_work_support import CLAIM, DRAFT, MENDED, POOLS, QUIET, UNKNOWN, Shelf, made, one, setup_of

from shared.domain.errors import CriticalError, TransientError
from shared.domain.inspector import inspect
from shared.domain.llm.taking import CURED
from shared.domain.llm.work import Adviser, advised
from shared.domain.thinker import propose


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


def test_the_sources_that_an_answer_names_are_told() -> None:
    shelf, model = Shelf("Drop it."), ScriptedModel(answer(("remove", PLACE), sources=["S1"]))
    cited = made(QUIET, "suggest", model, shelf)
    advice = one(cited, "AKS0510").advice
    assert "BEGIN snippet-S1 " in model.seen
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
