"""A language model behind its port, by the openai package: Azure OpenAI (its v1 API) or anything that speaks the same protocol.

Azure: https://learn.microsoft.com/en-us/azure/developer/ai/how-to/switching-endpoints (read 2026-11). The service is an outsider: its
answer is bounded in time and size, redirects are not followed, and nothing of what it says gets into an error's text.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field
from pydantic import ValidationError as SchemaError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from shared.adapters.model_key import Key
from shared.adapters.model_transport import bounded_client
from shared.adapters.openai_dialect import Dialect
from shared.domain.errors import AksCopilotError, CriticalError, PausedError, TransientError, ValidationError
from shared.domain.language_model import Message, Reply, Usage, estimated_tokens
from shared.domain.pointer import JsonValue
from shared.model_settings import ModelSettings

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_PATIENCE = 20.0
"""Seconds of Retry-After that are waited for here; a longer wait goes to the caller, whose message is sent again then."""
_LONGEST_WAIT = 900.0
_JITTERED = wait_exponential_jitter(initial=1, max=10, jitter=1)
_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_DECLINED = ("content_filter", "content_policy_violation")
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")


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
        self._settings, self._key, self._sleep = settings, key, sleep
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._client = _client(settings)
        self._dialects: dict[str, Dialect] = {}

    @property
    def identity(self) -> str:
        return f"{self._settings.base_url} {self._settings.model} temperature=0"

    def reply(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        retrying = Retrying(
            stop=stop_after_attempt(self._settings.tries),
            retry=retry_if_exception(_worth_waiting),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._in_turn, messages, schema, max_tokens)

    def _in_turn(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        if not self._slots.acquire(timeout=self._settings.timeout):
            raise PausedError("the model is busy with other questions of this instance")
        try:
            return self._understood(messages, schema, max_tokens)
        finally:
            self._slots.release()

    def _understood(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> Reply:
        """Ask in the newest form of the protocol, and in older ones until the service takes it."""
        from openai import BadRequestError, UnprocessableEntityError  # noqa: PLC0415 - the SDK is slow to import

        form = json.dumps(schema, sort_keys=True)
        dialect = self._dialects.get(form, Dialect())
        while True:
            try:
                reply = self._asked(messages, dialect.parameters(messages, schema, max_tokens))
            except (BadRequestError, UnprocessableEntityError) as error:
                simpler = None if _final(error) else dialect.simpler(f"{error.param} {error.message}")
                if simpler is None:
                    return self._declined(error)
                dialect = simpler
            else:
                self._dialects[form] = dialect
                return reply

    def _declined(self, error: APIStatusError) -> Reply:
        """A filter's verdict is an answer; anything else that is wrong with a question is an error."""
        if _code(error) in _DECLINED:
            return Reply("", "content_filter", True, Usage(), self._settings.model)
        if _too_long(error):
            raise ValidationError("the question is too long for the model") from None
        raise ValidationError(f"the model's service does not take the question ({_named(error)})") from None

    def _asked(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        started, key = time.monotonic(), self._key.get()
        try:
            text = self._sent(parameters, key)
        except _KeyRefusedError:
            newer = self._key.renewed(key)
            if newer is None:
                raise
            text = self._sent(parameters, newer)
        return _read(text, messages, self._settings.model, time.monotonic() - started)

    def _sent(self, parameters: Mapping[str, Any], key: str) -> bytes:
        import openai  # noqa: PLC0415

        create = self._client.chat.completions.with_raw_response.create
        ours = {"Authorization": f"Bearer {key}"}  # by the request: the SDK would let OPENAI_CUSTOM_HEADERS win over its own key
        try:
            return create(model=self._settings.model, extra_headers=ours, **parameters).http_response.content
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            error.__cause__ = None
            raise
        except openai.APIStatusError as error:
            raise _translated(error) from None
        except openai.APITimeoutError:
            raise TransientError(f"the model does not answer within {self._settings.timeout} s") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, AksCopilotError):
                raise error.__cause__ from None
            raise TransientError(f"the model does not answer ({type(error.__cause__ or error).__name__})") from None
        except openai.OpenAIError as error:
            raise ValidationError(f"the model's service gives no usable answer ({type(error).__name__})") from None


class _KeyRefusedError(CriticalError):
    """The key or the identity is not taken."""


def _client(settings: ModelSettings) -> OpenAI:
    from openai import OpenAI  # noqa: PLC0415

    http = bounded_client(settings.timeout)
    return OpenAI(api_key="unset", base_url=settings.base_url, timeout=settings.timeout, max_retries=0, http_client=http)


def _read(body: bytes, messages: Sequence[Message], asked: str, seconds: float) -> Reply:
    try:
        found = _Completion.model_validate_json(body)
    except SchemaError:
        if _cut_off(body):
            raise TransientError("the model's answer was cut off on its way") from None
        raise ValidationError("the model's service answers something that is no chat completion") from None
    said, finish = found.choices[0].message, found.choices[0].finish_reason or ""
    text = said.content or ""
    spent = found.usage or _Spent(prompt_tokens=estimated_tokens(messages), completion_tokens=len(text.encode(errors="replace")) // 3)
    usage = Usage(spent.prompt_tokens, spent.completion_tokens, round(seconds, 3))
    return Reply(text, finish, bool(said.refusal), usage, _plain(found.model or "") or asked)


def _cut_off(body: bytes) -> bool:
    """Whether a body is no JSON at all; pydantic also takes lone surrogates and deep nesting for that, which no second try mends."""
    try:
        json.loads(body)
    except RecursionError:
        return False
    except ValueError:
        return True
    else:
        return False


def _translated(error: APIStatusError) -> AksCopilotError:
    status, code, wait = error.status_code, _code(error), _retry_after(error)
    if code in _NO_MONEY:
        return CriticalError(f"the model's account is used up ({code})")
    if status in (429, 503):
        return PausedError(f"the model's service is busy ({_named(error)})", wait)
    if status in (408, 409) or status >= 500:
        return TransientError(f"the model's service fails ({_named(error)})", wait)
    if status in (401, 403):
        return _KeyRefusedError(f"the model's service refuses the key or the identity ({_named(error)})")
    if status == 404:
        return CriticalError("the model's service knows no such model or address: see LLM_BASE_URL and LLM_MODEL (404)")
    return CriticalError(f"the model's service refuses to answer: see LLM_BASE_URL ({_named(error)})")


def _too_long(error: APIStatusError) -> bool:
    return _code(error) in _TOO_LONG or "context length" in error.message.lower()


def _final(error: APIStatusError) -> bool:
    return _too_long(error) or _code(error) in _DECLINED


def _code(error: APIStatusError) -> str:
    return _plain(str(error.code or ""))


def _named(error: APIStatusError) -> str:
    return f"{error.status_code} {_code(error)}".rstrip()


def _plain(text: str) -> str:
    """A word of the service's that may stand in a log; anything longer or stranger is dropped."""
    return text if re.fullmatch(r"[\w.:/-]{1,60}", text, re.ASCII) else ""


def _retry_after(error: APIStatusError) -> float | None:
    for header, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = error.response.headers.get(header, "")
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            return min(_LONGEST_WAIT, float(text) / unit)
    return None


def _worth_waiting(error: BaseException) -> bool:
    return isinstance(error, TransientError) and (error.retry_after or 0) <= _PATIENCE


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TransientError) else None
    return _JITTERED(state) if asked is None else asked + _JITTERED(state) / 10
