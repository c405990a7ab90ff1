"""Fakes of `az`, `docker`, `cosign` and `gh` for tests of ci/: they note how they were called and answer what a test has written down.

They know nothing of Azure: what a real one would make of a call was not tried.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from action_support import ROOT

_FAKE = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
call = " ".join([{name!r}, *sys.argv[1:]])
with (folder / "calls").open("a") as calls:
    calls.write(call + "\\n")
answers = json.loads((folder / "answers.json").read_text())
for number, answer in enumerate(answers):
    if all(word in call for word in answer["call"].split()) and answer.get("times", 1):
        answer["times"] = answer.get("times", 10**6) - 1
        (folder / "answers.json").write_text(json.dumps(answers))
        for name, text in answer.get("files", {{}}).items():
            pathlib.Path(sys.argv[sys.argv.index(name) + 1]).write_text(text)
        sys.stdout.write(answer.get("out", ""))
        sys.stderr.write(answer.get("err", ""))
        sys.exit(answer.get("code", 0))
"""


class Commands:
    """A folder for the front of PATH with fakes of these names. The first answer whose words are all in a call is given."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        folder.mkdir()
        self._answers: list[dict[str, object]] = []
        self._write()
        for name in names:
            (folder / name).write_text(_FAKE.format(python=sys.executable, folder=str(folder), name=name))
            (folder / name).chmod(0o755)

    def answer(self, call: str, out: str = "", *, code: int = 0, err: str = "", times: int | None = None, **files: str) -> None:
        """Answer calls with these words; `files` are written where the option of that name says (`metadata_file` for --metadata-file)."""
        named = {f"--{option.replace('_', '-')}": text for option, text in files.items()}
        more = {} if times is None else {"times": times}
        self._answers.append({"call": call, "out": out, "err": err, "code": code, "files": named, **more})
        self._write()

    def _write(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self._answers))

    def calls(self, *words: str) -> list[str]:
        """Calls so far that hold all of these words."""
        noted = self.folder / "calls"
        return [line for line in (noted.read_text().splitlines() if noted.exists() else []) if all(word in line for word in words)]

    def run(self, script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A script as a step of a workflow has it: in the checkout, with nothing of this process's settings but PATH and HOME."""
        base = {"PATH": f"{self.folder}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), "RUNNER_TEMP": str(self.folder)}
        return subprocess.run(
            ["bash", str(script), *arguments], cwd=ROOT, env=base | environment, capture_output=True, text=True, timeout=200, check=False
        )
