"""docs/coverage.md: its numbers are those of the corpus, its words stay, and no object of a foreign API passes without a word."""

from __future__ import annotations

import re

import pytest
from corpus_counts import CORPUS, Counts, Finding, Stranger, count
from coverage_page import PAGE, filled, frequent, rows, rules_of

from shared.domain.model import ResourceRef

needs_corpus = pytest.mark.skipif(not (CORPUS / "INDEX.tsv").is_file(), reason=f"no corpus of real manifests at {CORPUS}")
POD, ROUTE = ResourceRef("v1", "Pod", None, "a"), ResourceRef("route.openshift.io/v1", "Route", None, "web")
COUNTS = Counts(
    1,
    2,
    (
        Finding("other", "AKS0801", "warning", ("r", "a.yaml", 0, POD), "asked"),
        Finding("other", "AKS0801", "warning", ("r", "a.yaml", 0, POD), "asked"),
        Finding("okd", "AKS0201", "error", ("r", "b.yaml", 0, ROUTE), "fixed"),
        Finding("okd", "AKS0706", "warning", ("r", "b.yaml", 0, ROUTE), "reported"),
    ),
    (Stranger("r/b.yaml", ROUTE, "fixed"),),
)
SMALL = """# Words
| Construct | Files | Rule | What happens |
|---|---|---|---|
| Routes and requests | 7 | AKS0201, AKS0801 | by hand |
| names in values | 54 | | nothing |

| Type | On AKS |
|---|---|
| a | b |

<!-- counted:kinds -->
<!-- /counted -->
<!-- counted:frequent -->
| AKS0801 | old title | warning | 99 | A sentence. |
<!-- /counted -->
<!-- counted:unnamed -->
<!-- /counted -->
"""


@pytest.fixture(scope="module")
def counted() -> Counts:
    return count()


def test_numbers_are_filled_in_and_words_stay() -> None:
    lines = filled(SMALL, COUNTS).splitlines()

    assert lines[1] == "| Construct | Rule | Objects | Fixed | Asked | Suggested | Reported | Harmless | What happens |"
    assert lines[3] == "| Routes and requests | AKS0201, AKS0801 | 2 | 1 | 2 | | | | by hand |"
    assert lines[4] == "| names in values | | | | | | | | nothing |"
    assert lines[6:9] == ["| Type | On AKS |", "|---|---|", "| a | b |"]
    assert "| Route | route.openshift.io | 1 | 1 | | | | |" in lines
    assert "| AKS0801 | A container without requests or limits | warning | 2 | A sentence. |" in lines
    assert "| AKS0706 | An image without a version | 1 | | | | 1 | |" in lines


def test_filling_again_changes_nothing() -> None:
    once = filled(SMALL, COUNTS)

    assert filled(once, COUNTS) == once


def test_a_range_names_every_rule_between() -> None:
    assert rules_of("AKS0501, AKS0503 to AKS0505") == ["AKS0501", "AKS0503", "AKS0504", "AKS0505"]
    assert rules_of("what happens") == []


def test_every_row_names_rules_that_exist() -> None:
    named = dict(rows(PAGE.read_text(encoding="utf-8")))

    assert len(named) > 50
    assert [construct for construct, rules in named.items() if not rules] == []


@needs_corpus
def test_the_page_has_the_numbers_of_the_corpus(counted: Counts) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == filled(page, counted), "run `make coverage`"


@needs_corpus
def test_no_object_of_a_foreign_api_passes_without_a_word(counted: Counts) -> None:
    assert len(counted.strangers) > 600
    assert [s for s in counted.strangers if s.fate == "silent"] == []


@needs_corpus
def test_each_of_the_most_frequent_findings_has_its_sentence(counted: Counts) -> None:
    page = PAGE.read_text(encoding="utf-8")
    sentences = dict(re.findall(r"^\| (AKS\d{4}) \| .* \| \d+ \| (.*) \|$", page, re.MULTILINE))

    assert [rule for rule, _ in frequent(counted.findings) if not sentences.get(rule, "").strip().endswith(".")] == []
