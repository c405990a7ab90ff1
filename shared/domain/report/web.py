"""Text from manifests inside report.html: shown, never run. The browser gets a policy that forbids whatever would still slip through."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from markupsafe import Markup

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters but tab and newline, invisible and direction-changing ones (https://trojansource.codes), halves of surrogate pairs."""
_LINK = re.compile(r"https?://[^\s\x00-\x20]+", re.IGNORECASE)
_INLINE = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)
_SOURCES = {b"style": "style-src", b"script": "script-src"}


def visible(value: Any) -> Any:
    """A template's value with invisible characters named (`<U+202E>`); what is markup already stays."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _CONTROL.sub(lambda found: f"<U+{ord(found[0]):04X}>", value)
    return value


def web_links(links: tuple[str, ...]) -> list[str]:
    """The links that lead to a web page; a team's own rules may hold anything, `javascript:` too."""
    return [link for link in links if _LINK.fullmatch(link)]


def security_policy(page: bytes) -> str:
    """The Content-Security-Policy of a report.html: its own style and script by digest, no network, no forms, no frames.

    Both stand in the page's head, before any text of a manifest; what comes after them is allowed nothing. Read from the page, so that
    reports of older versions are still shown.
    """
    head = page.partition(b"</head>")[0]
    allowed = [f"{_SOURCES[kind]} '{_digest(text)}'" for kind, text in _INLINE.findall(head)]
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])


def _digest(text: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text).digest()).decode()
