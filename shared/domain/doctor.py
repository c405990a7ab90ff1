"""Looking over an installation: checks as data, one after another, each with what it needs; what is wrong comes with how to mend it.

A check whose need failed or was skipped is skipped too and says so: one cause is told once. Nothing here knows what is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import AksCopilotError
from shared.domain.pointer import JsonValue

State = Literal["ok", "failed", "skipped"]
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in one line; `mend` are commands or sentences, in the order in which to try them. Nothing in it is secret."""

    state: State
    detail: str
    mend: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; `needs` are names of checks before it."""

    name: str
    probe: Callable[[], Finding]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A check's name and what it found."""

    name: str
    finding: Finding


def ok(detail: str) -> Finding:
    """Nothing is wrong."""
    return Finding("ok", detail)


def failed(detail: str, *mend: str) -> Finding:
    """Something is wrong."""
    return Finding("failed", detail, mend)


def skipped(why: str) -> Finding:
    """There is nothing to look at, or it was not asked for."""
    return Finding("skipped", why)


def guarded(probe: Callable[[], Finding], mend: Callable[[AksCopilotError], tuple[str, ...]]) -> Finding:
    """What a probe finds, or its error in one line with the remedies."""
    try:
        return probe()
    except AksCopilotError as error:
        return failed(_line(error), *mend(error))


def examine(checks: Iterable[Check]) -> Iterator[Result]:
    """Do the checks in their order, and give each result as soon as it is there. A check that breaks has failed."""
    states: dict[str, State] = {}
    for check in checks:
        blocked = next((need for need in check.needs if states[need] != "ok"), None)
        finding = _probed(check) if blocked is None else skipped(f"needs {blocked} ({states[blocked]})")
        states[check.name] = finding.state
        yield Result(check.name, finding)


def passed(results: Sequence[Result]) -> bool:
    """Whether nothing failed."""
    return all(result.finding.state != "failed" for result in results)


def summary(results: Sequence[Result]) -> dict[State, int]:
    """How many checks are in each state."""
    states = [result.finding.state for result in results]
    return {"ok": states.count("ok"), "failed": states.count("failed"), "skipped": states.count("skipped")}


def document(results: Sequence[Result], version: str) -> dict[str, JsonValue]:
    """The results as JSON (docs/doctor.md)."""
    checks: list[JsonValue] = [
        {"name": r.name, "state": r.finding.state, "detail": r.finding.detail, "mend": list(r.finding.mend)} for r in results
    ]
    return {"schemaVersion": SCHEMA_VERSION, "version": version, "summary": {**summary(results)}, "checks": checks}


def _probed(check: Check) -> Finding:
    try:
        return check.probe()
    except AksCopilotError as error:
        return failed(_line(error))
    except Exception as error:  # noqa: BLE001 - a library's words may quote what is secret; one broken check must not hide the others
        return failed(f"internal error: {type(error).__name__}")


def _line(error: AksCopilotError) -> str:
    return " ".join(str(error).split())
