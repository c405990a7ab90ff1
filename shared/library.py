"""The knowledge base of the pipeline, wired: Azure AI Search where one is configured, else an index in the container `cache`.

Both are searched by words and by vectors; the vectors are those of the embedding deployment where the model's settings name one, else
the program's own. Until there is an index the shipped articles are searched. shared.services imports this module when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from azure.core.credentials import TokenCredential

from shared.adapters import model_key
from shared.adapters.knowledge import local
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.openai_embeddings import OpenAIEmbedder
from shared.adapters.knowledge.shipped import OrShipped
from shared.adapters.knowledge.store import BlobIndex
from shared.adapters.knowledge.vector_cache import CachedEmbedder
from shared.domain.ports import BlobStore, SecretStore
from shared.domain.retrieval.ports import DocumentIndex, Embedder
from shared.model_settings import ModelSettings
from shared.pipeline import names
from shared.settings import SearchSettings

SEARCH_DIMENSIONS = 2048
"""Of our own vectors in Azure AI Search, which bounds them (3072 or 4096, by the age of its documentation)."""

Credential = Callable[[], TokenCredential]
"""Makes the identity, where it is used."""


def build_library(
    blobs: BlobStore,
    secrets: SecretStore,
    credential: Credential,
    search: SearchSettings | None = None,
    model: ModelSettings | None = None,
) -> DocumentIndex:
    """The knowledge base that the settings name."""
    theirs = _embedder(model, blobs, secrets, credential) if model is not None and model.embedding_model else None
    if search is not None and search.endpoint:
        index: DocumentIndex = _in_search(search, secrets, credential, theirs or HashedGrams(SEARCH_DIMENSIONS))
    else:
        index = BlobIndex(blobs, (names.CACHE, names.KNOWLEDGE_INDEX), theirs or HashedGrams())
    return OrShipped(index, cache(local.load))


def _in_search(search: SearchSettings, secrets: SecretStore, credential: Credential, embedder: Embedder) -> DocumentIndex:
    from shared.adapters.knowledge.search import Access, AzureSearch  # noqa: PLC0415 - the SDK is slow to import

    return AzureSearch(Access(search.endpoint, search.index, secrets, credential() if search.auth == "identity" else None), embedder)


def _embedder(model: ModelSettings, blobs: BlobStore, secrets: SecretStore, credential: Credential) -> Embedder:
    theirs = OpenAIEmbedder(model, model_key.build(model.auth, secrets, credential))
    return CachedEmbedder(theirs, blobs, (names.CACHE, names.VECTORS))
