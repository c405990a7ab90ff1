"""What every knowledge base does, whoever keeps it: FAISS in memory, FAISS in a container, Azure AI Search by its SDK over a local stub.

The same tests run against a real Azure AI Search where AKS_COPILOT_TEST_SEARCH_ENDPOINT and AKS_COPILOT_TEST_SEARCH_KEY are set; they
use an index of their own name and delete it.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY, RULE, fill
from search_server import KEY, SearchServer

from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import Index
from shared.adapters.knowledge.search import Access, AzureSearch
from shared.adapters.knowledge.store import BlobIndex
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.retrieval.changes import PART
from shared.domain.retrieval.passages import Document, document_of
from shared.domain.retrieval.ports import DocumentIndex, Hit

ZONES = document_of("articles/zones.md", "---\ntitle: Zones\nrules: [AKS0123]\n---\nWhere a disk is.")
ENDPOINT, REAL_KEY = (os.environ.get(f"AKS_COPILOT_TEST_SEARCH_{name}", "") for name in ("ENDPOINT", "KEY"))


class Kept:
    """An index, and how another process opens it."""

    def __init__(self, opened: Callable[[], DocumentIndex], settle: float = 0) -> None:
        self.opened, self.index, self._settle = opened, opened(), settle

    def fill(self, *given: Document, index: DocumentIndex | None = None) -> Any:
        done = fill(index or self.index, *given)
        time.sleep(self._settle)  # the real service shows a change after a second or two
        return done


def searching(url: str, key: str, name: str) -> AzureSearch:
    return AzureSearch(Access(url, name, EnvironmentSecrets({"SEARCH_API_KEY": key}), retries=0), HashedGrams(256))


@pytest.fixture(scope="module")
def server() -> Iterator[SearchServer]:
    with SearchServer() as running:
        yield running


def _real() -> Iterator[Kept]:
    if not (ENDPOINT and REAL_KEY):
        pytest.skip("needs a real Azure AI Search: set AKS_COPILOT_TEST_SEARCH_ENDPOINT and AKS_COPILOT_TEST_SEARCH_KEY")
    name = f"aks-copilot-test-{uuid.uuid4().hex[:8]}"
    yield Kept(lambda: searching(ENDPOINT, REAL_KEY, name), settle=3)
    access = Access(ENDPOINT, name, EnvironmentSecrets({"SEARCH_API_KEY": REAL_KEY}))
    access.asked(lambda: access.indexes.delete_index(name))


@pytest.fixture(params=["memory", "container", "search stub", "search service"])
def kept(request: pytest.FixtureRequest, server: SearchServer) -> Iterator[Kept]:
    if request.param == "search service":
        yield from _real()
    elif request.param == "search stub":
        name = f"i-{uuid.uuid4().hex[:8]}"
        yield Kept(lambda: searching(server.url, KEY, name))
    elif request.param == "container":
        blobs = MemoryBlobs()
        yield Kept(lambda: BlobIndex(blobs, ("cache", "index"), HashedGrams()))
    else:
        one = Index(HashedGrams())
        yield Kept(lambda: one)


def slugs(hits: Any) -> list[str]:
    return [hit.passage.slug for hit in hits]


class TestKnowledgeBase:
    def test_the_best_passage_of_each_document_comes_once_with_all_that_it_is(self, kept: Kept) -> None:
        kept.fill(DISKS, GATEWAY, RULE, ZONES)
        hits: list[Hit] = list(kept.index.search("shrink a disk", 5))
        assert (hits[0].passage.slug, hits[0].passage.heading, hits[0].passage.title) == ("disks", "Sizes", "Disks")
        assert hits[0].passage.text == "A disk can grow, never shrink."
        assert hits[0].passage.source == "articles/disks.md"
        assert len(set(slugs(hits))) == len(hits)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert len(kept.index.search("disk gateway", 1)) == 1
        zones = next(hit.passage for hit in hits if hit.passage.slug == "zones")
        assert zones.rules == ("AKS0123",)

    def test_rules_and_articles_are_apart(self, kept: Kept) -> None:
        kept.fill(DISKS, GATEWAY, RULE)
        assert "AKS0101" not in slugs(kept.index.search("the class of a disk", 5))
        assert slugs(kept.index.rules("the class of a disk", 5)) == ["AKS0101"]

    def test_what_explains_a_rule_comes_first_and_only_once(self, kept: Kept) -> None:
        kept.fill(DISKS, GATEWAY, ZONES, RULE)
        query = "a disk can grow, never shrink"
        assert slugs(kept.index.search(query, 1)) == ["disks"]
        found = slugs(kept.index.explaining("AKS0123", query, 3))
        assert found[:2] == ["zones", "disks"]
        assert len(set(found)) == len(found)
        assert slugs(kept.index.explaining("AKS0123", query, 1)) == ["zones"]
        assert slugs(kept.index.explaining("AKS0999", query, 1)) == ["disks"]
        assert slugs(kept.index.explaining("AKS0123", "???", 1)) == ["zones"]
        assert slugs(kept.index.explaining("'; drop", query, 1)) == ["disks"]

    @pytest.mark.parametrize(
        "query", ["", "  ", "???", "how do I do this", "*", '"disk', "disk* +(gate | -way)~", "'", "d" * 5000, "word " * 3000]
    )
    def test_no_query_fails_and_no_operator_works(self, kept: Kept, query: str) -> None:
        kept.fill(DISKS, GATEWAY)
        assert len(kept.index.search(query, 3)) <= 2
        assert kept.index.rules(query, 3) == []

    def test_a_query_without_letters_finds_nothing(self, kept: Kept) -> None:
        kept.fill(DISKS, GATEWAY)
        assert list(kept.index.search("???", 3)) == []
        assert list(kept.index.search("", 3)) == []

    def test_names_of_kubernetes_are_found_by_their_parts_and_mistyped_ones_by_their_letters(self, kept: Kept) -> None:
        kept.fill(DISKS, GATEWAY, ZONES)
        assert slugs(kept.index.search("parent refs", 3))[0] == "gateway"
        assert slugs(kept.index.search("htpproute gatewya", 3))[0] == "gateway"

    def test_another_process_sees_what_was_stored_and_only_what_changed_is_loaded(self, kept: Kept) -> None:
        assert set(kept.fill(DISKS, GATEWAY, RULE).add) == {DISKS.name, GATEWAY.name, RULE.name}
        loaded: list[str] = []
        short = document_of(DISKS.name, "# Disks\nA disk has a price.")
        wanted = {d.name: d for d in (short, GATEWAY, ZONES)}
        done = kept.opened().sync(
            {n: d.digest for n, d in wanted.items()}, lambda names: loaded.extend(names) or [wanted[n] for n in names]
        )
        kept.fill(*wanted.values())
        assert (done.add, done.remove) == ({DISKS.name, ZONES.name}, {DISKS.name, RULE.name})
        assert sorted(loaded) == [DISKS.name, ZONES.name]
        opened = kept.opened()
        assert list(opened.rules("disk", 3)) == []
        assert "shrink" not in " ".join(hit.passage.text for hit in opened.search("shrink a disk", 5))
        assert slugs(opened.search("price", 1)) == ["disks"]
        assert not kept.fill(*wanted.values(), index=opened), "a repetition changes nothing"

    def test_many_documents_are_loaded_part_by_part(self, kept: Kept) -> None:
        wanted = {d.name: d for d in (document_of(f"articles/a{n:03}.md", f"Zebra {n}") for n in range(PART + 1))}
        loaded: list[int] = []

        def load(names: Collection[str]) -> list[Document]:
            loaded.append(len(names))
            return [wanted[name] for name in names]

        kept.index.sync({name: d.digest for name, d in wanted.items()}, load)
        assert loaded == [PART, 1]
        assert not kept.fill(*wanted.values())

    def test_it_can_be_emptied(self, kept: Kept) -> None:
        kept.fill(DISKS, RULE)
        kept.fill()
        assert (list(kept.index.search("disk", 3)), list(kept.index.rules("disk", 3))) == ([], [])
