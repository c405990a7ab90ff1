"""Every example of every rule is a test; the catalogue keeps its own order."""

from __future__ import annotations

import pytest

from shared.domain.checks import CHECKS
from shared.domain.examples import check_examples
from shared.domain.fixes import FIXES
from shared.domain.rulebook import RULES, Rule, built_in
from shared.domain.target import profiles


@pytest.mark.parametrize("rule", built_in(), ids=lambda r: r.id)
def test_examples_hold(rule: Rule) -> None:
    assert check_examples(rule) == []


@pytest.mark.parametrize("rule", built_in(), ids=lambda r: r.id)
def test_rule_is_well_formed(rule: Rule) -> None:
    CHECKS[rule.match.check].params.model_validate(rule.match.params)
    if rule.fix:
        FIXES[rule.fix.how].params.model_validate(rule.fix.params)
    assert all(link.startswith("https://") for link in rule.links)
    assert set(rule.sources) <= {"any", *profiles()}
    assert rule.why[0].isupper()
    assert not rule.title.endswith(".")


def test_titles_are_unique_and_every_file_is_loaded() -> None:
    titles = [r.title for r in built_in()]
    assert len(set(titles)) == len(titles)
    assert len(built_in()) == len(list(RULES.glob("*.yaml")))
