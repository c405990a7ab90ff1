"""What a model may answer: one closed JSON object, parsed strictly. It is data: nothing of it is ever run or looked up.

`value` is JSON in a string, since the strict mode of structured outputs knows no free-form values; so it has one meaning whatever the
service makes of it. Sizes are checked here and not in the schema: services differ in what they take of one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.advice import Draft
from shared.domain.convert.base import Op
from shared.domain.errors import ValidationError
from shared.domain.llm.closed import Closed, fitted
from shared.domain.pointer import MISSING, JsonValue
from shared.domain.strict_json import parse_strictly

MAX_OPERATIONS = 10
MAX_VALUE_BYTES = 8 * 1024
MAX_DEPTH = 12
MAX_PATH = 512
MAX_TEXT = 600
"""Characters of a text for people, and of a drafted Decision."""

_ADDRESS = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+")


class _Operation(Closed):
    op: Literal["add", "replace", "remove"]
    path: str
    value: str | None


class _Decision(Closed):
    key: str
    value: str


class _Answer(Closed):
    operations: list[_Operation]
    decision: _Decision | None
    explanation: str
    sources: list[str]


ANSWER_SCHEMA: dict[str, Any] = _Answer.model_json_schema()
"""The JSON schema given to the model: every object closed, every field required."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parsed answer, placeholders still in it. Pointers are inside the violation's object."""

    operations: tuple[Op, ...]
    draft: Draft | None
    explanation: str
    sources: tuple[str, ...]


def parse(data: JsonValue) -> Candidate:
    """The answer of a model's parsed JSON. Raises ValidationError, whose text quotes nothing of it."""
    answer = fitted(_Answer, data)
    if len(answer.operations) > MAX_OPERATIONS:
        raise ValidationError(f"The answer has {len(answer.operations)} operations; at most {MAX_OPERATIONS} are allowed.")
    if len(answer.sources) > MAX_OPERATIONS or any(len(s) > MAX_PATH for s in answer.sources):
        raise ValidationError("The answer names too many sources.")
    operations = tuple(_operation(o, n) for n, o in enumerate(answer.operations, start=1))
    draft = Draft(answer.decision.key, answer.decision.value) if answer.decision else None
    return Candidate(operations, draft, _shown(answer.explanation), tuple(dict.fromkeys(answer.sources)))


def _operation(given: _Operation, number: int) -> Op:
    if len(given.path) > MAX_PATH or unprintable(given.path):
        raise ValidationError(f"Operation {number}: its path is no JSON Pointer to a field.")
    if given.op == "remove":
        if given.value is not None:
            raise ValidationError(f"Operation {number}: remove takes no value.")
        return Op("remove", given.path, MISSING)
    if given.value is None:
        raise ValidationError(f"Operation {number}: {given.op} needs a value.")
    if len(given.value.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
        raise ValidationError(f"Operation {number}: its value is over {MAX_VALUE_BYTES} bytes.")
    return Op(given.op, given.path, _value(given.value, number))


def _value(text: str, number: int) -> JsonValue:
    try:
        value = parse_strictly(text)
    except ValueError as error:
        raise ValidationError(f"Operation {number}: its value is not plain JSON.") from error
    if not _plain(value, MAX_DEPTH):
        raise ValidationError(f"Operation {number}: its value is nested too deeply or holds characters or numbers that no manifest needs.")
    return value


def _plain(value: JsonValue, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, str):
        return not unprintable(value)
    if isinstance(value, list):
        return all(_plain(v, depth - 1) for v in value)
    if isinstance(value, dict):
        return all(not unprintable(k) and _plain(v, depth - 1) for k, v in value.items())
    return not isinstance(value, (int, float)) or abs(value) < 2**63


def unprintable(text: str) -> bool:
    """Whether a text holds characters that hide or reorder others or end a line (controls, bidirectional marks, zero widths...)."""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and c not in "\n\t" for c in text)


def _shown(text: str) -> str:
    """A model's words for people: one line, printable, cut, and no address that a reader might follow."""
    text = _ADDRESS.sub("(address)", text)
    line = " ".join("".join(" " if unprintable(c) else c for c in text).split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"
