"""Every example of every rule is a test; the catalogue keeps its own order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain.checks import CHECKS, Found
from shared.domain.examples import check_examples
from shared.domain.fixes import FIXES
from shared.domain.proposals import resources_for
from shared.domain.rulebook import RULES, Rule, built_in
from shared.domain.target import profiles

ROOT = Path(__file__).parents[1]


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


@pytest.mark.parametrize("rule", [r for r in built_in() if r.resources], ids=lambda r: r.id)
def test_texts_of_resources_can_be_filled_in(rule: Rule) -> None:
    made = resources_for(rule, Found("/kind", {"value": "v"}), {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}})
    assert all(r.command and "{{" not in r.command for r in made)


def test_titles_are_unique_and_every_file_is_loaded() -> None:
    titles = [r.title for r in built_in()]
    assert len(set(titles)) == len(titles)
    assert len(built_in()) == len(list(RULES.glob("*.yaml")))


def test_the_catalogues_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "rules_docs.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_coverage_page_names_rules_that_exist() -> None:
    text = (ROOT / "docs" / "coverage.md").read_text()
    known = {r.id for r in built_in()}
    assert set(re.findall(r"AKS\d{4}", text)) <= known
    spans = [range(int(a), int(b) + 1) for a, b in re.findall(r"AKS(\d{4}) to AKS(\d{4})", text)]
    named = set(re.findall(r"AKS\d{4}", text)) | {f"AKS{n:04}" for span in spans for n in span}
    assert known - named <= NOT_A_CONSTRUCT


NOT_A_CONSTRUCT = frozenset({"AKS0001", "AKS0006", "AKS0007", "AKS0008", "AKS0013", "AKS0014"})
"""Rules that report what the program itself did."""


def test_what_stays_harmless_never_counts_as_left() -> None:
    assert all(r.severity == "info" for r in built_in() if r.harmless)


def test_every_finding_that_a_person_must_settle_says_what_to_do() -> None:
    silent = [r.id for r in built_in() if not (r.fix or r.ask or r.harmless or r.advice)]
    assert set(silent) <= NOT_A_CONSTRUCT | {"AKS0002", "AKS0200"}
