"""Forms of one question: services that speak OpenAI's protocol differ in what they take, and say so with a 400.

The newest form binds the answer to the schema word by word; the oldest asks for it in words. The answer is checked all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.language_model import Message
from shared.domain.pointer import JsonValue

_FORMS = ("strict schema", "schema", "object of the schema", "object", "words")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the service is believed to take."""

    form: int = 0
    tokens: str = "max_tokens"
    temperature: bool = True

    def parameters(self, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> dict[str, Any]:
        """The question as keyword arguments of the SDK, without the model."""
        form = _FORMS[self.form]
        said = [{"role": m.role, "content": m.content} for m in messages]
        if form not in ("strict schema", "schema"):
            said.insert(1, {"role": "system", "content": _in_words(schema)})
        asked: dict[str, Any] = {"messages": said, self.tokens: max_tokens}
        if self.temperature:
            asked["temperature"] = 0
        if form == "object of the schema":  # llama.cpp's word for it
            asked["response_format"] = {"type": "json_object", "schema": schema}
        elif form == "object":
            asked["response_format"] = {"type": "json_object"}
        elif form != "words":
            bound = {"name": "answer", "schema": schema, "strict": form == "strict schema"}
            asked["response_format"] = {"type": "json_schema", "json_schema": bound}
        return asked

    def simpler(self, complaint: str) -> Dialect | None:
        """The form to try after a complaint (untrusted text, looked at for parameter names only); None where there is none left."""
        if self.temperature and "temperature" in complaint:
            return replace(self, temperature=False)
        if self.tokens == "max_tokens" and "max_tokens" in complaint:
            return replace(self, tokens="max_completion_tokens")
        return replace(self, form=self.form + 1) if self.form + 1 < len(_FORMS) else None


def _in_words(schema: Mapping[str, JsonValue]) -> str:
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return f"Answer with one JSON object and nothing else: no prose, no Markdown. It must hold this JSON Schema:\n{text}"
