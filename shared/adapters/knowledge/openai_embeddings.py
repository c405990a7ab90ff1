"""Embeddings of a deployment that speaks OpenAI's protocol, as an Embedder; the service and its key are the language model's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import numpy as np
from pydantic import BaseModel, Field, FiniteFloat
from pydantic import ValidationError as SchemaError

from shared import logs
from shared.adapters.model_key import Key
from shared.adapters.openai_service import OpenAIService, named
from shared.domain.errors import CriticalError, ValidationError
from shared.domain.retrieval.ports import Vectors
from shared.model_settings import ModelSettings

BATCH = 32
"""Texts of one request."""
MAX_BYTES = 8000
"""Of one text: a token is a byte at least, and models take 8191 tokens."""
_MAX_BODY = 16 * 1024 * 1024


class _Row(BaseModel):
    index: int
    embedding: list[FiniteFloat]


class _Spent(BaseModel):
    total_tokens: Annotated[int, Field(ge=0)] = 0


class _Answer(BaseModel):
    data: list[_Row]
    usage: _Spent = _Spent()


class OpenAIEmbedder:
    """One deployment. Safe to share between threads."""

    def __init__(self, settings: ModelSettings, key: Key, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._service = OpenAIService(settings, key, sleep, setting="LLM_EMBEDDING_MODEL", max_bytes=_MAX_BODY)
        self.dimensions = settings.embedding_dimensions
        self.name = f"{settings.base_url} {settings.embedding_model} {self.dimensions}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; a row of zeros for a blank one. Raises TransientError or CriticalError."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        asked = [place for place, text in enumerate(texts) if text.strip()]
        for start in range(0, len(asked), BATCH):
            places = asked[start : start + BATCH]
            rows[places] = self._service.retrying()(self._batch, [_cut(texts[place]) for place in places])
        return rows

    def _batch(self, texts: list[str]) -> Vectors:
        from openai import BadRequestError, UnprocessableEntityError  # noqa: PLC0415 - the SDK is slow to import

        model = self._settings.embedding_model
        try:
            body = self._service.body(
                lambda client, headers: client.embeddings.with_raw_response.create(
                    model=model, input=texts, encoding_format="float", extra_headers=dict(headers)
                )
            )
        except (BadRequestError, UnprocessableEntityError) as error:
            raise CriticalError(f"the embedding service does not take the texts: see LLM_EMBEDDING_MODEL ({named(error)})") from None
        except ValidationError as error:
            raise CriticalError(str(error)) from None
        return self._read(body, len(texts))

    def _read(self, body: bytes, count: int) -> Vectors:
        try:
            answer = _Answer.model_validate_json(body)
        except SchemaError:
            raise CriticalError("the embedding service answers something that holds no embeddings") from None
        found = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in found] != list(range(count)):
            raise CriticalError("the embedding service answers for other texts than it was asked for")
        if wrong := next((len(row.embedding) for row in found if len(row.embedding) != self.dimensions), None):
            raise CriticalError(f"the embedding model gives vectors of {wrong} numbers: see LLM_EMBEDDING_DIMENSIONS")
        logs.event("embedded", texts=count, tokens=answer.usage.total_tokens)
        rows = np.array([row.embedding for row in found], dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return cast(Vectors, rows / np.where(lengths > 0, lengths, 1))


def _cut(text: str) -> str:
    return text.encode(errors="replace")[:MAX_BYTES].decode(errors="ignore")
