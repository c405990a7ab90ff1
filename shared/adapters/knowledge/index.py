"""The index: passages, their vectors in FAISS, the digests of the documents they came from; one file, changed only where documents did."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import faiss
import numpy as np

from shared.adapters.knowledge.keywords import Keywords
from shared.domain.retrieval.changes import Changes, changes, parts
from shared.domain.retrieval.fusion import fuse
from shared.domain.retrieval.passages import Document, Passage, passages_of
from shared.domain.retrieval.ports import Embedder, Hit, Load, NoIndexError

SCHEMA = 1
RULES = "rules/"
VECTOR_WEIGHT, CONSTANT, DEPTH = 0.5, 10, 100
"""What the ranking by vectors counts beside BM25's 1, the constant of the fusion, how deep a ranking goes: measured by `make eval`."""

_HEAD, _VECTORS = "index.json", "vectors.faiss"


class Index:
    """A DocumentIndex. Not changed by searches, so that threads may share it; `update` and `sync` are for the one who builds it."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(embedder.dimensions))
        self._passages: dict[int, Passage] = {}
        self._digests: dict[str, str] = {}
        self._next = 0
        self._words: dict[bool, tuple[list[int], Keywords]] = {}

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Everything in it, in the order in which it came."""
        return tuple(self._passages.values())

    @property
    def digests(self) -> Mapping[str, str]:
        """The digest of each document in it, by name."""
        return self._digests

    def update(self, documents: Iterable[Document]) -> Changes:
        """Make the index hold exactly these documents; only what is new or changed is embedded. What it did is the answer."""
        wanted = {document.name: document for document in documents}
        return self.sync({name: document.digest for name, document in wanted.items()}, lambda names: [wanted[name] for name in names])

    def sync(self, wanted: Mapping[str, str], load: Load) -> Changes:
        """See DocumentIndex; for the one who builds the index. After an error it holds a part of them."""
        todo = changes(self._digests, wanted)
        if todo:
            self._words.clear()
            self._remove(todo.remove)
            for names in parts(todo.add):
                self._add(load(names))
        return todo

    def search(self, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase."""
        return self._search(query, k, rules=False)

    def rules(self, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase."""
        return self._search(query, k, rules=True)

    def explaining(self, rule_id: str, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase. An article of the rule is the right one although no word of the query stands in it."""
        hits = self._search(query, len(self._passages), rules=False)
        seen = {hit.passage.document for hit in hits}
        silent = [hit for name, hit in sorted(self._of_rule(rule_id).items()) if name not in seen]
        return sorted([*hits, *silent], key=lambda hit: rule_id not in hit.passage.rules)[:k]

    def to_bytes(self) -> bytes:
        """The index as a file; the same content gives the same bytes."""
        head = {
            "schemaVersion": SCHEMA,
            "embedder": self._embedder.name,
            "documents": self._digests,
            "passages": {str(number): passage.to_json() for number, passage in self._passages.items()},
        }
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in ((_HEAD, json.dumps(head).encode()), (_VECTORS, faiss.serialize_index(self._vectors).tobytes())):
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # ZipInfo without a time: reproducible
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, embedder: Embedder) -> Index:
        """An index of `to_bytes`. Raises NoIndexError where it is none, or its vectors are of another embedder: it must be built anew."""
        index = cls(embedder)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                head = json.loads(archive.read(_HEAD))
                vectors = faiss.deserialize_index(np.frombuffer(archive.read(_VECTORS), dtype=np.uint8))
            known = (head["schemaVersion"], head["embedder"]) == (SCHEMA, embedder.name)
            index._passages = {int(number): Passage.from_json(passage) for number, passage in head["passages"].items()}
            index._digests = dict(head["documents"])
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise NoIndexError("the index of the knowledge base cannot be read; build it anew (`aks-copilot kb build`)") from error
        if not known or vectors.ntotal != len(index._passages):
            raise NoIndexError("the index of the knowledge base was built by another version; build it anew (`aks-copilot kb build`)")
        index._vectors, index._next = vectors, max(index._passages, default=-1) + 1
        return index

    def _of_rule(self, rule_id: str) -> dict[str, Hit]:
        """The first passage of each article that explains a rule, by the article's name."""
        theirs = (p for p in reversed(self._passages.values()) if rule_id in p.rules and not p.document.startswith(RULES))
        return {p.document: Hit(p, 0.0) for p in theirs}

    def _remove(self, names: frozenset[str]) -> None:
        gone = [number for number, passage in self._passages.items() if passage.document in names]
        self._vectors.remove_ids(np.array(gone, dtype=np.int64))
        for number in gone:
            del self._passages[number]
        for name in names:
            del self._digests[name]

    def _add(self, documents: Sequence[Document]) -> None:
        new = [passage for document in documents for passage in passages_of(document)]
        self._digests |= {document.name: document.digest for document in documents}
        if not new:
            return
        numbers = range(self._next, self._next + len(new))
        self._vectors.add_with_ids(self._embedder.embed([p.searchable for p in new]), np.array(numbers, dtype=np.int64))
        self._passages |= dict(zip(numbers, new, strict=True))
        self._next += len(new)

    def _search(self, query: str, k: int, *, rules: bool) -> list[Hit]:
        numbers, keywords = self._keywords(rules=rules)
        by_words = [numbers[place] for place in keywords.ranking(query, DEPTH)]
        best: dict[str, Hit] = {}
        for number, score in fuse([(1, by_words), (VECTOR_WEIGHT, self._nearest(query, numbers))], CONSTANT):
            passage = self._passages[number]
            best.setdefault(passage.document, Hit(passage, score))
        return list(best.values())[:k]

    def _keywords(self, *, rules: bool) -> tuple[list[int], Keywords]:
        found = self._words.get(rules)
        if found is None:
            numbers = [n for n, passage in self._passages.items() if passage.document.startswith(RULES) == rules]
            found = self._words[rules] = (numbers, Keywords([self._passages[n].searchable for n in numbers]))
        return found

    def _nearest(self, query: str, numbers: list[int]) -> list[int]:
        if not numbers:
            return []
        among: Any = faiss.SearchParameters(  # type: ignore[call-arg] # its constructor is made at run time
            sel=faiss.IDSelectorBatch(np.array(numbers, dtype=np.int64))
        )
        scores, found = self._vectors.search(self._embedder.embed([query]), min(DEPTH, len(numbers)), params=among)
        return [int(n) for score, n in zip(scores[0], found[0], strict=True) if n >= 0 and score > 0]
