"""The language model of the command line: its settings from the environment or `--model`, its answers kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.advice import Mode
from shared.model_settings import ModelSettings, load_model_settings

if TYPE_CHECKING:
    from shared.domain.plan import FilePlan
    from shared.domain.run import RunSetup
    from shared.pipeline.model_run import Job

Advise = Callable[["RunSetup", "Sequence[Job]"], "Mapping[str, FilePlan]"]
"""What a model makes of files: their plans by path."""


class ModelMode(StrEnum):
    """`fix --model`."""

    OFF = "off"
    SUGGEST = "suggest"
    APPLY = "apply"

    @property
    def mode(self) -> Mode:
        return self.value


def chosen_model(option: ModelMode | None) -> ModelSettings:
    """The settings, with the option in the place of LLM_MODE. Raises CriticalError in one line where they are missing or wrong."""
    return load_model_settings(dict(os.environ) | ({"LLM_MODE": option.value} if option else {}))


def cache_folder() -> Path:
    """Where answers and sums of tokens are kept: `$XDG_CACHE_HOME/aks-copilot`, else `~/.cache/aks-copilot`."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "aks-copilot"


def adviser_of(settings: ModelSettings, team: Path | None) -> Advise | None:
    """Who is asked, None where the model is off. `team` is a folder whose articles/ are given to the model too."""
    if settings.mode == "off":
        return None

    def advise(setup: RunSetup, jobs: Sequence[Job]) -> Mapping[str, FilePlan]:
        from shared.pipeline.model_run import ModelRun  # noqa: PLC0415 (heavy; only where a model is used)
        from shared.services import build_local_model, load_knowledge  # noqa: PLC0415

        access = build_local_model(settings, cache_folder())
        return ModelRun(access, lambda: load_knowledge(team=team), setup).plans(jobs)

    return advise
