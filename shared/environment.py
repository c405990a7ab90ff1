"""Reading settings from the environment: what is wrong is told by the setting's name, never with its value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from shared.domain.errors import CriticalError

Environment = Mapping[str, str]
Problem = Callable[[str], None]
"""Takes one line about what is wrong; all of them are told at once."""
NumberSetting = tuple[str, str, int, int]
"""Its name, the field it is for, the smallest and the largest value."""


class SettingsError(CriticalError):
    """Settings are missing or wrong. `problems` has a line for each, which begins with the setting's name and holds no value."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings: " + "; ".join(self.problems))


def text(env: Environment, name: str) -> str:
    """A setting without the space around it; empty where it is not set."""
    return env.get(name, "").strip()


def choice(env: Environment, name: str, choices: tuple[str, ...], usual: str, problem: Problem) -> str:
    """One of `choices`; `usual` where nothing is set."""
    given = text(env, name) or usual
    if given not in choices:
        problem(f"{name} must be {', '.join(choices[:-1])} or {choices[-1]}")
    return given


def numbers(env: Environment, wanted: Iterable[NumberSetting], problem: Problem) -> dict[str, int]:
    """Field to whole number, for the settings that are set."""
    found = {field: _number(env, name, low, high, problem) for name, field, low, high in wanted if text(env, name)}
    return {field: value for field, value in found.items() if value is not None}


def _number(env: Environment, name: str, low: int, high: int, problem: Problem) -> int | None:
    given = text(env, name)
    if not given.isascii() or not given.isdigit() or not low <= int(given) <= high:
        problem(f"{name} must be a whole number from {low} to {high}")
        return None
    return int(given)
