"""Prints what CHANGELOG.md says of a version, for the notes of its release.

The tag must be that of `shared.__version__`, and the section must say something: a release whose notes are empty is a mistake.

Usage: python tools/release_notes.py vX.Y.Z
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class NoReleaseError(Exception):
    """The tag cannot be released; one line says why."""


def main(arguments: list[str]) -> int:
    """Print the notes; 1 with a line on stderr where there are none to print."""
    try:
        print(notes((ROOT / "CHANGELOG.md").read_text("utf-8"), (ROOT / "shared/__init__.py").read_text("utf-8"), arguments[0]))
    except NoReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def notes(changelog: str, package: str, tag: str) -> str:
    """The text below `## X.Y.Z - date`. Raises NoReleaseError."""
    version = tag.removeprefix("v")
    if not re.search(rf'^__version__ = "{re.escape(version)}"$', package, re.MULTILINE):
        raise NoReleaseError(f"shared/__init__.py does not say version {version}")
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    of_version = [s for s in sections if re.match(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d\n", s)]
    if not of_version:
        raise NoReleaseError(f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD'")
    text = of_version[0].partition("\n")[2].strip()
    if not re.search(r"^- ", text, re.MULTILINE):
        raise NoReleaseError(f"the section of {version} in CHANGELOG.md names no change")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
