"""The index in Azure AI Search: its schema, and a passage as a row of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from azure.search.documents.indexes.models import (
    BM25SimilarityAlgorithm,
    HnswAlgorithmConfiguration,
    HnswParameters,
    SearchableField,
    SearchField,
    SearchFieldDataType,
    SearchIndex,
    SimpleField,
    VectorSearch,
    VectorSearchProfile,
)

from shared.adapters.knowledge.index import RULES
from shared.adapters.knowledge.keywords import K1, B
from shared.domain.retrieval.passages import Document, Passage, passages_of
from shared.domain.retrieval.ports import Embedder
from shared.domain.retrieval.words import words

SCHEMA = 1
VECTOR = "vector"
SHOWN = ("document", "slug", "title", "heading", "text", "source", "rules")
"""What makes a Passage again."""

Row = dict[str, Any]


def schema(name: str, dimensions: int) -> SearchIndex:
    """The index: words for BM25 with the constants of the local search, vectors by their angle."""
    return SearchIndex(
        name=name,
        fields=[
            SimpleField(name="key", type=SearchFieldDataType.STRING, key=True, filterable=True, sortable=True),
            SimpleField(name="document", type=SearchFieldDataType.STRING, filterable=True),
            SimpleField(name="mark", type=SearchFieldDataType.STRING),
            SimpleField(name="count", type=SearchFieldDataType.INT32),
            SimpleField(name="is_rule", type=SearchFieldDataType.BOOLEAN, filterable=True),
            SimpleField(name="rules", type="Collection(Edm.String)", filterable=True),
            *(SimpleField(name=name, type=SearchFieldDataType.STRING) for name in ("slug", "title", "heading", "text", "source")),
            SearchableField(name="words", hidden=True, analyzer_name="en.lucene"),
            SearchField(
                name=VECTOR,
                type="Collection(Edm.Single)",
                searchable=True,
                hidden=True,
                vector_search_dimensions=dimensions,
                vector_search_profile_name="nearest",
            ),
        ],
        similarity=BM25SimilarityAlgorithm(k1=K1, b=B),
        vector_search=VectorSearch(
            algorithms=[HnswAlgorithmConfiguration(name="hnsw", parameters=HnswParameters(metric="cosine"))],
            profiles=[VectorSearchProfile(name="nearest", algorithm_configuration_name="hnsw")],
        ),
    )


def rows_of(documents: Sequence[Document], embedder: Embedder) -> list[Row]:
    """The passages of documents, embedded together. A row's key is made of the document's name and the passage's place: a repetition
    writes the same rows."""
    passages = [(document, place, passage) for document in documents for place, passage in enumerate(passages_of(document))]
    count = Counter(document.name for document, _, _ in passages)
    vectors = embedder.embed([passage.searchable for _, _, passage in passages])
    return [
        {
            "key": f"{hashlib.sha256(document.name.encode()).hexdigest()[:40]}-{place:05d}",
            "mark": mark(document.digest, embedder),
            "count": count[document.name],
            "is_rule": document.name.startswith(RULES),
            "words": terms(passage.searchable),
            VECTOR: [round(number, 7) for number in vector.tolist()],
            **{name: value for name, value in passage.to_json().items() if name in SHOWN},
        }
        for (document, place, passage), vector in zip(passages, vectors, strict=True)
    ]


def passage_of(row: Mapping[str, Any]) -> Passage:
    """The passage of a row."""
    return Passage.from_json({name: row[name] for name in SHOWN})


def mark(digest: str, embedder: Embedder) -> str:
    """What says that a row is up to date: the document's digest, whose vectors, which schema."""
    return hashlib.sha256(f"{SCHEMA} {embedder.name} {digest}".encode()).hexdigest()


def terms(text: str) -> str:
    """The words as the local search cuts them, with nothing in them that a query could take for an operator."""
    return " ".join(words(text))
