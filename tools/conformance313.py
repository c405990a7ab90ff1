"""Runs the conformance and smoke tests of the development host on Python 3.13, where Microsoft's own worker package exists.

Builds ``.venv313`` (again only when its lock has changed) from requirements-dev.lock, which has that package, then runs the
host's tests through both workers. Without a Python 3.13 it says so in one line and succeeds. Further test paths can be given as arguments.

Usage: python tools/conformance313.py [more pytest arguments]
"""

from __future__ import annotations

import os
import subprocess
import sys

from environments import ROOT, build, find_python

VENV = ROOT / ".venv313"
LIBRARY_TESTS = ("tests/test_funchost_conformance.py", "tests/test_funchost_triggers.py", "tests/test_funchost_http.py")
RUNTIME_TESTS = ("tests/test_funchost_triggers.py", "tests/test_funchost_http.py")


def main(arguments: list[str]) -> int:
    """Build, run, sum up; 0 when nothing failed."""
    python = find_python("3.13")
    if python is None:
        print("conformance313: no Python 3.13 on this machine; conformance with Microsoft's worker was not checked")
        return 0
    build("3.13", python)
    results = [
        run_tests("library worker", [*LIBRARY_TESTS, *arguments], {}),
        run_tests("Microsoft's worker", [*RUNTIME_TESTS], {"FUNCHOST_TEST_WORKER": "runtime"}),
    ]
    print(f"conformance313: {sum(not code for code in results)} of {len(results)} runs passed on Python 3.13")
    return max(results)


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
