"""Budget and known answers of a model: sums under compare-and-swap, replays that cost nothing, logs without a word of anybody's."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from fakes import START, MemoryBlobs
from model_server import ModelServer, fails, says

from shared import logs
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.errors import CriticalError, PausedError, TransientError
from shared.domain.language_model import BudgetSpent, Message, Reply, Usage
from shared.model_settings import ModelSettings, Prices, TokenLimits
from shared.pipeline.model_access import ModelAccess
from shared.pipeline.model_cache import question_key
from shared.services import build_model, build_services
from shared.settings import Settings, StorageSettings

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


@pytest.mark.parametrize("limits", [TokenLimits(violation=0), TokenLimits(run=0), TokenLimits(day=0)])
def test_a_budget_of_nothing_is_one_line_of_the_log_for_a_run(limits: TokenLimits, caplog: pytest.LogCaptureFixture) -> None:
    asking = access(Scripted('{"answer": 1}'), MemoryBlobs(), limits)
    with caplog.at_level("WARNING"):
        for run, violation in ((RUN, "a"), (RUN, "b"), (RUN, "c"), ("till-0123456789ab", "a")):
            with pytest.raises(BudgetSpent, match=r"used up \(0 of 0"):
                asking.for_violation(run, violation).complete(QUESTION, SCHEMA)
    assert caplog.text.count("budget spent") == 2


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


def test_an_answer_is_not_lost_where_its_cost_cannot_be_written() -> None:
    class Failing(MemoryBlobs):
        asked = False

        def write(self, container: str, name: str, data: bytes, **conditions: Any) -> bool:
            if self.asked and name.startswith("budget/"):
                raise TransientError("storage is away")
            return super().write(container, name, data, **conditions)

    class Asked(Scripted):
        def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
            blobs.asked = True
            return super().reply(messages, schema, max_tokens)

    blobs = Failing()
    model = Asked('{"answer": 1}')
    found = [access(model, blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA).value for _ in range(2)]

    assert (found, model.asked) == ([{"answer": 1}] * 2, 1)
    assert sums(blobs, DAY)["tokens"] > 2_000


def test_a_process_that_dies_leaves_its_reservation() -> None:
    class Died(BaseException):
        """As a killed process: nothing that handles errors sees it."""

    class Dying(Scripted):
        def reply(self, messages: Sequence[Message], schema: Mapping[str, Any], max_tokens: int) -> Reply:
            raise Died

    blobs = MemoryBlobs()
    with pytest.raises(Died):
        access(Dying(""), blobs).for_violation(RUN, "v").complete(QUESTION, SCHEMA)

    assert sums(blobs, DAY)["tokens"] > 2_000


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
    assert Prices().of(Usage(10**6, 0)) is None
    assert Prices(2.5, 10).of(Usage(10**6, 10**5)) == 3.5


def test_services_have_no_model_where_it_is_off() -> None:
    storage = Settings(StorageSettings("UseDevelopmentStorage=true"))
    off = build_services(storage, ModelSettings()).context
    on = build_services(storage, ModelSettings("apply", "https://llm.example.com/v1", "small", "key")).context
    assert (off.mode, off.model, off.knowledge) == ("off", None, None)
    assert on.mode == "apply"
    assert on.model is not None
    assert on.knowledge is not None


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
