"""The real adapter, asked one small question of a scripted server, without its pauses."""

from __future__ import annotations

from typing import Any

from model_server import ModelServer, says

from shared.adapters.model_key import Key, NoKey
from shared.adapters.openai_model import OpenAIModel
from shared.domain.language_model import Message
from shared.model_settings import ModelSettings

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}
QUESTION = [Message("system", "You answer."), Message("user", "How many?")]
GOOD = says({"answer": 42})


def model(there: ModelServer, key: Key | None = None, naps: list[float] | None = None, **settings: Any) -> OpenAIModel:
    chosen = ModelSettings("suggest", there.url, "small", **{"timeout": 5, **settings})
    return OpenAIModel(chosen, key or NoKey(), sleep=(naps if naps is not None else []).append)


def ask(there: ModelServer, **settings: Any) -> Any:
    return model(there, **settings).reply(QUESTION, SCHEMA, 300)
