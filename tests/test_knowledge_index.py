"""The index finds, changes only what changed, and is the same after it was saved: real FAISS and bm25s."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from knowledge_support import DISKS, GATEWAY, RULE, found, index_of

from shared.adapters.knowledge import local
from shared.adapters.knowledge.documents import MAX_BYTES, Files, documents
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import Index
from shared.domain.errors import CriticalError, ValidationError
from shared.domain.retrieval.measure import quality, read_questions
from shared.domain.retrieval.passages import document_of
from shared.domain.retrieval.ports import Vectors
from shared.domain.rulebook import RULES

QUESTIONS = Path(__file__).parent / "data" / "questions"


class Counting(HashedGrams):
    """Remembers what was embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        return super().embed(texts)


def test_the_best_passage_of_each_document_comes_once_and_rules_apart() -> None:
    index = index_of(DISKS, GATEWAY, RULE)
    hits = index.search("shrink a disk", 5)
    assert (hits[0].passage.slug, hits[0].passage.heading) == ("disks", "Sizes")
    assert [hit.passage.slug for hit in hits].count("disks") == 1
    assert "AKS0101" not in [hit.passage.slug for hit in hits]
    assert [hit.passage.slug for hit in index.rules("disk", 5)] == ["AKS0101"]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(index.search("disk gateway", 1)) == 1


def test_an_article_that_explains_the_rule_comes_before_one_that_fits_better() -> None:
    text = "---\ntitle: Zones\nrules: [AKS0123]\n---\nWhere a disk is."
    index = Index.from_bytes(index_of(DISKS, GATEWAY, document_of("articles/zones.md", text)).to_bytes(), HashedGrams())
    query = "a disk can grow, never shrink"
    assert found(index, query)[0] == "disks"
    assert [hit.passage.slug for hit in index.explaining("AKS0123", query, 2)] == ["zones", "disks"]
    assert [hit.passage.slug for hit in index.explaining("AKS0999", query, 1)] == ["disks"]
    assert [hit.passage.slug for hit in index.explaining("AKS0123", "???", 2)] == ["zones"]


@pytest.mark.parametrize("query", ["", "???", "how do I do this"])
def test_a_query_without_words_never_fails(query: str) -> None:
    assert len(index_of(DISKS, GATEWAY).search(query, 3)) <= 2
    assert index_of().search(query, 3) == []


def test_a_mistyped_word_still_finds() -> None:
    assert found(index_of(DISKS, GATEWAY), "htpproute gatewya")[0] == "gateway"


def test_only_what_changed_is_embedded_and_what_is_gone_is_not_found() -> None:
    embedder = Counting()
    index = Index(embedder)
    index.update([DISKS, GATEWAY])
    embedder.seen.clear()
    other = document_of("articles/gateway.md", "# Gateway\nA listener per host.")
    done = index.update([DISKS, other])
    assert (done.add, done.remove) == ({"articles/gateway.md"}, {"articles/gateway.md"})
    assert [text.splitlines()[-1] for text in embedder.seen] == ["A listener per host."]
    assert not any("parentRefs" in hit.passage.text for hit in index.search("parentRefs HTTPRoute", 5))
    index.update([other])
    assert "disks" not in found(index, "disk zone")
    assert not index.update([other])
    assert {p.slug for p in index.passages} == {"gateway"}


def test_an_index_changed_step_by_step_answers_like_one_made_at_once() -> None:
    stepwise = index_of(GATEWAY)
    stepwise = Index.from_bytes(stepwise.to_bytes(), HashedGrams())
    stepwise.update([GATEWAY, DISKS, RULE])
    stepwise.update([DISKS, RULE])
    stepwise.update([GATEWAY, DISKS, RULE])
    at_once = index_of(DISKS, GATEWAY, RULE)
    for query in ("disk zone", "parentRefs", "grow"):
        assert [hit.passage for hit in stepwise.search(query, 5)] == [hit.passage for hit in at_once.search(query, 5)]
        assert stepwise.rules(query, 5) == at_once.rules(query, 5)


def test_saved_and_loaded_it_is_the_same_byte_for_byte() -> None:
    index = index_of(DISKS, GATEWAY, RULE)
    again = Index.from_bytes(index.to_bytes(), HashedGrams())
    assert again.to_bytes() == index.to_bytes() == index_of(DISKS, GATEWAY, RULE).to_bytes()
    assert again.search("disk", 5) == index.search("disk", 5)
    assert again.digests == index.digests


