"""All settings of an installation as one value. What is missing or wrong in any part is told at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.environment import Environment, SettingsError
from shared.model_settings import ModelSettings, load_model_settings
from shared.settings import Settings, load_settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an installation runs by: the app with its storage, its secrets and outsiders, and the language model."""

    app: Settings
    model: ModelSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """As much as can be used; None for a part with a problem. Each problem is one line that begins with the setting's name."""

    app: Settings | None
    model: ModelSettings | None
    problems: tuple[str, ...]


def read_parts(environment: Environment | None = None) -> Parts:
    """Read every part by itself, so that a mistake in one hides none in another."""
    env = os.environ if environment is None else environment
    problems: list[str] = []
    return Parts(_read(load_settings, env, problems), _read(load_model_settings, env, problems), tuple(problems))


def load_configuration(environment: Environment | None = None) -> Configuration:
    """Read the environment. Raises SettingsError with every problem of every part."""
    parts = read_parts(environment)
    if parts.app is None or parts.model is None:
        raise SettingsError(parts.problems)
    return Configuration(parts.app, parts.model)


def _read(load: Callable[[Environment], T], env: Environment, problems: list[str]) -> T | None:
    try:
        return load(env)
    except SettingsError as error:
        problems.extend(error.problems)
        return None
