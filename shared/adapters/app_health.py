"""Asking a function app how it is (`GET /api/health`), for `aks-copilot doctor`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import IO
from urllib.parse import urlsplit

from shared.domain.errors import CriticalError, TransientError, ValidationError

_SECONDS = 15  # a cold start may take some of them
_MAX_BYTES = 16 * 1024
_TOLD = 200  # characters


def base_of(url: str) -> str:
    """An app's address without a route. Raises ValidationError where it is none."""
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and bool(split.hostname) and not (split.username or split.query or split.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise ValidationError("--url must start with https:// (or http:// for a local app), and hold no login, query or fragment")
    return url.rstrip("/").removesuffix("/api/runs").removesuffix("/api/health")


def health(base: str) -> dict[str, str]:
    """What the app says of its parts: "ok", or one line. Raises TransientError or CriticalError where no app of ours answers."""
    try:
        with urllib.request.urlopen(f"{base}/api/health", timeout=_SECONDS) as answer:  # noqa: S310 - see base_of
            return _parts(answer)
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return _parts(error)
        raise CriticalError(f"the app answers {error.code} to /api/health") from None
    except OSError as error:
        raise TransientError(f"the app does not answer ({type(getattr(error, 'reason', error)).__name__})") from None


def _parts(answer: IO[bytes]) -> dict[str, str]:
    try:
        said = json.loads(answer.read(_MAX_BYTES))
    except ValueError:
        said = None
    if not isinstance(said, Mapping):
        raise CriticalError("what answers at /api/health is not aks-copilot")
    return {_printable(name): _printable(said[name]) for name in said}


def _printable(text: object) -> str:
    return "".join(c if c.isprintable() else " " for c in str(text))[:_TOLD]
