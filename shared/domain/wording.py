"""Reasons of converters and fixes are said after a colon or inside a line; here they become sentences of their own."""

from __future__ import annotations

import re

_PLAIN_WORD = re.compile(r"[a-z]+(?:'s)? ")
"""Names of hosts, fields, annotations and programs hold a dot, a slash, a hyphen or a capital; they stay as they are written."""


def sentence(text: str) -> str:
    """The text with a capital where it begins with a plain word, and a full stop where it has no end."""
    start = text[:1].upper() if _PLAIN_WORD.match(text) else text[:1]
    return f"{start}{text[1:]}{'' if not text or text.endswith(('.', '?', '!', ')')) else '.'}"
