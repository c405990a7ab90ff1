"""Embeddings of a service: real SDK, scripted server; kept by their content, and used by the index in the place of our own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY, fill, found
from model_server import ModelServer, Turn, cut, embeds, fails, send

from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.openai_embeddings import BATCH, MAX_BYTES, OpenAIEmbedder
from shared.adapters.knowledge.store import FRESH_SECONDS, BlobIndex
from shared.adapters.knowledge.vector_cache import CHUNK, CachedEmbedder
from shared.adapters.model_key import NoKey
from shared.domain.errors import CriticalError, PausedError, TransientError
from shared.model_settings import ModelSettings, load_model_settings

DIMENSIONS = 16
PLACE = ("cache", "knowledge/vectors/")


def embedder(there: ModelServer, naps: list[float] | None = None, **settings: Any) -> OpenAIEmbedder:
    given = {"timeout": 5, "embedding_model": "small-embed", "embedding_dimensions": DIMENSIONS} | settings
    return OpenAIEmbedder(ModelSettings("suggest", there.url, "small", **given), NoKey(), sleep=(naps if naps is not None else []).append)


def rows(*lengths: int, start: int = 0) -> Turn:
    data = [{"index": start + place, "embedding": [1.0] * length} for place, length in enumerate(lengths)]
    return send(200, {"data": data, "usage": {"total_tokens": 3}})


def test_rows_have_length_one_in_the_order_of_the_texts_and_nothing_is_asked_for_blank_ones() -> None:
    with ModelServer(embeds(DIMENSIONS)) as there:
        got = embedder(there).embed(["disk", " \n", "gateway", "disk"])
        assert np.linalg.norm(got, axis=1) == pytest.approx([1, 0, 1, 1])
        assert got[0] == pytest.approx(got[3])
        assert got[0] != pytest.approx(got[2])
        assert embedder(there).embed(["", "  "]).tolist() == [[0.0] * DIMENSIONS] * 2
    (asked,) = there.asked
    assert asked.path == "/v1/embeddings"
    assert asked.json == {"model": "small-embed", "input": ["disk", "gateway", "disk"], "encoding_format": "float"}


def test_many_texts_go_in_batches_and_a_long_one_is_cut_at_a_whole_letter() -> None:
    with ModelServer(embeds(DIMENSIONS)) as there:
        got = embedder(there).embed([f"text {n}" for n in range(2 * BATCH + 1)] + ["\u20ac" * MAX_BYTES])
        assert got.shape == (2 * BATCH + 2, DIMENSIONS)
    assert [len(asked.json["input"]) for asked in there.asked] == [BATCH, BATCH, 2]
    assert there.asked[2].json["input"][1] == "\u20ac" * (MAX_BYTES // 3)


@pytest.mark.parametrize("turn", [fails(429, retry_after="1"), fails(503), fails(500), cut])
def test_what_passes_by_itself_is_asked_again(turn: Turn) -> None:
    naps: list[float] = []
    with ModelServer(turn, embeds(DIMENSIONS)) as there:
        assert embedder(there, naps).embed(["disk"]).shape == (1, DIMENSIONS)
    assert len(naps) == 1
    assert len(there.asked) == 2


@pytest.mark.parametrize(
    ("turn", "kind", "said"),
    [
        (fails(429, retry_after="300"), PausedError, "busy"),
        (fails(401), CriticalError, "refuses the key"),
        (fails(404), CriticalError, "see LLM_BASE_URL and LLM_EMBEDDING_MODEL"),
        (fails(400, "invalid_value"), CriticalError, r"see LLM_EMBEDDING_MODEL \(400 invalid_value\)"),
        (rows(DIMENSIONS + 1), CriticalError, f"vectors of {DIMENSIONS + 1} numbers: see LLM_EMBEDDING_DIMENSIONS"),
        (rows(DIMENSIONS, DIMENSIONS), CriticalError, "other texts"),
        (rows(DIMENSIONS, start=1), CriticalError, "other texts"),
        (rows(), CriticalError, "other texts"),
        (send(200, {"data": [{"index": 0, "embedding": ["secret-of-the-service"]}]}), CriticalError, "holds no embeddings"),
        (send(200, '{"data": [{"index": 0, "embedding": [NaN]}]}'), CriticalError, "holds no embeddings"),
        (send(200, "hello"), CriticalError, "holds no embeddings"),
        (send(200, b" " * 17 * 1024 * 1024), CriticalError, "sends more than"),
        (cut, TransientError, "does not answer"),
    ],
)
def test_what_the_service_does_wrong_is_one_line_without_its_words(turn: Turn, kind: type[Exception], said: str) -> None:
    with ModelServer(turn) as there, pytest.raises(kind, match=said) as error:
        embedder(there).embed(["disk"])
    assert "secret-of-the-service" not in str(error.value)
    assert "\n" not in str(error.value)


def test_the_tokens_are_logged_and_the_texts_are_not(caplog: pytest.LogCaptureFixture) -> None:
    with ModelServer(embeds(DIMENSIONS)) as there, caplog.at_level("INFO"):
        embedder(there).embed(["zebra"])
    assert '"message": "embedded", "texts": 1, "tokens": 7' in caplog.text
    assert "zebra" not in caplog.text


def test_a_vector_is_kept_by_its_text_and_its_model() -> None:
    blobs = MemoryBlobs()
    with ModelServer(embeds(DIMENSIONS)) as there:
        first = CachedEmbedder(embedder(there), blobs, PLACE).embed(["disk", "gateway", "disk"])
        again = CachedEmbedder(embedder(there), blobs, PLACE).embed(["gateway", "disk"])
        assert len(there.asked) == 1
        assert there.asked[0].json["input"] == ["disk", "gateway"]
        assert again.tobytes() == first[[1, 0]].tobytes(), "the same to the last bit"
        name = next(iter(blobs.texts("cache")))
        CachedEmbedder(embedder(there, embedding_model="other"), blobs, PLACE).embed(["disk"])
        assert len(there.asked) == 2
        blobs.write("cache", name, b"cut off")
        CachedEmbedder(embedder(there), blobs, PLACE).embed(["disk", "gateway"])
        assert len(there.asked) == 3
    assert len(blobs.texts("cache", "knowledge/vectors/")) == 3


def test_what_was_embedded_before_a_failure_is_not_asked_again() -> None:
    blobs, texts = MemoryBlobs(), [f"text {n}" for n in range(CHUNK + 1)]
    batches = CHUNK // BATCH
    with ModelServer(*[embeds(DIMENSIONS)] * batches, fails(401), embeds(DIMENSIONS)) as there:
        with pytest.raises(CriticalError):
            CachedEmbedder(embedder(there), blobs, PLACE).embed(texts)
        assert CachedEmbedder(embedder(there), blobs, PLACE).embed(texts).shape == (CHUNK + 1, DIMENSIONS)
    assert [len(asked.json["input"]) for asked in there.asked] == [BATCH] * batches + [1, 1]


def test_an_index_of_our_own_vectors_is_built_anew_when_a_service_is_configured() -> None:
    blobs, now = MemoryBlobs(), [0.0]
    fill(BlobIndex(blobs, ("cache", "i"), HashedGrams()), DISKS)
    with ModelServer(embeds(DIMENSIONS)) as there:
        index = BlobIndex(blobs, ("cache", "i"), CachedEmbedder(embedder(there), blobs, PLACE), clock=lambda: now[0])
        with pytest.raises(CriticalError, match="another version"):
            index.search("disk", 1)
        fill(index, DISKS, GATEWAY)
        assert found(index, "disk zone")[0] == "disks"
        asked = len(there.asked)
        now[0] += FRESH_SECONDS
        assert found(index, "disk zone")[0] == "disks"
        assert len(there.asked) == asked


def test_settings_name_the_deployment_only_where_a_model_may_be_asked() -> None:
    named = {"LLM_BASE_URL": "http://localhost:1/v1", "LLM_MODEL": "m", "LLM_EMBEDDING_MODEL": "e", "LLM_EMBEDDING_DIMENSIONS": "64"}
    loaded = load_model_settings(named)
    assert (loaded.embedding_model, loaded.embedding_dimensions) == ("e", 64)
    assert load_model_settings(named | {"LLM_MODE": "off"}).embedding_model == ""
    with pytest.raises(CriticalError, match="LLM_EMBEDDING_DIMENSIONS must be a whole number from 2 to 4096"):
        load_model_settings(named | {"LLM_EMBEDDING_DIMENSIONS": "9999"})
