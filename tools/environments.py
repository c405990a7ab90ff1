"""Virtual environments of other Python versions, for the conformance and smoke runs; rebuilt only when requirements change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"3.12": "requirements.lock", "3.13": "requirements-dev.lock"}
"""What each version is installed from: 3.13 runs tests, with Microsoft's worker, which exists from 3.13 on."""


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
    """The environment's interpreter; made anew where its packages are others."""
    lock = ROOT / LOCKS[version]
    venv = ROOT / f".venv{version.replace('.', '')}"
    stamp, wanted = venv / "built-for", _fingerprint(python, lock)
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"building {venv.name} with {python}", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True)
        _install(lock, venv / "bin" / "python")
        stamp.write_text(wanted)
    return venv / "bin" / "python"


def _install(lock: Path, python: Path) -> None:
    """By uv; by pip where uv cannot reach its index: pip knows mirrors and proxies of pip.conf, which uv does not read."""
    wanted = ["--quiet", "--require-hashes", "-r", str(lock)]
    if subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--python", str(python), *wanted], check=False).returncode:
        subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", *wanted], check=True)


def _fingerprint(python: str, lock: Path) -> str:
    return hashlib.sha256(f"{Path(python).resolve()}\n{lock.read_text()}".encode()).hexdigest()
