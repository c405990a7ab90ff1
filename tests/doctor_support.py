"""`aks-copilot doctor` in this process, with the settings of a test and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.cli import remote
from shared.cli.main import run
from shared.setting_table import BY_NAME

GOLDEN = Path(__file__).parent / "golden/doctor"
Doctor = Callable[..., "Told"]


class Told:
    """What it printed and how it ended."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, re.sub(r"aks-copilot [\d.]+, Python [\d.]+", "aks-copilot VERSION, Python VERSION", text)

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {check["name"]: check for check in json.loads(self.text)["checks"]}

    def states(self, *names: str) -> list[str]:
        return [self.checks[name]["state"] for name in names]

    @property
    def failed(self) -> list[str]:
        return [name for name, check in self.checks.items() if check["state"] == "failed"]


def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Call it with arguments and settings; JSON where nothing else is said."""

    def call(*arguments: str, **settings: str) -> Told:
        with monkeypatch.context() as patch:
            for name in (*BY_NAME, "AKS_COPILOT_URL"):
                patch.delenv(name, raising=False)
            for name, value in settings.items():
                patch.setenv(name, value)
            patch.setattr(remote, "PROJECT", tmp_path)
            patch.chdir(tmp_path)
            code = run(["doctor", *(arguments or ("--format", "json"))])
        captured = capsys.readouterr()
        return Told(code, captured.out + captured.err)

    return call
