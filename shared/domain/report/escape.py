"""Text from manifests inside Markdown: shown as it is, never taken as markup."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&!])")


def inline(text: str) -> str:
    """Text for the middle of a line: one line, markup escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Text as inline code, with a fence longer than any run of back-ticks in it."""
    flat = " ".join(text.split())
    fence = "`" * (_longest_run(flat) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def code_block(text: str, language: str) -> list[str]:
    """Lines of a fenced block that its text cannot close."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return [f"{fence}{language}", *text.rstrip("\n").split("\n"), fence]


def link(text: str, url: str) -> str:
    """A link; what cannot stand inside a link target is percent-encoded."""
    return f"[{inline(text)}](<{url.replace('<', '%3C').replace('>', '%3E').replace(' ', '%20')}>)"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
