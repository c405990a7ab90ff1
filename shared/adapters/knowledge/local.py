"""The knowledge base of one machine, for the command line: an index in a folder or in memory, with vectors that need no network."""

from __future__ import annotations

from pathlib import Path

from shared.adapters.knowledge import store
from shared.adapters.knowledge.documents import collected, documents
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import Index
from shared.domain.errors import ValidationError
from shared.domain.retrieval.changes import Changes
from shared.domain.retrieval.ports import NoIndexError


def build(kept: Path, team: Path | None = None) -> tuple[Index, Changes, list[str]]:
    """Bring the index in the folder `kept` up to date, or make it; one that cannot be used is made anew.

    The index, what was done, and a line for each file of the team that could not be used.
    """
    try:
        index = store.load(kept, HashedGrams()) or Index(HashedGrams())
    except NoIndexError:
        index = Index(HashedGrams())
    found = collected(team)
    done = index.update(found.documents)
    if done:
        store.save(kept, index)
    return index, done, found.problems


def load(kept: Path | None = None, team: Path | None = None) -> Index:
    """The index in the folder `kept`; without one an index in memory. Raises ValidationError where the folder holds none."""
    if kept is None:
        index = Index(HashedGrams())
        index.update(documents(team))
        return index
    found = store.load(kept, HashedGrams())
    if found is None:
        raise ValidationError(f"{kept}: holds no index; `aks-copilot kb build --index {kept}` makes one")
    return found
