"""A language model behind its port, by the openai package: Azure OpenAI (its v1 API) or anything that speaks the same protocol.

Azure: https://learn.microsoft.com/en-us/azure/developer/ai/how-to/switching-endpoints (read 2026-11).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field
from pydantic import ValidationError as SchemaError

from shared.adapters.model_key import Key
from shared.adapters.openai_dialect import Dialect
from shared.adapters.openai_service import OpenAIService, code, named, plain
from shared.domain.errors import CriticalError, PausedError, TransientError, ValidationError
from shared.domain.language_model import Message, Reply, Usage, estimated_tokens
from shared.domain.pointer import JsonValue
from shared.model_settings import ModelSettings

if TYPE_CHECKING:
    from openai import APIStatusError

_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_DECLINED = ("content_filter", "content_policy_violation")


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


_Count = Annotated[int, Field(ge=0, le=10**8)]


class _Spent(BaseModel):
    prompt_tokens: _Count
    completion_tokens: _Count


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Spent | None = None
    model: str | None = None


class OpenAIModel:
    """One deployment. Safe to share between threads; at most `concurrency` of them ask at once."""

    def __init__(self, settings: ModelSettings, key: Key, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._service = OpenAIService(settings, key, sleep)
        self._dialects: dict[str, Dialect] = {}

    @property
    def identity(self) -> str:
        return f"{self._settings.base_url} {self._settings.model} temperature=0"

    def reply(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        return self._service.retrying()(self._in_turn, messages, schema, max_tokens)

    def _in_turn(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        if not self._slots.acquire(timeout=self._settings.timeout):
            raise PausedError("the model is busy with other questions of this instance")
        try:
            return self._understood(messages, schema, max_tokens)
        finally:
            self._slots.release()

    def _understood(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        """Ask in the newest form of the protocol, and in older ones until the service takes it."""
        from openai import APIStatusError  # noqa: PLC0415

        form = json.dumps(schema, sort_keys=True)
        dialect = self._dialects.get(form, Dialect())
        while True:
            try:
                reply = self._asked(messages, dialect.parameters(messages, schema, max_tokens))
            except APIStatusError as error:
                simpler = None if _final(error) else dialect.simpler(f"{error.param} {error.message}")
                if simpler is None:
                    return self._declined(error)
                dialect = simpler
            else:
                self._dialects[form] = dialect
                return reply

    def _declined(self, error: APIStatusError) -> Reply:
        """A filter's verdict is an answer; anything else that is wrong with a question is an error."""
        if code(error) in _DECLINED:
            return Reply("", "content_filter", True, Usage(), self._settings.model)
        if _too_long(error):
            raise ValidationError("the question is too long for the model") from None
        raise ValidationError(f"the model's service does not take the question ({named(error)})") from None

    def _asked(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        started = time.monotonic()
        text = self._service.body(
            lambda client, headers: client.chat.completions.with_raw_response.create(
                model=self._settings.model, extra_headers=headers, **parameters
            )
        )
        return _read(text, messages, self._settings.model, time.monotonic() - started)


def _read(body: bytes, messages: Sequence[Message], asked: str, seconds: float) -> Reply:
    try:
        found = _Completion.model_validate_json(body)
    except SchemaError:
        if _cut_off(body):
            raise TransientError("the model's answer was cut off on its way") from None
        if not body.lstrip().startswith((b"{", b"[")):
            raise CriticalError("what answers at LLM_BASE_URL does not speak the protocol (no JSON, or a stream)") from None
        raise ValidationError("the model's service answers something that is no chat completion") from None
    said, finish = found.choices[0].message, found.choices[0].finish_reason or ""
    text = said.content or ""
    spent = found.usage or _Spent(prompt_tokens=estimated_tokens(messages), completion_tokens=len(text.encode(errors="replace")) // 3)
    usage = Usage(spent.prompt_tokens, spent.completion_tokens, round(seconds, 3))
    return Reply(text, finish, bool(said.refusal), usage, plain(found.model or "") or asked)


def _cut_off(body: bytes) -> bool:
    """Whether a body is the beginning of JSON and no more; pydantic takes surrogates and deep nesting for that too, which no try mends."""
    try:
        json.loads(body)
    except RecursionError:
        return False
    except ValueError:
        return body.lstrip()[:1] in (b"", b"{")
    else:
        return False


def _too_long(error: APIStatusError) -> bool:
    return code(error) in _TOO_LONG or "context length" in error.message.lower()


def _final(error: APIStatusError) -> bool:
    return _too_long(error) or code(error) in _DECLINED
