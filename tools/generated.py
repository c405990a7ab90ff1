"""Pages of docs/ that are written by the program: written anew, or with --check only compared."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def write_or_check(page: Path, text: str, source: str, arguments: list[str]) -> int:
    """Write `text` into `page`, or with --check say where it differs from `source`. Gives the exit status."""
    if "--check" not in arguments:
        page.write_text(text, encoding="utf-8")
        return 0
    current = page.read_text(encoding="utf-8") if page.is_file() else ""
    if current == text:
        return 0
    print(f"{page.relative_to(DOCS.parent)} is not what {source}: run `make docs`", file=sys.stderr)
    return 1
