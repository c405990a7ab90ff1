"""Azure AI Search by its SDK against the local stub: schema, errors, keys, paging, and two at once over the container `knowledge`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY, fill, found
from refresh_support import Small
from search_server import KEY, SearchServer

from shared.adapters.knowledge import search as adapter
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.search import Access, AzureSearch
from shared.adapters.secrets import CachedSecrets, EnvironmentSecrets
from shared.domain.errors import CriticalError, TransientError
from shared.domain.retrieval.passages import document_of
from shared.domain.retrieval.ports import NoIndexError
from shared.pipeline import names
from shared.pipeline.knowledge_index import refresh

SECRETS = EnvironmentSecrets({"SEARCH_API_KEY": KEY})


@pytest.fixture
def server() -> Iterator[SearchServer]:
    with SearchServer() as running:
        yield running


def index_at(server: SearchServer, dimensions: int = 64, **how: Any) -> AzureSearch:
    return AzureSearch(Access(server.url, "kb", how.pop("secrets", SECRETS), retries=how.pop("retries", 0)), HashedGrams(dimensions))


def documents_in(server: SearchServer) -> set[str]:
    return {row["document"] for row in server.indexes["kb"].rows.values()}


def test_the_program_makes_its_index_and_a_search_before_says_that_there_is_none(server: SearchServer) -> None:
    with pytest.raises(NoIndexError, match="see SEARCH_ENDPOINT and SEARCH_INDEX"):
        index_at(server).search("disk", 3)
    fill(index_at(server), DISKS)
    schema = server.indexes["kb"].schema
    fields = {f["name"]: f for f in schema["fields"]}
    assert [name for name, f in fields.items() if f.get("key")] == ["key"]
    assert (fields["vector"]["dimensions"], fields["vector"]["retrievable"]) == (64, False)
    assert fields["words"]["analyzer"] == "en.lucene"
    assert schema["similarity"]["@odata.type"] == "#Microsoft.Azure.Search.BM25Similarity"
    made = [asked for asked in server.asked if asked.method == "PUT"]
    fill(index_at(server), DISKS)
    assert len([asked for asked in server.asked if asked.method == "PUT"]) == len(made) + 1
    assert documents_in(server) == {DISKS.name}


def test_a_query_is_hybrid_over_the_chosen_rows(server: SearchServer) -> None:
    index = index_at(server)
    fill(index, DISKS)
    index.search("storageClassName", 3)
    body = server.asked[-1].body
    assert body["search"] == "storageclassname storage class name"
    assert body["filter"] == "is_rule eq false"
    (nearest,) = body["vectorQueries"]
    assert (nearest["kind"], nearest["fields"], nearest["k"], nearest["weight"], len(nearest["vector"])) == (
        "vector",
        "vector",
        100,
        0.5,
        64,
    )
    assert body["vectorFilterMode"] == "preFilter"


def test_keys_are_stable_and_a_shorter_document_leaves_no_passage_behind(server: SearchServer) -> None:
    index = index_at(server)
    fill(index, DISKS, GATEWAY)
    before = set(server.indexes["kb"].rows)
    assert len(before) == 3
    server.indexes["kb"].rows.clear()
    fill(index, DISKS, GATEWAY)
    assert set(server.indexes["kb"].rows) == before
    fill(index, document_of(DISKS.name, "One passage."), GATEWAY)
    assert set(server.indexes["kb"].rows) < before
    assert len(server.indexes["kb"].rows) == 2


def test_other_vectors_are_all_made_anew_and_another_length_makes_another_index(server: SearchServer) -> None:
    fill(index_at(server), DISKS)

    class Other(HashedGrams):
        def __init__(self) -> None:
            super().__init__(64)
            self.name = "other"

    assert fill(AzureSearch(Access(server.url, "kb", SECRETS, retries=0), Other()), DISKS).add == {DISKS.name}
    assert fill(index_at(server, 32), DISKS).add == {DISKS.name}
    assert server.indexes["kb"].vectors() == {"vector": 32}
    assert "DELETE" in [asked.method for asked in server.asked]
    assert found(index_at(server, 32), "disk") == ["disks"]


def test_a_document_that_lost_a_passage_is_written_again(server: SearchServer) -> None:
    index = index_at(server)
    fill(index, DISKS, GATEWAY)
    del server.indexes["kb"].rows[max(key for key, row in server.indexes["kb"].rows.items() if row["document"] == DISKS.name)]
    assert fill(index_at(server), DISKS, GATEWAY).add == {DISKS.name}
    assert len(server.indexes["kb"].rows) == 3


def test_many_rows_are_read_and_deleted_page_by_page(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "PAGE", 3)
    monkeypatch.setattr(adapter, "BATCH", 2)
    many = [document_of(f"articles/a{n}.md", f"Zebra {n}") for n in range(7)]
    assert len(fill(index_at(server), *many).add) == 7
    assert not fill(index_at(server), *many)
    server.asked.clear()
    fill(index_at(server), many[0])
    assert documents_in(server) == {"articles/a0.md"}
    sent = [asked.body for asked in server.asked if asked.body and "value" in asked.body]
    assert [len(body["value"]) for body in sent] == [3, 3]


WRONG = [
    (429, {"Retry-After": "7"}, TransientError, r"busy \(429\)"),
    (503, {}, TransientError, r"busy \(503\)"),
    (500, {}, TransientError, r"busy \(500\)"),
    (401, {}, CriticalError, "refuses the key or the identity"),
    (403, {}, CriticalError, "refuses the key or the identity"),
    (400, {}, CriticalError, r"does not take the request \(400\)"),
]


@pytest.mark.parametrize(("status", "headers", "kind", "said"), WRONG)
def test_what_the_service_refuses_is_one_line_without_its_words(
    server: SearchServer, status: int, headers: dict[str, str], kind: type[Exception], said: str
) -> None:
    index = index_at(server)
    fill(index, DISKS)
    server.wrong = [(status, headers)] * 3
    with pytest.raises(kind, match=said) as error:
        index.search("disk", 1)
    assert "secret-of-the-service" not in str(error.value)
    assert KEY not in str(error.value)
    if isinstance(error.value, TransientError):
        assert error.value.retry_after == (7.0 if status == 429 else None)


def test_a_short_outage_is_waited_for_and_no_service_is_one_line(server: SearchServer) -> None:
    index = index_at(server, retries=1)
    fill(index, DISKS)
    server.wrong = [(503, {"Retry-After": "0"})]
    assert found(index, "disk") == ["disks"]
    gone = AzureSearch(Access("http://127.0.0.1:9", "kb", SECRETS, retries=0), HashedGrams(64))
    with pytest.raises(TransientError, match="does not answer"):
        gone.search("disk", 1)


@pytest.mark.parametrize(("status", "kind"), [(503, TransientError), (422, TransientError), (400, CriticalError)])
def test_passages_that_are_not_taken_are_told_and_tried_again_the_next_time(
    server: SearchServer, status: int, kind: type[Exception]
) -> None:
    server.refuse_rows = lambda row: status if row.get("document") == DISKS.name else 0
    with pytest.raises(kind, match=rf"does not take 2 passages \({status}\)"):
        fill(index_at(server), DISKS, GATEWAY)
    server.refuse_rows = lambda _: 0
    assert DISKS.name in fill(index_at(server), DISKS, GATEWAY).add
    assert documents_in(server) == {DISKS.name, GATEWAY.name}


def test_a_rotated_key_is_read_again_and_a_missing_one_is_named(server: SearchServer) -> None:
    now, stored = [0.0], {"search-api-key": "old"}
    secrets = CachedSecrets(stored.get, 300, clock=lambda: now[0])
    index = index_at(server, secrets=secrets)
    with pytest.raises(CriticalError, match="refuses the key"):
        index.search("disk", 1)
    stored["search-api-key"] = KEY
    now[0] += 60
    fill(index, DISKS)
    assert found(index, "disk") == ["disks"]
    with pytest.raises(CriticalError, match="the secret search-api-key is not set"):
        index_at(server, secrets=EnvironmentSecrets({})).search("disk", 1)


def test_an_identity_is_asked_for_a_token_of_the_service() -> None:
    asked: list[str] = []

    class Credential:
        def get_token(self, *scopes: str, **options: object) -> AccessToken:
            asked.extend(scopes)
            return AccessToken("a-token", 4_000_000_000)

    access = Access("https://localhost:9", "kb", EnvironmentSecrets({}), Credential(), retries=0)
    with pytest.raises(TransientError, match="does not answer"):
        AzureSearch(access, HashedGrams(64)).search("disk", 1)
    assert asked == ["https://search.azure.com/.default"]


@pytest.mark.parametrize("at", range(1, 9))
def test_two_that_index_the_container_at_once_both_end_right(server: SearchServer, at: int) -> None:
    """Another refresh, with other uploads, runs whole before the n-th request of the first to the search service."""
    blobs, library = MemoryBlobs(), Small()
    for name in ("gone", "changed"):
        blobs.write(names.KNOWLEDGE, f"articles/{name}.md", f"Zebra {name}".encode())
    refresh(blobs, index_at(server), library)
    blobs.write(names.KNOWLEDGE, "articles/new.md", b"Zebra new")
    blobs.write(names.KNOWLEDGE, "articles/changed.md", b"Zebra changed again")
    first, count = Access(server.url, "kb", SECRETS, retries=0), [0]
    asked = first.asked

    def other() -> None:
        blobs.delete(names.KNOWLEDGE, "articles/gone.md")
        blobs.delete(names.KNOWLEDGE, "articles/new.md")
        blobs.write(names.KNOWLEDGE, "articles/changed.md", b"Zebra changed a third time")
        refresh(blobs, index_at(server), library)

    def interrupted(action: Any) -> Any:
        count[0] += 1
        if count[0] == at:
            other()
        return asked(action)

    first.asked = interrupted  # type: ignore[method-assign]
    refresh(blobs, AzureSearch(first, HashedGrams(64)), library)
    if count[0] < at:
        other()
    assert documents_in(server) == {DISKS.name, GATEWAY.name, "articles/changed.md"}
    assert index_at(server).search("zebra changed", 1)[0].passage.text == "Zebra changed a third time"
    assert not refresh(blobs, index_at(server), library)
