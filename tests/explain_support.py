"""A tree as `fix` leaves it, one finding of it explained, and what `aks-copilot explain` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.cli.local import LocalRun, fix_tree, options_for
from shared.cli.main import run
from shared.cli.tree import read_tree
from shared.domain.articles import own_articles
from shared.domain.explain.finding import Explanation, explain
from shared.domain.run import SourceFile


def fixed(folder: Path, source: str = "auto") -> tuple[dict[str, SourceFile], LocalRun]:
    """The files of a folder by path, and what `fix` makes of them."""
    tree = read_tree([folder])
    return {f.path: f for f in tree.read()[0]}, fix_tree(tree, options_for(folder, source, None))


def explained(folder: Path, rule_id: str) -> Explanation:
    """The first finding of a rule in a folder, explained without a model."""
    files, done = fixed(folder)
    outcome, violation = next((o, v) for o in done.outcomes for v in o.violations if v.rule_id == rule_id)
    return explain(files[outcome.path], outcome, violation, done.setup, own_articles)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `aks-copilot explain`."""
    code = run(["explain", *map(str, arguments)])
    return code, *capsys.readouterr()
