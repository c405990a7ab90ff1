"""A model for one violation of one run: known answers first, then the budget, then the service; each question leaves one line in the log.

The line has counts and never a word of the question or the answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared import logs, telemetry
from shared.domain.errors import AksCopilotError, CriticalError, PausedError, ValidationError
from shared.domain.language_model import Answer, Message, Model, Reply, ReplyingModel, estimated_tokens, read_reply
from shared.domain.pointer import JsonValue
from shared.domain.ports import BlobStore
from shared.model_settings import ModelSettings, Prices
from shared.pipeline.model_budget import Reservation, TokenBudget
from shared.pipeline.model_cache import AnswerCache, question_key


class ModelAccess:
    """The model that the settings name, with the budget and the answers of all runs."""

    def __init__(self, model: ReplyingModel, blobs: BlobStore, settings: ModelSettings, clock: Callable[[], float] = time.time) -> None:
        self._model, self.settings = model, settings
        self._cache, self._budget = AnswerCache(blobs), TokenBudget(blobs, settings.limits, clock)

    def for_violation(self, run: str, violation: str) -> Model:
        """The model as the repair of one violation sees it; `violation` is any text that names it within its run."""
        return _ModelForViolation(self, run, violation)

    def complete(self, run: str, violation: str, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        """shared.domain.language_model.Model.complete, on account of a violation."""
        key = question_key(self._model.identity, messages, schema, self.settings.answer_tokens)
        known = self._cache.get(key)
        reply = known or self._paid(key, run, violation, messages, schema)
        answer = read_reply(reply, schema)
        _told(answer, violation, self.settings.prices, cached=known is not None)
        return Answer(answer.value, answer.problem, answer.usage, answer.model, known is not None)

    def _paid(self, key: str, run: str, violation: str, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Reply:
        question = estimated_tokens(messages) + estimated_tokens([Message("system", str(schema))])
        held = self._budget.reserve(run, violation, question + self.settings.answer_tokens)
        try:
            reply = self._model.reply(messages, schema, self.settings.answer_tokens)
        except (PausedError, ValidationError, CriticalError):
            self._settle(held, 0)  # nothing was read
            raise
        except Exception:
            self._settle(held, question)  # it may have been read before the line broke
            raise
        try:
            return self._cache.put(key, reply)
        finally:
            self._settle(held, reply.usage.tokens)

    def _settle(self, held: Reservation, used: int) -> None:
        """A sum that cannot be written costs no answer: the reservation stays, which is more than was used."""
        try:
            self._budget.settle(held, used)
        except AksCopilotError as error:
            logs.failure("tokens stay reserved", error, level=logging.WARNING)


@dataclass(frozen=True, slots=True)
class _ModelForViolation:
    access: ModelAccess
    run: str
    violation: str

    def complete(self, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        return self.access.complete(self.run, self.violation, messages, schema)


def _told(answer: Answer, violation: str, prices: Prices, *, cached: bool) -> None:
    usage, price = answer.usage, prices.of(answer.usage)
    _measured(answer, price, cached=cached)
    logs.event(
        "model answered",
        violation=violation,
        model=answer.model,
        cached=cached,
        problem=answer.problem,
        promptTokens=usage.prompt_tokens,
        answerTokens=usage.completion_tokens,
        seconds=usage.seconds,
        cost=price,
    )


def _measured(answer: Answer, price: float | None, *, cached: bool) -> None:
    """Only what was paid counts as tokens and cost."""
    outcome = "cached" if cached else "unusable" if answer.problem else "answered"
    telemetry.measure(telemetry.QUESTIONS, model=answer.model, outcome=outcome)
    if not cached:
        telemetry.measure(telemetry.TOKENS, answer.usage.prompt_tokens, model=answer.model, direction="prompt")
        telemetry.measure(telemetry.TOKENS, answer.usage.completion_tokens, model=answer.model, direction="answer")
        telemetry.measure(telemetry.COST, price or 0.0, model=answer.model)
