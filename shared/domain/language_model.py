"""What the Thinker needs of a language model: one question, one answer as JSON of an asked form, and what it cost.

An answer is data and nothing more: it is parsed here, checked against its schema, and whoever asked checks it against the boundary
(DESIGN 6.6). What cannot be used is an answer with a `problem`, not an error, since the next try wants that reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.domain.errors import ValidationError
from shared.domain.pointer import JsonValue
from shared.domain.strict_json import parse_strictly

MAX_ANSWER_BYTES = 128 * 1024
"""Ten operations with 8 KiB each (DESIGN 6.6) and their explanations; a longer answer is not even parsed."""
_THOUGHTS = re.compile(r"\s*<(think|thinking|thought|reasoning)>(?:.*?</\1>|.*\Z)", re.DOTALL)
_FENCE = "```"
_TOLD = 200  # characters of a schema's complaint


class BudgetSpent(ValidationError):  # noqa: N818 (a verdict)
    """The tokens of a violation, a run or a day are used up; the text says which. Nothing was asked."""


@dataclass(frozen=True, slots=True)
class Message:
    """One part of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one question cost: tokens as the service counted them (estimated where it does not say), and seconds."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        tokens = (self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)
        return Usage(*tokens, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, before anything is believed: its text, why it stopped, whether it declined."""

    text: str
    finish: str
    refused: bool
    usage: Usage
    model: str
    """The service's name of the model that answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is JSON that holds the asked schema, or None with a `problem`: one line that quotes nothing of the answer.

    `usage` is what it cost when it was asked, so that a replay reports the same.
    """

    value: JsonValue
    problem: str | None
    usage: Usage
    model: str = ""
    cached: bool = False
    """Whether it was known already, so that it cost nothing now."""


class Model(Protocol):
    """A model that answers in JSON."""

    def complete(self, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        """Ask, and check the answer against a JSON Schema (draft 2020-12).

        Raises TransientError (with the wait that the service asks for), BudgetSpent, ValidationError where the question cannot be
        asked (too long, say), CriticalError where the set-up is wrong.
        """


class ReplyingModel(Protocol):
    """A model as it is outside, before its words are parsed."""

    @property
    def identity(self) -> str:
        """What an answer depends on beside the question: address, model and parameters. Holds no secret."""

    def reply(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        """Ask for at most so many tokens. Raises TransientError, ValidationError or CriticalError."""


def estimated_tokens(messages: Sequence[Message]) -> int:
    """At most so many tokens are in a question, nearly always: three bytes each (English has four, YAML about three and a half)."""
    return sum(len(m.content.encode(errors="replace")) // 3 + 8 for m in messages)


def read_reply(reply: Reply, schema: Mapping[str, JsonValue]) -> Answer:
    """The answer in a reply; what is cut off, declined, no JSON or of another form becomes a problem."""
    value, problem = None, _unfinished(reply)
    if problem is None:
        value, problem = _parsed(reply.text)
    if problem is None:
        problem = _mismatch(value, schema)
    return Answer(None if problem else value, problem, reply.usage, reply.model)


def _unfinished(reply: Reply) -> str | None:
    if reply.refused or reply.finish == "content_filter":
        return "the model declined to answer"
    if reply.finish == "length":
        return "the answer was cut off: it is longer than the allowed tokens"
    if len(reply.text.encode(errors="replace")) > MAX_ANSWER_BYTES:
        return f"the answer is longer than {MAX_ANSWER_BYTES} bytes"
    return None if reply.text.strip() else "the answer is empty"


def _parsed(text: str) -> tuple[JsonValue, str | None]:
    for candidate in _candidates(text):
        try:
            value = parse_strictly(candidate)
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text that a manifest can hold
        except (ValueError, RecursionError):
            continue
        return value, None
    return None, "the answer is no JSON"


def _candidates(text: str) -> Iterator[str]:
    """The answer, or what may be it where a model thinks or talks first: its only fenced block, and the first brace to the last."""
    thoughts = _THOUGHTS.match(text)
    said = text[thoughts.end() :] if thoughts else text
    yield said
    fenced = said.split(_FENCE)
    if len(fenced) == 3:
        yield fenced[1].removeprefix("json")
    yield said[max(0, said.find("{")) : said.rfind("}") + 1]


def _mismatch(value: JsonValue, schema: Mapping[str, JsonValue]) -> str | None:
    """The first complaint, without the value that it is about."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (heavy; only where a model is used)
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is None:
        return None
    place = "/".join(str(part) for part in error.absolute_path)
    wanted = json.dumps(error.validator_value, default=str)[:_TOLD]
    return f"the answer has not the asked form at '/{_plain(place)}': {error.validator} {wanted}"


def _plain(text: str) -> str:
    """Keys of an answer are the model's words: shortened, and nothing but plain characters of one line."""
    return re.sub(r"[^\w./~-]", "?", text[:_TOLD])
