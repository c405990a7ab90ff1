"""Runs the conformance and smoke tests of the development host on Python 3.13, where Microsoft's own worker package exists.

Builds ``.venv313`` (again only when requirements have changed) with requirements.txt, azure-functions-runtime and pytest, then runs the
host's tests through both workers. Without a Python 3.13 it says so in one line and succeeds. Further test paths can be given as arguments.

Usage: python tools/conformance313.py [more pytest arguments]
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv313"
RUNTIME = "azure-functions-runtime==1.3.0"
CHECK = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))"
LIBRARY_TESTS = ("tests/test_funchost_conformance.py", "tests/test_funchost_triggers.py", "tests/test_funchost_http.py")
RUNTIME_TESTS = ("tests/test_funchost_triggers.py", "tests/test_funchost_http.py")


def main(arguments: list[str]) -> int:
    """Build, run, sum up; 0 when nothing failed."""
    python = find_python()
    if python is None:
        print("conformance313: no Python 3.13 on this machine; conformance with Microsoft's worker was not checked")
        return 0
    build(python)
    results = [
        run_tests("library worker", [*LIBRARY_TESTS, *arguments], {}),
        run_tests("Microsoft's worker", [*RUNTIME_TESTS], {"FUNCHOST_TEST_WORKER": "runtime"}),
    ]
    print(f"conformance313: {sum(not code for code in results)} of {len(results)} runs passed on Python 3.13")
    return max(results)


def find_python() -> str | None:
    """A working Python 3.13: on the PATH, or one of pyenv's."""
    return next((candidate for candidate in _candidates() if _works(candidate)), None)


def _candidates() -> Iterator[str]:
    plain = shutil.which("python3.13")
    if plain:
        yield plain
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(root.glob("versions/3.13*/bin/python3.13"), reverse=True))


def _works(python: str) -> bool:
    """A pyenv shim is on the PATH even where the version is not selected: only running it tells."""
    return subprocess.run([python, "-c", CHECK], capture_output=True, check=False).returncode == 0


def build(python: str) -> None:
    """Make the environment, unless one for the same requirements is there."""
    needed = [*_test_requirements(), RUNTIME]
    stamp, wanted = VENV / "built-for", _fingerprint(python, needed)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"conformance313: building {VENV.name} with {python}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(VENV)], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(ROOT / "requirements.txt"), *needed], check=True)
    stamp.write_text(wanted)


def _test_requirements() -> list[str]:
    """The pins of pytest and httpx from requirements-dev.txt."""
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.startswith(("pytest", "httpx", "hypothesis", "jsonschema"))]


def _fingerprint(python: str, needed: list[str]) -> str:
    text = "\n".join([str(Path(python).resolve()), (ROOT / "requirements.txt").read_text(), *needed])
    return hashlib.sha256(text.encode()).hexdigest()


def run_tests(name: str, arguments: list[str], settings: dict[str, str]) -> int:
    """One pytest run in the environment; its exit code."""
    print(f"conformance313: {name}: {' '.join(arguments)}", flush=True)
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--durations=3",
        *arguments,
    ]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **settings}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
