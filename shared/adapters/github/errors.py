"""GitHub's errors as ours: what to wait for, what the repository's owner must mend, what the program's owner must mend.

Rate limits: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api (read 2026-11). No text of a request and no
header value but the names of missing permissions gets into a message.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from github import BadAttributeException, GithubException, IncompletableObject

from shared.domain.code_host import NotFoundError
from shared.domain.errors import AksCopilotError, CriticalError, PausedError, TransientError, ValidationError

UNREADABLE = (BadAttributeException, IncompletableObject)
"""PyGithub's own errors on an answer that is not GitHub's."""
_LIMITED = ("rate limit", "abuse detection", "please wait a few minutes", "retry your request again later")
_SECONDARY_WAIT = 60.0  # GitHub: "wait for at least one minute before retrying"
_QUOTED = 200


class RefusedError(Exception):
    """GitHub does not accept the credentials (401), or they do not allow this (403); `reason` is one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def translated(what: str, clock: Callable[[], float]) -> Iterator[None]:
    """Raise ours for what the client library raises while doing `what` ("read a tree of owner/name"); ours pass as they are."""
    try:
        yield
    except (AksCopilotError, RefusedError):
        raise
    except Exception as error:  # noqa: BLE001 - the library's errors carry requests and headers; none may pass
        raise _ours(error, what, clock()) from None


def _ours(error: Exception, what: str, now: float) -> AksCopilotError | RefusedError:
    if isinstance(error, GithubException) and not isinstance(error, UNREADABLE):
        return _status(error, what, now)
    if isinstance(error, requests.RequestException):
        return TransientError(f"GitHub does not answer ({type(error).__name__}): cannot {what}")
    if isinstance(error, (RuntimeError, AssertionError)):  # PyGithub's words for a redirect or a link to another host
        return CriticalError(f"GitHub redirects elsewhere; check GITHUB_API_URL: cannot {what}")
    return TransientError(f"GitHub's answer cannot be read ({type(error).__name__}): cannot {what}")


def _status(error: GithubException, what: str, now: float) -> AksCopilotError | RefusedError:
    status = error.status or 0
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    message = _message(error.data)
    if status in (403, 429) and (status == 429 or _limited(headers, message)):
        return PausedError(f"GitHub asks for a pause ({status}): cannot {what}", _pause(headers, now))
    if status in (401, 403):
        return RefusedError(f"GitHub refuses ({status}){_missing(headers)}: cannot {what}")
    if status >= 500 or status == 408:
        return TransientError(f"GitHub is not available ({status}): cannot {what}", _seconds(headers.get("retry-after")))
    if status in (404, 410, 451):
        return NotFoundError(f"not found on GitHub, or not visible to the program ({status}): cannot {what}")
    return ValidationError(f"GitHub rejects the request ({status}{f', {message}' if message else ''}): cannot {what}")


def _limited(headers: Mapping[str, str], message: str) -> bool:
    spent = headers.get("x-ratelimit-remaining") == "0"
    return spent or "retry-after" in headers or any(words in message.lower() for words in _LIMITED)


def _pause(headers: Mapping[str, str], now: float) -> float:
    """Retry-After, else until the primary limit is renewed, else a minute; a second more, since GitHub's clock is not ours."""
    asked = _seconds(headers.get("retry-after"))
    if asked is not None:
        return asked + 1
    reset = _seconds(headers.get("x-ratelimit-reset"))
    if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(1.0, reset - now + 1)
    return _SECONDARY_WAIT


def _seconds(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,10}", text) else None


def _message(data: Any) -> str:
    """GitHub's own words, on one line and not long."""
    text = data.get("message") if isinstance(data, dict) else None
    return "".join(c if c.isprintable() else " " for c in text)[:_QUOTED].strip(" .") if isinstance(text, str) else ""


def _missing(headers: Mapping[str, str]) -> str:
    """The permissions that GitHub says would do (`contents=write`), in a header of its own."""
    named = re.sub(r"[^a-z_=,; ]", "", headers.get("x-accepted-github-permissions", ""))[:_QUOTED].strip()
    return f"; it wants the permissions {named}" if named else ""
