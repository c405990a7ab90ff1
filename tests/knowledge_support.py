"""Three small documents and an index of them, for the tests of the knowledge base."""

from __future__ import annotations

from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import Index
from shared.adapters.knowledge.store import BlobIndex
from shared.domain.retrieval.passages import Document, document_of

DISKS = document_of("articles/disks.md", "# Disks\nA disk belongs to one zone.\n# Sizes\nA disk can grow, never shrink.")
GATEWAY = document_of("articles/gateway.md", "# Gateway\nAn HTTPRoute names its Gateway by parentRefs.")
RULE = Document("rules/AKS0101.yaml", "AKS0101 The class of a disk", "The disk has no class.")


def index_of(*given: Document) -> Index:
    index = Index(HashedGrams())
    index.update(given)
    return index


def found(index: Index | BlobIndex, query: str) -> list[str]:
    return [hit.passage.slug for hit in index.search(query, 5)]
