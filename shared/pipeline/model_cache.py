"""Answers that were given already, by the content of their question: a replay costs nothing and gives the same result.

Every reply is kept, a useless one too: otherwise a replay would ask again and could end otherwise. The question itself is not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pydantic import TypeAdapter
from pydantic import ValidationError as SchemaError

from shared.domain.language_model import Message, Reply
from shared.domain.pointer import JsonValue
from shared.domain.ports import BlobStore
from shared.pipeline import names

_MAX_BYTES = 8 * 1024 * 1024
_FORM = 1
"""Part of every key: raised where the same question would have to be asked anew."""
_REPLY = TypeAdapter(Reply)


def question_key(identity: str, messages: Sequence[Message], schema: Mapping[str, JsonValue], max_tokens: int) -> str:
    """The SHA-256 of everything that an answer depends on, in hexadecimal."""
    whole = [_FORM, identity, [asdict(m) for m in messages], schema, max_tokens]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


class AnswerCache:
    """Replies in the container `cache`; the first one to a question counts for ever."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def get(self, key: str) -> Reply | None:
        """The reply to a question; None where there is none (or what is kept cannot be read)."""
        found = self._blobs.read(names.CACHE, names.model_answer(key), max_bytes=_MAX_BYTES)
        try:
            return _REPLY.validate_json(found[0]) if found else None
        except SchemaError:
            return None

    def put(self, key: str, reply: Reply) -> Reply:
        """Keep a reply; the one that counts, which is another's where that came first."""
        data = _REPLY.dump_json(reply)
        if self._blobs.write(names.CACHE, names.model_answer(key), data, if_absent=True):
            return reply
        earlier = self.get(key)
        if earlier is None:  # unreadable: ours takes its place
            self._blobs.write(names.CACHE, names.model_answer(key), data)
        return earlier or reply
