"""What report.md and report.html give to read: the passage of a rule's article, once a page, folded away, and never markup of another's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import report_values as values

from shared.domain.articles import among
from shared.domain.explain.passage import readings
from shared.domain.model import FileOutcome, PatchOperation, ResourceRef, Violation
from shared.domain.report import html_view
from shared.domain.report.html_page import report_html
from shared.domain.report.markdown import report_md
from shared.domain.report.reading import MAX_BYTES, Context, Excerpts, context_html, context_md, reading_of
from shared.domain.retrieval.passages import document_of

SUMMARY = "Read on: Which storage class replaces local-path, longhorn, gp3 or ocs on AKS"
HOSTILE = """\
---
title: A <b>bold</b> title
rules: [TST0001]
sources: [{url: "javascript:alert(1)", read: 2026-01-02}, {url: "https://example.com/a", read: 2026-01-02}]
---
The class <script>alert(1)</script> and [a link](javascript:alert(2)) matter.

```
az aks show
```
"""


def finding(rule_id: str, path: str, *, fixed: bool = False) -> FileOutcome:
    ref = ResourceRef("v1", "PersistentVolumeClaim", None, "data")
    violation = Violation(rule_id, "A title", "error", 0, "/spec", 3, 1, ref, f"Found in {path}.", ("https://example.com/rule",))
    return FileOutcome(path, "patched" if fixed else "unchanged", None, 1, (violation.resolved("fixed") if fixed else violation,))


def pages(*outcomes: FileOutcome, files: Mapping[str, bytes] | None = None) -> list[str]:
    excerpts = Excerpts((files or {}).get)
    return [report_md(values.setup(), outcomes, {}, excerpts), report_html(values.setup(), outcomes, {}, excerpts)]


def test_each_rule_s_article_is_shown_once() -> None:
    for page in pages(finding("AKS0101", "a.yaml"), finding("AKS0101", "b.yaml"), finding("AKS0101", "c.yaml", fixed=True)):
        assert page.count(SUMMARY) == 1
        assert page.count("ProvisioningFailed") == 1
        assert "concepts-storage" in page
        assert "(read 2026-" in page


def test_what_was_accepted_has_nothing_to_read() -> None:
    outcome = finding("AKS0101", "a.yaml")
    ignored = FileOutcome("a.yaml", "unchanged", None, 1, (outcome.violations[0].resolved("ignored", "Accepted."),))
    for page in pages(ignored):
        assert "Accepted." in page
        assert SUMMARY not in page


@pytest.mark.parametrize("rule_id", ["AKS0002", "AKS0001", "TEAM0001"])
def test_a_rule_without_an_article_or_of_many_subjects_has_none(rule_id: str) -> None:
    assert reading_of(rule_id) is None
    assert all("Read on" not in page for page in pages(finding(rule_id, "a.yaml")))


def test_nothing_in_an_article_becomes_markup_of_its_own() -> None:
    [reading] = readings(among([document_of("articles/a.md", HOSTILE)])("TST0001"), "class")
    context = Context("a.yaml:3", (), reading)
    block = context_html(context)
    assert block.title == "Read on: A <b>bold</b> title"  # the template escapes it
    assert "&lt;script&gt;" in block.texts[0]
    assert "href" not in block.texts[0]
    assert block.pages == [("https://example.com/a", "2026-01-02")]
    assert block.commands == ["az aks show"]
    lines = list(context_md(context))
    assert lines[0] == "<details><summary>Read on: A &lt;b&gt;bold&lt;/b&gt; title</summary>"
    assert lines.count("</details>") == 1


def test_every_passage_lays_out_and_folds_away_in_both_pages() -> None:
    outcomes = [finding(rule_id, f"{rule_id}.yaml") for rule_id in ("AKS0101", "AKS0601", "AKS0801", "AKS0201", "AKS0956")]
    text, page = pages(*outcomes)
    assert text.count("<details>") == text.count("</details>") == 5
    assert len(re.findall(r'<details class="context">\n<summary>Read on: ', page)) == 5
    assert "<table>" in page[page.index("AKS0601 A title") :]
    blocks = [rule.context for section in html_view.sections(outcomes) for rule in section.rules]
    assert all(block is not None and block.texts for block in blocks)


def test_a_place_is_shown_with_its_lines_secrets_masked() -> None:
    file = b"kind: PersistentVolumeClaim\n# above\nspec:\n  a: 1\n---\nkind: Secret\nstringData:\n  a: hunter2hunter2\n"
    secret = finding("AKS0739", "a.yaml")
    there = replace(secret.violations[0], line=8, column=3, path="/stringData/a")
    text, page = pages(
        finding("AKS0101", "a.yaml"), replace(secret, path="b.yaml", violations=(there,)), files={"a.yaml": file, "b.yaml": file}
    )
    assert "<summary>In context: a.yaml:3; read on: Which storage" in text
    assert "```\n> 3  spec:\n  4    a: 1\n```" in text
    assert "  7  stringData:\n&gt; 8    a: ***" in page
    assert "hunter2" not in text + page


def test_a_place_of_what_was_fixed_has_its_diff_and_needs_no_lines() -> None:
    text, page = pages(finding("AKS0101", "a.yaml", fixed=True), files={"a.yaml": b"a:\nb:\nc: 1\n"})
    assert "In context: a.yaml" not in text + page
    assert SUMMARY in text


def test_what_a_fix_did_is_told_by_one_example_its_secrets_masked() -> None:
    secret = ResourceRef("v1", "Secret", None, "s")
    outcome = finding("AKS0101", "a.yaml", fixed=True)
    violation = replace(outcome.violations[0], resource=secret)
    made = (
        PatchOperation("replace", "/0/stringData/a", "AKS0101", "hunter2hunter2"),
        PatchOperation("add", "/0/spec/b", "AKS0101", {"c": 1}),
        PatchOperation("remove", "/0/d", "AKS0102"),
    )
    outcomes = [replace(outcome, path=path, violations=(violation,), operations=made) for path in ("a.yaml", "b.yaml")]
    text = report_md(values.setup(), outcomes, {})
    assert [line for line in text.split("\n") if line.startswith("- For example")] == [
        '- For example in a.yaml: `replace /0/stringData/a` with `"***"`, `add /0/spec/b`'
    ]


def test_files_that_are_gone_too_large_or_shorter_show_no_lines() -> None:
    for files in ({}, {"a.yaml": b"\n\n#" + b"x" * MAX_BYTES}, {"a.yaml": b"a: 1\n"}):
        assert all("In context: a.yaml" not in page for page in pages(finding("AKS0101", "a.yaml"), files=files))


def test_three_hundred_findings_stay_readable() -> None:
    outcomes = [finding("AKS0101", f"{n}.yaml") for n in range(300)]
    text, _ = pages(*outcomes)
    without = "\n".join(line for line in text.split("\n") if not line.startswith("  - "))
    assert text.count(SUMMARY) == 1
    assert len(without) < 20_000


def test_the_articles_lie_where_the_package_has_them() -> None:
    assert (Path(__file__).parents[1] / "shared" / "articles" / "storage-classes-of-aks.md").is_file()
    assert reading_of("AKS0101") is not None
