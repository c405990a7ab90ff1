"""Writes the lock files: every package that requirements*.txt bring in, one version each, with the hashes of its files.

`requirements.lock` is what the action, the images and the function app install, `requirements-dev.lock` what `make install` does;
`requirements-uv.lock` holds uv itself, which resolves and installs. All hold for Python 3.11 and later, by markers. The first line of
each says what it was made of: `--check` compares that, without a network, so that a pin cannot change without its hashes.

Usage: python tools/lock.py [--check]
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from environments import ROOT

LOCKS = {
    "requirements.lock": ("requirements.txt",),
    "requirements-dev.lock": ("requirements-dev.txt", "requirements.txt", "requirements-uv.txt"),
    "requirements-uv.lock": ("requirements-uv.txt",),
    "requirements-checkov.lock": ("requirements-checkov.txt",),
}
"""Lock file -> the files that it is made of; the first one names the others."""
_COMPILE = ("-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11")
_PLAIN = ("--generate-hashes", "--no-header", "--no-annotate")
_RUNTIME = "requirements.lock"
_APART = (_RUNTIME, "requirements-checkov.lock")
"""Resolved without regard to what is deployed: itself, and what lives in an environment of its own."""


def main(arguments: list[str]) -> int:
    """Write, or with --check compare; 0 where all is well."""
    if arguments == ["--check"]:
        old = stale(ROOT)
        for name in old:
            print(f"{name} is older than {' and '.join(LOCKS[name])}: run `make lock`")
        return min(len(old), 1)
    for name, sources in LOCKS.items():
        write(ROOT, name, sources)
    return 0


def stale(root: Path) -> list[str]:
    """The lock files whose first line is not that of what stands in their sources now."""
    return [name for name, sources in LOCKS.items() if not _read(root / name).startswith(header(root, sources))]


def header(root: Path, sources: tuple[str, ...]) -> str:
    """The first line of a lock. Comments and order of the sources do not count; every requirement does."""
    lines = {line.partition(" #")[0].strip() for source in sources for line in _read(root / source).splitlines()}
    wanted = "\n".join(sorted(line for line in lines if line and not line.startswith("#")))
    return f"# Made by `make lock`, never by hand, of {', '.join(sources)}: {hashlib.sha256(wanted.encode()).hexdigest()}\n"


def write(root: Path, name: str, sources: tuple[str, ...]) -> None:
    """Resolve again; versions in the old lock stay where they still fit, and tests run with the versions that are deployed.

    Raises CalledProcessError where uv finds no solution; the lock stays as it was.
    """
    same = [] if name in _APART else ["--constraints", str(root / _RUNTIME)]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / name
        made.write_text(_read(root / name), "utf-8")
        subprocess.run([sys.executable, *_COMPILE, *_PLAIN, *same, str(root / sources[0]), "--output-file", str(made)], check=True)
        (root / name).write_text(header(root, sources) + made.read_text("utf-8"), "utf-8")


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
