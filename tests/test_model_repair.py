"""A repair through everything: the loop, the known answers, the budget, the SDK, and a server that is right, wrong or hostile."""

from __future__ import annotations

import json

import pytest
from fakes import START, MemoryBlobs
from llm_support import FIXED, POD, RIGHT, answer, ask
from model_server import ModelServer, Turn, endless, fails, says
from model_support import model

from shared.domain.language_model import Model
from shared.model_settings import ModelSettings, TokenLimits
from shared.pipeline.model_access import ModelAccess

RUN = "shop-0123456789ab"
WIDE = answer(("remove", "/spec"))


def through(there: ModelServer, blobs: MemoryBlobs, **limits: int) -> Model:
    settings = ModelSettings("suggest", there.url, "small", limits=TokenLimits(**limits))
    return ModelAccess(model(there, tries=2), blobs, settings, lambda: START).for_violation(RUN, "v")


def test_a_wrong_answer_is_mended_by_its_reason_and_a_replay_asks_nobody() -> None:
    blobs = MemoryBlobs()
    with ModelServer(says("I would remove it."), fails(500), says(WIDE), says(RIGHT)) as there:
        first = ask(through(there, blobs), POD)
        asked = len(there.asked)
        replay = ask(through(there, blobs), POD)

    assert (first.status, first.tries, first.data) == ("accepted", 3, FIXED.encode())
    assert first.reasons[0].endswith("answer is no JSON.")
    assert asked == len(there.asked) == 4
    assert first.usage.tokens == 360
    assert replay == first
    assert json.loads(blobs.texts("cache")["budget/days/2023-11-14.json"]) == {"tokens": 360}


def test_what_leaves_holds_no_credential_and_what_is_kept_neither() -> None:
    blobs = MemoryBlobs()
    with ModelServer(says(RIGHT)) as there:
        ask(through(there, blobs), POD)

    assert "correct-horse-battery" in POD
    assert "correct-horse-battery" not in json.dumps([seen.json for seen in there.asked])
    assert not [name for name, data in blobs.texts("cache").items() if b"correct-horse" in data]


@pytest.mark.parametrize(
    ("turn", "tries", "reason"),
    [
        (says(WIDE), 3, "/spec"),
        (says("x" * 200_000), 3, "answer is longer than 131072 bytes"),
        (says(None, refusal="no"), 3, "model declined to answer"),
        (endless, 0, "the model's service sends more than 1048576 bytes"),
        (fails(400, "context_length_exceeded"), 0, "the question is too long for the model"),
    ],
)
def test_what_is_no_repair_is_a_refusal_with_its_reasons(turn: Turn, tries: int, reason: str) -> None:
    with ModelServer(turn) as there:
        found = ask(through(there, MemoryBlobs()), POD)

    assert (found.status, found.tries, found.operations, found.data) == ("refused", tries, (), None)
    assert reason in "\n".join(found.reasons)


def test_a_spent_budget_is_a_reason_of_its_own() -> None:
    with ModelServer(says(RIGHT)) as there:
        found = ask(through(there, MemoryBlobs(), violation=100), POD)

    assert (found.status, there.asked) == ("refused", [])
    assert found.reasons[-1].startswith("the tokens of this violation are used up (0 of 100")
