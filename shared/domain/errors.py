"""Errors that decide what happens next.

    AksCopilotError
    ├─ TransientError(retry_after)   raise: the host retries; a known longer wait is re-sent with a visibility delay
    │  ├─ PausedError                certainly not done: fit for what must be done once
    │  └─ BusyError                  another message is at the same thing: waited for, and no error of the run
    ├─ ValidationError               the input is at fault: recorded on the run, normal return
    │  ├─ EditRefused                the text editor will not make this change
    │  └─ ProofFailed                a change was made in memory and did not prove out; original kept
    └─ CriticalError                 the program or its configuration is at fault: poison queue, run failed, replayable
       └─ AccessError                an outsider does not take our credentials, or they do not allow this

Anything else that escapes a stage is a bug and is treated as transient: retried, then poisoned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing this module must stay cheap: triggers do it at a cold start
    from pydantic import ValidationError as SchemaError

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 900.0  # seconds


class AksCopilotError(Exception):
    """Base of all errors of the program. `str(error)` is one line fit for a user and holds no secret."""


class TransientError(AksCopilotError):
    """The outside world is at fault for a while; `retry_after` is a known wait in seconds, else None."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PausedError(TransientError):
    """The other side asks for a pause: what was asked of it was certainly not done."""


class BusyError(TransientError):
    """Another message is at the same thing right now. Nothing is wrong, so nothing is recorded on the run."""


def patient(error: TransientError, attempt: int) -> TransientError:
    """The error with a wait that grows from try to try, where it names none: an outsider's outage may outlast the host's tries."""
    wait = error.retry_after or min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 30))
    return type(error)(str(error), wait)


class ValidationError(AksCopilotError):
    """The input cannot be used as it is; trying again changes nothing."""


class CriticalError(AksCopilotError):
    """The program, its configuration or its stored state is wrong; a person must act, then replay."""


class AccessError(CriticalError):
    """A service does not take what we show it, or it does not allow what we ask. `code` is the service's word for it, where it has one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class EditRefused(ValidationError):  # noqa: N818 (a verdict, as DESIGN 2 names it)
    """An edit that cannot be made without touching other text. `operation` is its index, where one is at fault."""

    def __init__(self, message: str, operation: int | None = None) -> None:
        super().__init__(message)
        self.operation = operation


class ProofFailed(ValidationError):  # noqa: N818 (a verdict)
    """A proof of DESIGN 6.2 did not hold for an edited file."""


def first_problem(error: SchemaError, whole: str = "file") -> str:
    """pydantic's first complaint as `place: what`, where `whole` names the place of the whole; never quotes a value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(p) for p in first['loc']) or whole}: {first['msg'].removeprefix('Value error, ')}"
