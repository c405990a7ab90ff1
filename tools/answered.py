"""A part of `make judge`: every question of the corpus answered, fixed until nothing is asked, and fixed once more: no byte may change.

Answers bring conversions to light that stay refused without them, and whose results the next run reads as its input.

Usage: python tools/answered.py [source ...]
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from shared.cli.local import fix_tree
from shared.cli.tree import read_tree, write_in_place, write_out
from shared.domain.convert.base import split_decision_key
from shared.domain.decision_keys import GROUPS
from shared.domain.decisions import FILE_NAME, answer
from shared.domain.model import FileOutcome, Question
from shared.domain.reporter import open_questions
from shared.domain.run import RunOptions

CORPUS = Path(os.environ.get("AKS_CORPUS", Path(__file__).resolve().parents[1].parent / "shared" / "corpus"))
ROUNDS = 6
"""Answers may bring new questions, never many times over."""

PLAUSIBLE: dict[str, Any] = {
    "replicas": 1,
    "ports": 8080,
    "images": "registry.example.com/team/image:1.0.0",
    "storageClasses": "managed-csi",
    "registries": "team.azurecr.io",
    "resources": "requests.cpu=100m, requests.memory=128Mi, limits.memory=512Mi",
}
"""An answer for a question of each group whose sample is none."""


def plausible(question: Question) -> Any:
    """What a person might answer: the sample where there is one, else something of the group's form."""
    group = split_decision_key(question.key)[0]
    form = GROUPS[group].form if group in GROUPS else "text"
    if form == "exposure":
        return "internal"
    if form in ("number", "port") or not question.example:
        return PLAUSIBLE.get(group, "answer")
    return question.example


def answered(recorded: dict[str, Any], questions: Iterable[Question]) -> int:
    """Put an answer to each question where none stands; how many there were."""
    count = 0
    for question in questions:
        *groups, last = split_decision_key(question.key)
        if answer(recorded, question.key) is None:
            at = recorded
            for name in groups:
                at[name] = at.get(name) or {}
                at = at[name]
            at[last] = plausible(question)
            count += 1
    return count


def fix(folder: Path) -> tuple[FileOutcome, ...]:
    """One run of the folder in place."""
    tree = read_tree([folder])
    run = fix_tree(tree, RunOptions("app"))
    write_in_place(tree, run.changed, set(run.removed))
    return run.outcomes


def unstable(source: Path, folder: Path) -> list[str]:
    """The files that the run after the last answer changes; `folder` takes the copy."""
    write_out(read_tree([source]), folder, {}, set())
    outcomes: tuple[FileOutcome, ...] = ()
    for _ in range(ROUNDS):
        outcomes = fix(folder)
        path = folder / FILE_NAME
        recorded = yaml.safe_load(path.read_text())
        if not answered(recorded, open_questions(outcomes)):
            break
        path.write_text(yaml.safe_dump(recorded, sort_keys=False))
        write_out(read_tree([source]), folder, {}, {FILE_NAME})
    return [f"{o.path}: {', '.join(sorted({p.rule_id for p in o.operations}))}" for o in fix(folder) if o.status in ("patched", "created")]


def main(wanted: list[str]) -> int:
    """Every source of the corpus; 1 where a file changed."""
    if not CORPUS.is_dir():
        print(f"answered: nothing at {CORPUS}")
        return 0
    failed = 0
    for source in wanted or ("k3s", "okd", "other"):
        with tempfile.TemporaryDirectory() as folder:
            found = unstable(CORPUS / source, Path(folder))
        print(f"answered, {source}: {'no file changes again' if not found else 'MISS'}", *found, sep="\n  ", flush=True)
        failed += bool(found)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
