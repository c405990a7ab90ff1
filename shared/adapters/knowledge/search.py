"""Azure AI Search as a DocumentIndex: hybrid search by words and vectors, an index that the program makes itself.

The identity needs *Search Index Data Contributor* and *Search Service Contributor*
(https://learn.microsoft.com/en-us/azure/search/search-security-rbac, read 2026-11).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient
from azure.search.documents.models import IndexingResult, VectorizedQuery

from shared.adapters.knowledge.index import DEPTH, VECTOR_WEIGHT
from shared.adapters.knowledge.search_rows import SHOWN, VECTOR, Row, mark, passage_of, rows_of, schema
from shared.domain.errors import AccessError, AksCopilotError, CriticalError, TransientError
from shared.domain.ports import SecretStore
from shared.domain.retrieval.changes import Changes, changes, parts
from shared.domain.retrieval.ports import Embedder, Hit, Load, NoIndexError
from shared.domain.retrieval.words import question_words

SECRET = "search-api-key"  # noqa: S105 - the name of a secret
BATCH = 50
"""Rows of one upload: 16 MB and 1000 rows are the service's limits, and a row of 4096 numbers has 50 KB."""
PAGE = 1000
_QUERY_WORDS = 200
_BUSY = (408, 409, 422, 429)
ARTICLES_ONLY, RULES_ONLY = "is_rule eq false", "is_rule eq true"
T = TypeVar("T")


class Access:
    """The clients of one index, by a managed identity or by the secret `search-api-key`, which is read again where it is refused."""

    def __init__(
        self,
        endpoint: str,
        index: str,
        secrets: SecretStore,
        credential: TokenCredential | None = None,
        retries: int = 3,
        seconds: int = 60,
    ) -> None:
        """With a credential the secret is not looked at; an answer may take so many seconds."""
        self._secrets, self._key = None if credential else secrets, AzureKeyCredential("unset")
        shown: Any = credential or self._key
        options: dict[str, Any] = {"retry_total": retries, "retry_backoff_max": 20, "connection_timeout": 5, "read_timeout": seconds}
        self.name = index
        self.documents = SearchClient(endpoint, index, shown, **options)
        self.indexes = SearchIndexClient(endpoint, shown, **options)

    def asked(self, action: Callable[[], T]) -> T:
        """What an action of the SDK gives. Raises TransientError or CriticalError in one line without the service's words."""
        if self._secrets is None:
            return _translated(action)
        key = self._secrets.get(SECRET)
        if not key:
            raise CriticalError(f"the secret {SECRET} is not set")
        self._key.update(key)
        try:
            return _translated(action)
        except _RefusedError:
            newer = self._secrets.renewed(SECRET, key)
            if newer is None:
                raise
            self._key.update(newer)
            return _translated(action)


