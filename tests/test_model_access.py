"""Budget and known answers of a model: sums under compare-and-swap, replays that cost nothing, logs without a word of anybody's."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from fakes import START, MemoryBlobs
from hypothesis import given
from hypothesis import strategies as st
from model_server import ModelServer, fails, says

from shared import logs
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.errors import BusyError, CriticalError, PausedError, TransientError
from shared.domain.language_model import BudgetSpent, Message, Reply, Usage, read_reply
from shared.model_settings import ModelSettings, Prices, TokenLimits
from shared.pipeline.model_access import ModelAccess, cost
from shared.pipeline.model_budget import TokenBudget
from shared.pipeline.model_cache import question_key
from shared.services import build_model

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
QUESTION = [Message("user", "How many?")]
RUN = "shop-0123456789ab"
DAY = "budget/days/2023-11-14.json"


class Scripted:
    """A model outside: replies with its texts in turn, the last for ever, or raises what stands there."""

    identity = "fake small"

    def __init__(self, *script: str | Exception, tokens: tuple[int, int] = (100, 20)) -> None:
        self.script, self.tokens, self.asked = list(script), tokens, 0

    def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
        self.asked += 1
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return Reply(said, "stop", False, Usage(*self.tokens, 1.5), "fake-1")


def access(model: Scripted, blobs: MemoryBlobs | None = None, limits: TokenLimits | None = None, **settings: Any) -> ModelAccess:
    chosen = ModelSettings("suggest", "https://m.example/v1", "small", limits=limits or TokenLimits(), **settings)
    return ModelAccess(model, blobs if blobs is not None else MemoryBlobs(), chosen, lambda: START)


def sums(blobs: MemoryBlobs, name: str) -> dict[str, int]:
    return dict(json.loads(blobs.texts("cache")[name]))


def test_a_replay_costs_nothing_and_gives_the_same() -> None:
    blobs, model = MemoryBlobs(), Scripted('{"answer": 1}', '{"answer": 2}')
    first = access(model, blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)
    again = access(model, blobs).for_violation("other-0123456789ab", "w").complete(QUESTION, SCHEMA)

    assert (first.value, first.cached, again.value, again.cached) == ({"answer": 1}, False, {"answer": 1}, True)
    assert (again.usage, again.model) == (first.usage, "fake-1")
    assert model.asked == 1
    assert sums(blobs, DAY) == {"tokens": 120}


def test_a_useless_answer_is_known_too_so_that_a_replay_ends_as_before() -> None:
    blobs, model = MemoryBlobs(), Scripted("no JSON", '{"answer": 2}')

    found = [access(model, blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA).problem for _ in range(2)]

    assert found == ["the answer is no JSON"] * 2
    assert model.asked == 1


def test_known_answers_hold_nothing_of_the_question() -> None:
    blobs = MemoryBlobs()
    access(Scripted('{"answer": 1}'), blobs).for_violation(RUN, "v").complete([Message("user", "hunter2")], SCHEMA)

    assert len(blobs.texts("cache", "answers/")) == 1
    assert not [name for name, data in blobs.texts("cache").items() if b"hunter2" in data]


def test_everything_that_an_answer_depends_on_is_in_its_key() -> None:
    variants = [
        ("a", QUESTION, SCHEMA, 1),
        ("b", QUESTION, SCHEMA, 1),
        ("a", [Message("system", "How many?")], SCHEMA, 1),
        ("a", [*QUESTION, *QUESTION], SCHEMA, 1),
        ("a", QUESTION, {}, 1),
        ("a", QUESTION, SCHEMA, 2),
    ]

    assert len({question_key(*variant) for variant in variants}) == len(variants)
    assert question_key("a", QUESTION, dict(reversed(SCHEMA.items())), 1) == question_key(*variants[0])


def test_a_known_answer_that_cannot_be_read_is_asked_for_anew() -> None:
    blobs, model = MemoryBlobs(), Scripted('{"answer": 1}')
    access(model, blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)
    (name,) = blobs.texts("cache", "answers/")
    blobs.write("cache", name, b'{"text": 7}')

    found = [access(model, blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA) for _ in range(2)]

    assert [(answer.value, answer.cached) for answer in found] == [({"answer": 1}, False), ({"answer": 1}, True)]
    assert model.asked == 2


def test_of_two_who_ask_at_once_the_first_answer_counts_for_both() -> None:
    blobs = MemoryBlobs()

    class Slow(Scripted):
        def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
            access(Scripted('{"answer": 1}'), blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)  # overtakes us
            return super().reply(messages, schema, max_tokens)

    assert access(Slow('{"answer": 2}'), blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA).value == {"answer": 1}


@pytest.mark.parametrize(
    ("which", "limits"), [("violation", TokenLimits(violation=2_200)), ("run", TokenLimits(run=2_200)), ("day", TokenLimits(day=2_200))]
)
def test_each_budget_ends_the_questions(which: str, limits: TokenLimits) -> None:
    blobs, model = MemoryBlobs(), Scripted('{"answer": 1}', tokens=(1_000, 200))
    one = access(model, blobs, limits).for_violation(RUN, "v")
    one.complete(QUESTION, SCHEMA)

    with pytest.raises(BudgetSpent, match=f"the tokens of this {which} are used up"):
        one.complete([Message("user", "And now?")], SCHEMA)

    assert model.asked == 1
    assert (sums(blobs, DAY)["tokens"], sums(blobs, f"budget/runs/{RUN}.json")["tokens"]) == (1_200, 1_200)


def test_a_budget_belongs_to_its_violation_its_run_and_its_day() -> None:
    blobs, limits = MemoryBlobs(), TokenLimits(violation=10, run=20, day=30)
    budget = TokenBudget(blobs, limits, lambda: START)
    budget.reserve("a-1", "v", 10)
    budget.reserve("a-1", "w", 10)
    budget.reserve("b-1", "v", 10)
    with pytest.raises(BudgetSpent, match="of this day"):
        budget.reserve("b-1", "w", 1)

    TokenBudget(blobs, limits, lambda: START + 86_400).reserve("b-1", "w", 10)
    with pytest.raises(BudgetSpent, match="of this violation"):
        TokenBudget(blobs, limits, lambda: START + 86_400).reserve("b-1", "v", 1)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (PausedError("busy"), 0),
        (CriticalError("no key"), 0),
        (TransientError("the line broke"), None),
        (KeyError("a bug"), None),
    ],
)
def test_what_was_certainly_not_read_costs_nothing(error: Exception, kept: int | None) -> None:
    blobs = MemoryBlobs()
    with pytest.raises(type(error)):
        access(Scripted(error), blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)

    assert sums(blobs, DAY)["tokens"] == kept if kept is not None else 0 < sums(blobs, DAY)["tokens"] < 200
    assert not blobs.texts("cache", "answers/")


def test_a_process_that_dies_leaves_its_reservation() -> None:
    class Died(BaseException):
        pass

    class Dying(Scripted):
        def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
            raise Died

    blobs = MemoryBlobs()
    with pytest.raises(Died):
        access(Dying(""), blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)

    assert sums(blobs, DAY)["tokens"] > 2_000


def test_many_at_once_never_spend_more_than_the_day_allows() -> None:
    blobs, granted = MemoryBlobs(), list[int]()

    def spend(number: int) -> None:
        budget = TokenBudget(blobs, TokenLimits(day=1_000), lambda: START)
        for _ in range(20):
            try:
                held = budget.reserve(f"run-{number}", "v", 30)
            except (BudgetSpent, BusyError):
                continue
            budget.settle(held, 25)
            granted.append(25)

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(granted) <= 1_000
    assert sums(blobs, DAY)["tokens"] >= sum(granted)
    assert sum(granted) > 900


def test_sums_that_others_change_all_the_time_are_waited_for_by_the_message() -> None:
    class Contended(MemoryBlobs):
        def write(self, container: str, name: str, data: bytes, **conditions: Any) -> bool:
            return False

    with pytest.raises(BusyError):
        TokenBudget(Contended(), TokenLimits(), lambda: START, pause=lambda seconds: None).reserve(RUN, "v", 1)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"tokens": "7"}', b'{"tokens": true}', b"\xff"])
def test_a_budget_that_cannot_be_read_is_never_taken_for_an_empty_one(data: bytes) -> None:
    blobs = MemoryBlobs()
    blobs.write("cache", DAY, data)

    with pytest.raises(CriticalError, match=f"cache/{DAY} is no budget; delete it to begin anew"):
        TokenBudget(blobs, TokenLimits(), lambda: START).reserve(RUN, "v", 1)
    assert sums(blobs, f"budget/runs/{RUN}.json")["tokens"] == 0


def test_a_question_leaves_its_counts_in_the_log_and_no_word_of_it(caplog: pytest.LogCaptureFixture) -> None:
    logs.configure()
    with caplog.at_level(logging.INFO, logger="aks_copilot"):
        asked = access(Scripted('{"answer": 4711, "why": "hunter2"}'), prices=Prices(2.0, 10.0)).for_violation(RUN, "v7")
        asked.complete([Message("user", "hunter2")], SCHEMA)

    line = json.loads(caplog.messages[-1])
    assert {key: line[key] for key in ("violation", "model", "cached", "promptTokens", "answerTokens", "cost")} == {
        "violation": "v7",
        "model": "fake-1",
        "cached": False,
        "promptTokens": 100,
        "answerTokens": 20,
        "cost": 0.0004,
    }
    assert "hunter2" not in caplog.text
    assert "4711" not in caplog.text


def test_without_prices_no_cost_is_told() -> None:
    assert cost(Usage(10**6, 0), Prices()) is None
    assert cost(Usage(10**6, 10**5), Prices(2.5, 10)) == 3.5


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply(text, finish, False, Usage(), "m")


@pytest.mark.parametrize("text", ['{"answer": 1}', '```json\n{"answer": 1}\n```', '\n```\n{"answer": 1}\n```\n'])
def test_json_alone_or_in_one_fence_is_an_answer(text: str) -> None:
    assert read_reply(reply(text), SCHEMA).value == {"answer": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ('Here you are: {"answer": 1}', "the answer is no JSON"),
        ('{"answer": 1', "the answer is no JSON"),
        ('{"answer": 1} {"answer": 2}', "the answer is no JSON"),
        ('{"answer": 1, "answer": 2}', "the answer is no JSON"),
        ('{"answer": NaN}', "the answer is no JSON"),
        ('{"answer": "\\ud800"}', "the answer is no JSON"),
        ('{"answer": ' + "9" * 5000 + "}", "the answer is no JSON"),
        ("[" * 60_000, "the answer is no JSON"),
        ('{"answer": "' + "x" * 140_000 + '"}', "the answer is longer than 131072 bytes"),
        ('{"answer": "hunter2"}', """the answer has not the asked form at '/answer': type "integer\""""),
        ("[]", """the answer has not the asked form at '/': type "object\""""),
    ],
)
def test_what_is_no_answer_is_a_problem_that_quotes_nothing(text: str, problem: str) -> None:
    answer = read_reply(reply(text), SCHEMA)

    assert (answer.value, answer.problem) == (None, problem)


