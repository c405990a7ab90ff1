"""Every rule finds its article, and of it the passage that speaks of the rule."""

from __future__ import annotations

from shared.domain.articles import ARTICLES, among, own_articles
from shared.domain.explain.passage import ROWS, readings, words_of
from shared.domain.retrieval.passages import document_of
from shared.domain.rulebook import built_in

ALONE = {
    "AKS0001": "It is about the decisions file itself: docs/decisions.md explains that.",
    "AKS0013": "It is about an annotation of this program: docs/accepting.md explains that.",
    "AKS0014": "It is about the baseline of this program: docs/accepting.md explains that.",
}
"""Rules whose own text is enough, with the reason."""


def test_every_rule_has_an_article_or_says_why_not() -> None:
    silent = {rule.id for rule in built_in() if not own_articles(rule.id)}
    assert silent == ALONE.keys()
    assert all(article.title and article.text for rule in built_in() for article in own_articles(rule.id))


def test_every_rule_s_articles_give_a_passage_and_dated_pages() -> None:
    for rule in built_in():
        for reading in readings(own_articles(rule.id), words_of(rule)):
            assert reading.passage.strip(), rule.id
            assert "Also described as" not in reading.passage, rule.id
            assert reading.links, reading.title
            assert all(url.startswith("https://") and day for url, day in reading.links), reading.title


def test_a_long_list_gives_the_rows_that_are_nearest() -> None:
    rows = "\n".join(f"- **thing{n}** is about nothing" for n in range(9)) + "\n- the storage class decides"
    document = document_of("articles/a.md", f"Things:\n\n{rows}")
    [reading] = readings([document], "storage class")
    assert reading.passage.startswith("Things:\n\n- ")
    assert reading.passage.count("\n- ") == ROWS
    assert reading.passage.endswith("- the storage class decides")
    assert reading.links == ()


def test_articles_are_found_by_their_front_matter_alone() -> None:
    document = document_of("articles/a.md", "---\nrules: [AKS0101]\n---\nAKS0102 is only mentioned.")
    find = among([document, document_of("articles/b.md", "AKS0101")])
    assert [d.name for d in find("AKS0101")] == ["articles/a.md"]
    assert find("AKS0102") == []
    assert {f"articles/{p.name}" for p in ARTICLES.glob("*.md")} >= {d.name for d in own_articles("AKS0101")}