class AzureSearch:
    """See DocumentIndex. Safe to share between threads."""

    def __init__(self, access: Access, embedder: Embedder) -> None:
        self._access, self._embedder = access, embedder
        self._lock, self._made = threading.Lock(), False

    def search(self, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase."""
        return self._hits(query, ARTICLES_ONLY)[:k]

    def rules(self, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase."""
        return self._hits(query, RULES_ONLY)[:k]

    def explaining(self, rule_id: str, query: str, k: int) -> list[Hit]:
        """See KnowledgeBase."""
        theirs = f"{ARTICLES_ONLY} and rules/any(rule: rule eq {_quoted(rule_id)})"
        first = self._hits(query, theirs) or self._best("*", (), theirs)
        named = {hit.passage.document for hit in first}
        return [*first, *(hit for hit in self._hits(query, ARTICLES_ONLY) if hit.passage.document not in named)][:k]

    def sync(self, wanted: Mapping[str, str], load: Load) -> Changes:
        """See DocumentIndex. Rows are written before others are deleted: a document that changed is always found."""
        self._make()
        marks = {name: mark(digest, self._embedder) for name, digest in wanted.items()}
        before = self._held()
        held = {name: _whole(rows) for name, rows in before.items()}
        todo = changes(held, marks)
        written = self._written(row for names in parts(todo.add) for row in rows_of(load(names), self._embedder))
        self._delete([row["key"] for name in sorted(todo.remove) for row in before[name] if row["key"] not in written])
        return todo

    def _written(self, rows: Iterator[Row]) -> set[str]:
        """Upload rows; their keys."""
        keys: set[str] = set()
        while batch := list(islice(rows, BATCH)):
            self._indexed(partial(self._access.documents.upload_documents, batch))
            keys |= {row["key"] for row in batch}
        return keys

    def _delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), PAGE):
            self._indexed(partial(self._access.documents.delete_documents, [{"key": key} for key in keys[start : start + PAGE]]))

    def _hits(self, query: str, chosen: str) -> list[Hit]:
        text, vector = " ".join(question_words(query)[:_QUERY_WORDS]), self._embedder.embed([query])[0]
        if not vector.any():
            return self._best(text, (), chosen) if text else []
        nearest = VectorizedQuery(vector=vector.tolist(), k_nearest_neighbors=DEPTH, fields=VECTOR, weight=VECTOR_WEIGHT)
        return self._best(text or None, [nearest], chosen)

    def _best(self, text: str | None, nearest: Sequence[VectorizedQuery], chosen: str) -> list[Hit]:
        """The best passage of each document among the chosen rows, best first."""
        mode = "preFilter" if nearest else None
        found = self._access.asked(
            lambda: list(
                self._access.documents.search(
                    text, filter=chosen, vector_queries=[*nearest] or None, vector_filter_mode=mode, select=list(SHOWN), top=DEPTH
                )
            )
        )
        best: dict[str, Hit] = {}
        for row in found:
            best.setdefault(row["document"], Hit(passage_of(row), float(row["@search.score"])))
        return list(best.values())

    def _held(self) -> dict[str, list[Row]]:
        """Every row without its content, by document."""
        held: dict[str, list[Row]] = {}
        for row in self._rows():
            held.setdefault(row["document"], []).append(row)
        return held

    def _rows(self) -> Iterator[Row]:
        """In the order of their keys, from page to page by the last key: skipping ends at 100 000 rows."""
        chosen = None
        while True:
            page = self._access.asked(partial(self._page, chosen))
            yield from page
            if len(page) < PAGE:
                return
            chosen = f"key gt {_quoted(page[-1]['key'])}"

    def _page(self, chosen: str | None) -> list[Row]:
        return list(
            self._access.documents.search("*", filter=chosen, order_by=["key"], select=["key", "document", "mark", "count"], top=PAGE)
        )

    def _make(self) -> None:
        """Create the index or bring its schema up to date, once; one with vectors of another length is made anew."""
        with self._lock:
            if not self._made:
                self._access.asked(self._made_now)
                self._made = True

    def _made_now(self) -> None:
        indexes, wanted = self._access.indexes, schema(self._access.name, self._embedder.dimensions)
        try:
            fields = {field.name: field for field in indexes.get_index(self._access.name).fields}
        except ResourceNotFoundError:
            fields = {}
        if fields and (VECTOR not in fields or fields[VECTOR].vector_search_dimensions != self._embedder.dimensions):
            indexes.delete_index(self._access.name)
        indexes.create_or_update_index(wanted)

    def _indexed(self, action: Callable[[], Sequence[IndexingResult]]) -> None:
        wrong = [result.status_code for result in self._access.asked(action) if not result.succeeded]
        if wrong:
            kind = CriticalError if 400 in wrong else TransientError
            raise kind(f"Azure AI Search does not take {len(wrong)} passages ({wrong[0]})")


class _RefusedError(AccessError):
    """The key or the identity is not taken."""


def _whole(rows: Sequence[Row]) -> str:
    """The mark that all rows of a document have; empty where some are missing or of another time."""
    marks = {row["mark"] for row in rows}
    return str(marks.pop()) if len(marks) == 1 and len(rows) == rows[0]["count"] else ""


def _quoted(text: str) -> str:
    """A string of OData."""
    return "'" + text.replace("'", "''") + "'"


def _translated(action: Callable[[], T]) -> T:
    try:
        return action()
    except HttpResponseError as error:
        raise _error(error) from None
    except AzureError as error:
        raise TransientError(f"Azure AI Search does not answer ({type(error).__name__})") from None


def _error(error: HttpResponseError) -> AksCopilotError:
    status = error.status_code or 0
    if status >= 500 or status in _BUSY:
        wait = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
        return TransientError(f"Azure AI Search is busy ({status})", float(wait) if wait.isascii() and wait.isdigit() else None)
    if status in (0, 401, 403):  # 0: the credential gives no token
        return _RefusedError(f"Azure AI Search refuses the key or the identity ({status})")
    if status == 404:
        return NoIndexError("there is no index of the knowledge base in Azure AI Search: see SEARCH_ENDPOINT and SEARCH_INDEX (404)")
    return CriticalError(f"Azure AI Search does not take the request ({status})")
