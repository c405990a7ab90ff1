"""The README's example is what the program does: file, command, output, diff."""

from __future__ import annotations

import difflib
import re
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from shared.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """The fenced block of a language that holds a text."""
    return next(b for b in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in b)


def test_the_example_is_what_fix_makes_of_the_file(tmp_path: Path, monkeypatch: object) -> None:
    before = block("yaml", "local-path")
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "shop.yaml").write_text(before)
    command, _, shown = block("console", "fix ./k8s").partition("\n")
    monkeypatch.chdir(tmp_path)  # type: ignore[attr-defined]
    result = CliRunner().invoke(app, command.removeprefix("$ aks-copilot ").split())
    assert result.stdout == shown
    after = (tmp_path / "aks" / "shop.yaml").read_text()
    changes = [line for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="") if line[0] in "+-"][2:]
    assert changes == [line for line in block("diff", "managed-csi").splitlines() if line[0] in "+-"]


def test_every_document_that_is_linked_exists_and_every_target_of_make_too() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link
    targets = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"(?m)^{target}\b", targets), target


def test_every_page_of_the_documentation_is_listed() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#:]+)\)", README))
