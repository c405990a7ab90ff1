"""What a model says, read: JSON of the asked form, or a problem that quotes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.language_model import Reply, Usage, read_reply

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply(text, finish, False, Usage(), "m")


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": 1}',
        '```json\n{"answer": 1}\n```',
        '\n```\n{"answer": 1}\n```\n',
        'Here you are: {"answer": 1}',
        'A set {a, b} first.\n```json\n{"answer": 1}\n```\nThat is all.',
        '<think>perhaps {"answer": 2}?</think>\n{"answer": 1}',
    ],
)
def test_json_alone_in_one_fence_or_after_other_words_is_an_answer(text: str) -> None:
    assert read_reply(reply(text), SCHEMA).value == {"answer": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ('```\n{"answer": 1}\n```\n```\n{"answer": 2}\n```', "the answer is no JSON"),
        ('one {"answer": 1} or {"answer": 2}', "the answer is no JSON"),
        ('<think>{"answer": 1}', "the answer is no JSON"),
        ("} then {", "the answer is no JSON"),
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
