"""Runs the shell steps of a composite action as GitHub's runner does, with the expressions that our actions use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


@dataclass
class Ran:
    """What a job would see: the log, the exit code of the first step that failed, outputs by step, and the summary."""

    log: str = ""
    code: int = 0
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    summary: str = ""


def load(path: str = "action.yml") -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / path).read_text("utf-8"))
    return action


def run(
    action: Mapping[str, Any],
    folder: Path,
    workspace: Path,
    given: Mapping[str, str],
    *,
    path: str = ".",
    skip: tuple[str, ...] = (),
    **environment: str,
) -> Ran:
    """The `run` steps in order, each with only its own `env`; steps named in `skip` and `uses` are left out."""
    inputs = {name: str(about.get("default", "")) for name, about in action["inputs"].items()} | dict(given)
    ran, temp = Ran(), folder / "temp"
    temp.mkdir()
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    values |= {"github.action_path": str(ROOT / path), "runner.temp": str(temp)}
    values |= {"github.server_url": "https://github.com", "github.repository": "acme/shop", "github.run_id": "7"}
    for number, step in enumerate(action["runs"]["steps"]):
        if "run" not in step or step.get("name") in skip:
            continue
        if ran.code and "always()" not in str(step.get("if", "")):
            continue
        _step(ran, step, values, folder / f"step{number}", workspace, environment)
    return ran


def _step(ran: Ran, step: Mapping[str, Any], values: dict[str, str], folder: Path, workspace: Path, more: Mapping[str, str]) -> None:
    folder.mkdir()
    files = {"GITHUB_OUTPUT": folder / "output", "GITHUB_STEP_SUMMARY": folder / "summary", "GITHUB_ENV": folder / "env"}
    for file in files.values():
        file.touch()
    script = folder / "script.sh"
    script.write_text(step["run"])
    assert "${{" not in step["run"], "an expression inside a script is an injection"
    base = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    env = base | {"GITHUB_WORKSPACE": str(workspace), "RUNNER_TEMP": values["runner.temp"]} | {k: str(v) for k, v in files.items()}
    env |= {name: evaluated(str(text), values) for name, text in step.get("env", {}).items()} | dict(more)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    ran.log += done.stdout + done.stderr
    ran.summary += files["GITHUB_STEP_SUMMARY"].read_text()
    ran.code = ran.code or done.returncode
    found = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    if "id" in step:
        ran.outputs[step["id"]] = found
        values |= {f"steps.{step['id']}.outputs.{name}": value for name, value in found.items()}


def command_in(folder: Path) -> str:
    """An `aks-copilot` of this checkout, as an install step would leave it."""
    file = folder / "aks-copilot"
    file.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom shared.cli.main import main\nmain()\n")
    file.chmod(0o755)
    return str(file)


def evaluated(text: str, values: Mapping[str, str]) -> str:
    """`${{ name }}` replaced by its value; nothing else of GitHub's language is used in our actions' `env`."""
    return re.sub(r"\$\{\{ ([a-z_.-]+) \}\}", lambda found: values.get(found[1], ""), text)