def test_an_answer_that_was_cut_off_is_not_used_although_it_parses() -> None:
    assert read_reply(reply('{"answer": 1}', "length"), SCHEMA).problem == "the answer was cut off: it is longer than the allowed tokens"


@given(st.text())
def test_no_text_of_a_model_is_an_error_of_ours(text: str) -> None:
    answer = read_reply(reply(text), SCHEMA)

    assert (answer.value is None) == (answer.problem is not None)


def test_services_have_no_model_where_it_is_off() -> None:
    assert build_model(ModelSettings(), EnvironmentSecrets({}), MemoryBlobs()) is None


def test_services_wire_key_budget_and_answers() -> None:
    blobs = MemoryBlobs()
    with ModelServer(fails(500), says({"answer": 3})) as there:
        settings = ModelSettings("suggest", there.url, "small", "key", tries=1)
        built = build_model(settings, EnvironmentSecrets({"LLM_API_KEY": "our-own-key"}), blobs)
        assert built is not None
        with pytest.raises(TransientError):
            built.for_violation(RUN, "v").complete(QUESTION, SCHEMA)
        found = [built.for_violation(RUN, "v").complete(QUESTION, SCHEMA) for _ in range(2)]

    assert [(answer.value, answer.cached) for answer in found] == [({"answer": 3}, False), ({"answer": 3}, True)]
    assert [seen.headers["authorization"] for seen in there.asked] == ["Bearer our-own-key"] * 2