def broken_head(change: Callable[[dict[str, object]], object]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(index_of(DISKS).to_bytes())) as archive:
        head, vectors = json.loads(archive.read("index.json")), archive.read("vectors.faiss")
    change(head)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.json", json.dumps(head))
        archive.writestr("vectors.faiss", vectors)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip",
        broken_head(lambda head: head.update(embedder="other")),
        broken_head(lambda head: head.update(schemaVersion=0)),
        broken_head(lambda head: head.update(passages={})),
        broken_head(lambda head: head.update(passages={"0": {"x": "y"}})),
        broken_head(lambda head: head.pop("documents")),
    ],
)
def test_what_is_no_index_of_ours_says_how_to_make_one(data: bytes) -> None:
    with pytest.raises(CriticalError, match="kb build"):
        Index.from_bytes(data, HashedGrams())


def test_vectors_have_length_one_and_never_change() -> None:
    rows = HashedGrams().embed(["storage class", "", "Storage-Class"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 1])
    assert rows[0] == pytest.approx(rows[2])
    assert [int(n) for n in rows[0].nonzero()[0][:3]] == sorted(int(n) for n in HashedGrams().embed(["class storage"])[0].nonzero()[0])[:3]


def test_a_team_s_article_takes_the_place_of_ours_and_no_hidden_or_linked_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "articles" / "deep").mkdir(parents=True)
    ours = "articles/storage-classes-of-aks.md"
    (tmp_path / ours).write_text("Ask Anna of the platform team.")
    (tmp_path / "articles" / "deep" / "on-call.TXT").write_text("Night shift: zebrafish procedure.")
    (tmp_path / "articles" / ".draft.md").write_text("no")
    (tmp_path / "articles" / "linked.md").symlink_to("/etc/passwd")
    (tmp_path / "articles" / "picture.png").write_bytes(b"\x89PNG")
    by_name, built_in = {d.name: d for d in documents(tmp_path)}, {d.name for d in documents()}
    assert by_name[ours].text == "Ask Anna of the platform team."
    assert by_name.keys() - built_in == {"articles/deep/on-call.TXT"}
    index = local.load(None, tmp_path)
    assert found(index, "zebrafish")[0] == "on-call"


def test_a_rule_of_a_team_is_found_among_the_rules(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    text = next(RULES.glob("AKS0101-*.yaml")).read_text()
    (tmp_path / "rules" / "TEAM0001-zebra.yaml").write_text(
        text.replace("AKS0101", "TEAM0001").replace("The storage class", "Zebrafish class")
    )
    assert local.load(None, tmp_path).rules("zebrafish", 1)[0].passage.slug == "TEAM0001"


def test_what_a_team_cannot_mean_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no such folder"):
        documents(tmp_path / "none")
    with pytest.raises(ValidationError, match="holds no articles"):
        documents(tmp_path)
    with pytest.raises(ValidationError, match=r"^articles/x\.md: not UTF-8 text$"):
        Files().read("articles/x.md", b"\xff\xfe\x00")
    with pytest.raises(ValidationError, match="larger than 4 MiB"):
        Files().read("articles/x.md", b"a" * (MAX_BYTES + 1))
    with pytest.raises(ValidationError, match="kb build"):
        local.load(tmp_path)


@pytest.fixture(scope="module")
def shipped() -> Index:
    return local.load()


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("what replaces the dc from openshift", "deploymentconfig-to-deployment"),
        ("PVC stuck in Pending", "pending-because-of-volumes"),
        ("AGIC or application gateway instead of nginx", "application-gateway-for-containers"),
    ],
)
def test_short_names_find_the_article_of_their_kind(question: str, article: str, shipped: Index) -> None:
    assert article in [hit.passage.slug for hit in shipped.search(question, 3)]


@pytest.mark.parametrize("name", ["kb1", "kb2", "kb1-heldout", "kb2-heldout"])
def test_the_right_article_is_among_the_first_three(name: str, shipped: Index) -> None:
    """The aim of 0.95; `make eval` gives the numbers and compares them with other ways."""
    questions = read_questions(name, (QUESTIONS / f"{name}.yaml").read_text())
    found_ = quality(questions, lambda text: [hit.passage.slug for hit in shipped.search(text, 10)])
    assert found_.recall_3 >= 0.95, [item.question for item in found_.missed]
    assert found_.recall_1 >= 0.79
