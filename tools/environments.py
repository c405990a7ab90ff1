"""Virtual environments of other Python versions, for the conformance and smoke runs; rebuilt only when requirements change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = "azure-functions-runtime==1.3.0"
"""Microsoft's worker as a library; exists for Python 3.13 and later."""


def find_python(version: str) -> str | None:
    """A working interpreter of this version: on the PATH, or one of pyenv's."""
    return next((candidate for candidate in _candidates(version) if _works(candidate, version)), None)


def _candidates(version: str) -> Iterator[str]:
    plain = shutil.which(f"python{version}")
    if plain:
        yield plain
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(p) for p in sorted(root.glob(f"versions/{version}*/bin/python{version}"), reverse=True))


def _works(python: str, version: str) -> bool:
    """A pyenv shim is on the PATH even where the version is not selected: only running it tells."""
    check = f"import sys, venv, ensurepip; sys.exit('.'.join(map(str, sys.version_info[:2])) != '{version}')"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def build(version: str, python: str) -> Path:
    """The environment's interpreter; made anew where its requirements are others."""
    extra = _extra(version)
    venv = ROOT / f".venv{version.replace('.', '')}"
    stamp, wanted = venv / "built-for", _fingerprint(python, extra)
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"building {venv.name} with {python}", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(ROOT / "requirements.txt"), *extra], check=True)
        stamp.write_text(wanted)
    return venv / "bin" / "python"


def _extra(version: str) -> list[str]:
    """What 3.13 needs beyond requirements.txt: Microsoft's worker, and the test tools at the pins of requirements-dev.txt."""
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    tools = [line.strip() for line in lines if line.startswith(("pytest", "httpx", "hypothesis", "jsonschema"))]
    return [*tools, RUNTIME] if version == "3.13" else []


def _fingerprint(python: str, extra: list[str]) -> str:
    text = "\n".join([str(Path(python).resolve()), (ROOT / "requirements.txt").read_text(), *extra])
    return hashlib.sha256(text.encode()).hexdigest()
