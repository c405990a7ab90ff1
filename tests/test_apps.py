"""Small applications with known right outcomes (tests/apps/*.yaml), run through the whole of `fix` in process.

The outcomes are derived from the facts of the APIs, not from the program. Whatever a case says is exact: the objects it names field by
field, every loss, every question. Every case is also held to what holds for all: valid objects, a second run that changes nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from app_support import App, check_invariants, losses, objects, problems, run

APPS = Path(__file__).parent / "apps"
CASES = [
    pytest.param(App(**case), id=f"{path.stem}-{case['name']}")
    for path in sorted(APPS.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())["cases"]
]


def test_there_are_many():
    assert len(CASES) >= 150
    names = [c.id for c in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("app", CASES)
def test_app(app):
    done = run(app)
    wrong = problems(app, done)
    assert not wrong, "\n".join([*wrong, "", yaml.safe_dump([*objects(done)], sort_keys=False), *(f"{x}" for x in losses(done))])


@pytest.mark.parametrize("app", CASES)
def test_invariants(app):
    assert check_invariants(app) == []
