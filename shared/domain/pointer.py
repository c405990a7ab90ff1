"""JSON Pointer (RFC 6901): split, join and look-up. Pointers here never have the leading `#` of URI fragments."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

JsonValue = Any
"""None, bool, int, float, str, list or dict with string keys."""

MISSING: Any = object()
"""What `get` returns where a pointer leads nowhere; compare with `is`."""


def escape(token: str) -> str:
    """One key as it stands inside a pointer."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


@functools.lru_cache(maxsize=16384)
def split(pointer: str) -> tuple[str, ...]:
    """The unescaped tokens; () for the whole document. Raises ValueError where the pointer does not start with '/'."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"not a JSON Pointer: {pointer!r}")
    tokens = pointer[1:].split("/")
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in tokens) if "~" in pointer else tuple(tokens)


def join(tokens: Iterable[str | int]) -> str:
    """The pointer of these unescaped tokens."""
    return "".join(["/" + escape(str(t)) for t in tokens])


def child(pointer: str, *tokens: str | int) -> str:
    """A pointer below another."""
    return pointer + join(tokens)


def parent(pointer: str) -> str:
    """The pointer without its last token; "" for the top."""
    return pointer.rpartition("/")[0]


def get(value: JsonValue, pointer: str) -> JsonValue:
    """What stands at a pointer, or MISSING."""
    return at(value, split(pointer))


def at(value: JsonValue, tokens: Iterable[str]) -> JsonValue:
    """What stands at unescaped tokens, or MISSING."""
    for token in tokens:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
    return value


def nearest(value: JsonValue, pointer: str) -> str:
    """The longest prefix of a pointer that exists in a value."""
    while get(value, pointer) is MISSING:
        pointer = parent(pointer)
    return pointer
