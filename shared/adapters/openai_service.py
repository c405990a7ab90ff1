"""A service that speaks OpenAI's protocol, as every request to it meets it: one key, renewed once; errors in the program's own terms.

The service is an outsider: its answer is bounded in time and size, redirects are not followed, and nothing of what it says gets into an
error's text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from shared.adapters.model_key import Key
from shared.adapters.model_transport import MAX_BODY_BYTES, bounded_client
from shared.domain.errors import AccessError, AksCopilotError, CriticalError, PausedError, TransientError, ValidationError
from shared.model_settings import ModelSettings

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_PATIENCE = 20.0
"""Seconds of Retry-After that are waited for here; a longer wait goes to the caller, whose message is sent again then."""
_LONGEST_WAIT = 900.0
_JITTERED = wait_exponential_jitter(initial=1, max=10, jitter=1)
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")

Create = Callable[["OpenAI", Mapping[str, str]], Any]
"""A request by the SDK with these headers; its answer as a raw response."""


class OpenAIService:
    """One address. Safe to share between threads."""

    def __init__(
        self,
        settings: ModelSettings,
        key: Key,
        sleep: Callable[[float], None] = time.sleep,
        *,
        setting: str = "LLM_MODEL",
        max_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """`setting` is where the model's name stands; `max_bytes` is the largest answer."""
        from openai import OpenAI  # noqa: PLC0415 - the SDK is slow to import

        self._settings, self._key, self._sleep, self._setting = settings, key, sleep, setting
        http = bounded_client(settings.timeout, max_bytes)
        self._client = OpenAI(api_key="unset", base_url=settings.base_url, timeout=settings.timeout, max_retries=0, http_client=http)

    def retrying(self) -> Retrying:
        """Calls what may fail for a while as often as the settings say, with the pauses that the service asks for."""
        return Retrying(
            stop=stop_after_attempt(self._settings.tries),
            retry=retry_if_exception(_worth_waiting),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )

    def body(self, create: Create) -> bytes:
        """The answer to a request. What is wrong with the question is the SDK's APIStatusError; all else is raised as our errors."""
        key = self._key.get()
        try:
            return self._sent(create, key)
        except _KeyRefusedError:
            newer = self._key.renewed(key)
            if newer is None:
                raise
            return self._sent(create, newer)

    def _sent(self, create: Create, key: str) -> bytes:
        import openai  # noqa: PLC0415

        ours = {"Authorization": f"Bearer {key}"}  # by the request: the SDK would let OPENAI_CUSTOM_HEADERS win over its own key
        try:
            content: bytes = create(self._client, ours).http_response.content
        except openai.APIStatusError as error:
            if _about_the_question(error):
                error.__cause__ = None
                raise
            raise _translated(error, self._setting) from None
        except openai.APITimeoutError:
            raise TransientError(f"the model does not answer within {self._settings.timeout} s") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, AksCopilotError):
                raise error.__cause__ from None
            raise TransientError(f"the model does not answer ({type(error.__cause__ or error).__name__})") from None
        except openai.OpenAIError as error:
            raise ValidationError(f"the model's service gives no usable answer ({type(error).__name__})") from None
        return content


class _KeyRefusedError(AccessError):
    """The key or the identity is not taken."""


def code(error: APIStatusError) -> str:
    """The service's own word for an error, where it may stand in a log."""
    return plain(str(error.code or ""))


def named(error: APIStatusError) -> str:
    """An error as status and word."""
    return f"{error.status_code} {code(error)}".rstrip()


def plain(text: str) -> str:
    """A word of the service's that may stand in a log; anything longer or stranger is dropped."""
    return text if re.fullmatch(r"[\w.:/-]{1,60}", text, re.ASCII) else ""


def _about_the_question(error: APIStatusError) -> bool:
    """Whether another form of the question may do. The server of llama-cpp-python (0.3) says with a 500 that it does not take one."""
    return error.status_code in (400, 422) or "response_format" in error.message


def _translated(error: APIStatusError, setting: str) -> AksCopilotError:
    status, wait = error.status_code, _retry_after(error)
    if code(error) in _NO_MONEY:
        return CriticalError(f"the model's account is used up ({code(error)})")
    if status in (429, 503):
        return PausedError(f"the model's service is busy ({named(error)})", wait)
    if status in (408, 409) or status >= 500:
        return TransientError(f"the model's service fails ({named(error)})", wait)
    if status in (401, 403):
        return _KeyRefusedError(f"the model's service refuses the key or the identity ({named(error)})")
    if status == 404:
        return CriticalError(f"the model's service knows no such model or address: see LLM_BASE_URL and {setting} (404)")
    return CriticalError(f"the model's service refuses to answer: see LLM_BASE_URL ({named(error)})")


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
