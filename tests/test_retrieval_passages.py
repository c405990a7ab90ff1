"""Documents become passages: cut at headings, bounded, nothing lost; words as Kubernetes writes them; what an index must change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import ValidationError
from shared.domain.retrieval.changes import Changes, changes
from shared.domain.retrieval.fusion import fuse
from shared.domain.retrieval.measure import Labelled, quality, read_questions
from shared.domain.retrieval.passages import MAX_WORDS, document_of, document_of_rule, passages_of
from shared.domain.retrieval.words import question_words, words
from shared.domain.rulebook import by_id

RUNBOOK = """\
---
title: Moving the shop
rules: [AKS0101]
sources:
  - {url: https://example.com/shop, read: 2026-11-23}
---

Before anything else.

## Storage

Take `managed-csi`.

```
# no heading
kubectl get pvc

kubectl get pv
```

### Shares #

Azure Files.
"""


def test_markdown_is_cut_at_headings_and_a_fenced_block_stays_whole() -> None:
    found = passages_of(document_of("articles/shop.md", RUNBOOK))
    assert [(p.heading, p.text.split("\n")[0]) for p in found] == [
        ("", "Before anything else."),
        ("Storage", "Take `managed-csi`."),
        ("Shares", "Azure Files."),
    ]
    assert "# no heading\nkubectl get pvc\n\nkubectl get pv\n```" in found[1].text
    assert {(p.slug, p.title, p.source) for p in found} == {("shop", "Moving the shop", "https://example.com/shop")}


def test_a_file_without_front_matter_is_titled_by_its_first_heading_or_its_name() -> None:
    assert document_of("articles/a/notes.md", "\ufeffintro\r\n# The notes\r\ntext").title == "The notes"
    plain = document_of("articles/on-call.txt", "Call Anna.")
    assert (plain.title, plain.slug) == ("on-call", "on-call")
    assert [p.source for p in passages_of(plain)] == ["articles/on-call.txt"]


def test_a_document_without_text_is_still_found_by_its_title() -> None:
    (only,) = passages_of(document_of("articles/x.md", "---\ntitle: Nothing yet\n---\n"))
    assert only.searchable == "x\nNothing yet"


def test_front_matter_that_is_no_yaml_is_named() -> None:
    with pytest.raises(ValidationError, match=r"^articles/a\.md: its front matter is no YAML$"):
        document_of("articles/a.md", "---\ntitle: [\n---\ntext")


@pytest.mark.parametrize("matter", ["A thematic break", "- a"])
def test_what_is_no_mapping_between_dashes_is_text(matter: str) -> None:
    found = document_of("articles/a.md", f"---\n{matter}\n---\ntext")
    assert (found.title, found.rules) == ("a", ())
    assert matter in found.text


def test_front_matter_of_other_hands_is_read_as_far_as_it_is_understood() -> None:
    aliases = "a: &a [x, x]\nb: &b [*a, *a]\ntitle: *b\n"
    one = document_of("articles/a.md", f"---\n{aliases}rules: AKS0101\nsources: https://wiki.example/a\n---\n# Heading\ntext")
    assert (one.title, one.rules, one.links) == ("Heading", ("AKS0101",), ("https://wiki.example/a",))
    many = document_of("articles/a.md", "---\ntitle: 2026\nrules: [AKS0101, 7]\nsources: [{url: [a]}, https://b.example, 3]\n---\ntext")
    assert (many.title, many.rules, many.links) == ("2026", ("AKS0101",), ("https://b.example",))


def test_a_rule_is_a_document_in_words() -> None:
    rule = by_id()["AKS0101"]
    found = document_of_rule(rule)
    assert found.slug == "AKS0101"
    assert found.title == f"AKS0101 {rule.title}"
    assert rule.why in found.text
    assert rule.message in found.text
    assert found.links == rule.links


@given(st.lists(st.integers(1, 3 * MAX_WORDS), min_size=1, max_size=6))
def test_long_texts_are_cut_at_paragraphs_and_lose_no_word(lengths: list[int]) -> None:
    paragraphs = [" ".join(f"w{n}x{i}" for i in range(length)) for n, length in enumerate(lengths)]
    found = passages_of(document_of("articles/x.md", "\n\n".join(paragraphs)))
    assert [w for p in found for w in p.text.split()] == [w for p in paragraphs for w in p.split()]
    assert max(len(p.text.split()) for p in found) <= MAX_WORDS
    whole = [p for p in paragraphs if len(p.split()) <= MAX_WORDS]
    assert all(any(p in passage.text for passage in found) for p in whole)


def test_names_are_words_as_a_whole_and_in_parts() -> None:
    assert words("The storageClassName of apps.openshift.io/v1 is not local-path") == [
        *("storageclassname", "storage", "class", "name"),
        *("apps.openshift.io/v1", "apps", "openshift", "io", "v", "1"),
        *("not", "local-path", "local", "path"),
    ]
    assert words("Größe gpu_utilization") == ["größe", "gpu_utilization", "gpu", "utilization"]
    assert words("PVC HTTPRoute") == ["pvc", "httproute", "http", "route"]
    assert words("how do I do this?") == []


def test_a_short_name_in_a_question_stands_for_its_kind() -> None:
    assert question_words("replace the dc") == ["replace", "dc", "deploymentconfig", "deployment", "config"]
    assert question_words("a Service") == ["service"]


def test_only_what_differs_is_added_or_removed() -> None:
    held = {"same": "1", "changed": "1", "gone": "1"}
    wanted = {"same": "1", "changed": "2", "new": "1"}
    assert changes(held, wanted) == Changes(frozenset({"changed", "gone"}), frozenset({"changed", "new"}))
    assert not changes(held, held)


DIGESTS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("12"))


@given(DIGESTS, DIGESTS)
def test_applying_the_changes_gives_what_is_wanted(held: dict[str, str], wanted: dict[str, str]) -> None:
    todo = changes(held, wanted)
    kept = {name: digest for name, digest in held.items() if name not in todo.remove}
    assert not kept.keys() & todo.add
    assert kept | {name: wanted[name] for name in todo.add} == wanted


def test_reciprocal_ranks_let_two_searches_outvote_one() -> None:
    assert [place for place, _ in fuse([(1, [7, 8, 9]), (1, [8, 9])])] == [8, 9, 7]
    assert [place for place, _ in fuse([(1, [7, 8]), (0.1, [8])], constant=1)] == [7, 8]
    assert [place for place, _ in fuse([(1, [5]), (1, [3])])] == [3, 5]
    assert fuse([(1, [7])], constant=1) == [(7, 0.5)]


def test_the_measures_are_those_of_the_textbook() -> None:
    answers = {"first": ["a", "b"], "third": ["b", "c", "a"], "fourth": ["b", "c", "d", "a"], "never": ["b"]}
    questions = [Labelled(name, "a") for name in answers]
    found = quality(questions, lambda text: answers[text])
    assert (found.questions, found.recall_1, found.recall_3) == (4, 0.25, 0.5)
    assert found.mrr == pytest.approx((1 + 1 / 3 + 1 / 4) / 4)
    assert [item.question for item in found.missed] == ["fourth", "never"]


@pytest.mark.parametrize("text", ["{", "just words", "- {question: x}", "[]", "", "[1]"])
def test_a_file_that_holds_no_questions_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValidationError, match=r"^q\.yaml: "):
        read_questions("q.yaml", text)


def test_nothing_to_measure_with_is_no_perfect_score() -> None:
    with pytest.raises(ValidationError):
        quality([], lambda text: [text])
