"""A small stand-in for Azure AI Search: the REST calls that the program makes, on a local port, as strict as the service where it matters.

Written after the service's REST reference (2026-04-01). Its ranking is its own; what it holds the program to are schema, keys, filters,
paging and the answers to each kind of request. Tests against the real service: see test_knowledge_contract.py.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from http_support import Handler, Server

KEY = "a-search-key"
Row = dict[str, Any]
Answer = tuple[int, Any]


class RefusedError(Exception):
    """400 with a reason."""


@dataclass
class Index:
    schema: dict[str, Any]
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        return {f["name"]: f for f in self.schema["fields"]}

    @property
    def key(self) -> str:
        (found,) = [f["name"] for f in self.schema["fields"] if f.get("key")]
        return str(found)

    def vectors(self) -> dict[str, int]:
        return {name: f["dimensions"] for name, f in self.fields.items() if f.get("vectorSearchProfile")}


@dataclass
class Asked:
    method: str
    path: str
    body: Any


class SearchServer(Server):
    """`wrong` are answers (status, headers) to give first, to whatever is asked; `asked` is the journal."""

    def __init__(self, key: str = KEY) -> None:
        self.key, self.indexes, self.asked = key, dict[str, Index](), list[Asked]()
        self.wrong: list[tuple[int, dict[str, str]]] = []
        self.refuse_rows: Callable[[Row], int] = lambda _: 0
        self._lock = threading.Lock()
        super().__init__(self._handler())
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, url: str, headers: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
        """(status, JSON, headers) of a request."""
        split = urlsplit(url)
        path = unquote(split.path)
        with self._lock:
            self.asked.append(Asked(method, path, body))
            if self.wrong:
                status, more = self.wrong.pop(0)
                return status, {"error": {"code": "", "message": "secret-of-the-service"}}, more
            if headers.get("api-key") != self.key:
                return 403, {"error": {"code": "Forbidden", "message": "secret-of-the-service"}}, {}
            if "api-version" not in parse_qs(split.query):
                return 400, {"error": {"code": "", "message": "api-version"}}, {}
            try:
                return (*self._routed(method, path, body), {})
            except RefusedError as reason:
                return 400, {"error": {"code": "InvalidRequestParameter", "message": str(reason)}}, {}

    def _routed(self, method: str, path: str, body: Any) -> Answer:
        match = re.fullmatch(r"/indexes\('([a-z0-9][a-z0-9-]{0,126}[a-z0-9])'\)(/docs/search\.(?:index|post\.search))?", path)
        if match is None:
            raise RefusedError(f"no such route: {path}")
        name, action = match[1], (match[2] or "").rpartition(".")[2]
        if method == "PUT" and not action:
            return self._put(name, body)
        if name not in self.indexes:
            return 404, {"error": {"code": "ResourceNotFound", "message": "secret-of-the-service"}}
        index = self.indexes[name]
        if method == "DELETE" and not action:
            del self.indexes[name]
            return 204, None
        if method == "GET" and not action:
            return 200, index.schema
        return (_indexed(index, body["value"], self.refuse_rows)) if action == "index" else (200, _searched(index, body))

    def _put(self, name: str, schema: dict[str, Any]) -> Answer:
        made = Index(schema)
        if schema["name"] != name or made.fields[made.key]["type"] != "Edm.String":
            raise RefusedError("name or key")
        profiles = {p["name"] for p in schema.get("vectorSearch", {}).get("profiles", [])}
        for f in schema["fields"]:
            vector = f.get("vectorSearchProfile")
            if not re.fullmatch(r"[A-Za-z]\w{0,127}", f["name"]) or (
                vector and (vector not in profiles or not 2 <= f["dimensions"] <= 4096)
            ):
                raise RefusedError(f"field {f['name']}")
            if vector and (f["type"] != "Collection(Edm.Single)" or not f["searchable"]):
                raise RefusedError("a vector field is a searchable collection of Edm.Single")
        before = self.indexes.get(name)
        if before is not None and any(made.fields.get(n, f) != f for n, f in before.fields.items()):
            raise RefusedError("existing field cannot be changed")
        self.indexes[name] = Index(schema, before.rows if before else {})
        return (200 if before else 201), schema

    def _handler(server: SearchServer) -> type[Handler]:  # noqa: N805 - the handler's own self is another
        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                text = self.sent()
                status, body, more = server.answer(self.command, self.path, self.names(), json.loads(text) if text else None)
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the base class's names

        return Answering


def _indexed(index: Index, actions: list[Row], refuse: Callable[[Row], int]) -> Answer:
    if not 1 <= len(actions) <= 1000:
        raise RefusedError("1 to 1000 actions")
    results = [_one(index, dict(action), refuse) for action in actions]
    return (200 if all(r["status"] for r in results) else 207), {"value": results}


def _one(index: Index, row: Row, refuse: Callable[[Row], int]) -> Row:
    action, key = row.pop("@search.action"), str(row[index.key])
    if not re.fullmatch(r"[A-Za-z0-9_=][A-Za-z0-9_=-]{0,1023}", key):
        raise RefusedError("key")
    if unknown := row.keys() - index.fields.keys():
        raise RefusedError(f"unknown fields {sorted(unknown)}")
    status = refuse(row)
    if not status and action == "upload":
        if any(len(row[name]) != length for name, length in index.vectors().items()):
            raise RefusedError("dimensions")
        status = 0 if key in index.rows else 201
        index.rows[key] = row
    elif not status:
        index.rows.pop(key, None)
    good = status in (0, 201)
    return {"key": key, "status": good, "errorMessage": None if good else "secret-of-the-service", "statusCode": status or 200}


def _searched(index: Index, body: Row) -> Row:
    rows = [row for row in index.rows.values() if _chosen(index, body.get("filter") or "", row)]
    top, text, nearest = body.get("top", 50), body.get("search"), body.get("vectorQueries") or []
    if top > 1000:
        raise RefusedError("top")
    scores = {row[index.key]: 1.0 for row in rows} if text == "*" else _ranked(index, rows, text, nearest)
    found = sorted((row for row in rows if row[index.key] in scores), key=lambda row: (-scores[row[index.key]], row[index.key]))
    if order := body.get("orderby"):
        if not index.fields[order].get("sortable"):
            raise RefusedError("not sortable")
        found.sort(key=lambda row: row[order])
    shown = body["select"].split(",")
    if any(index.fields[name].get("retrievable") is False for name in shown):
        raise RefusedError("not retrievable")
    return {"value": [{"@search.score": scores[row[index.key]], **{name: row.get(name) for name in shown}} for row in found[:top]]}


def _chosen(index: Index, wanted: str, row: Row) -> bool:
    return all(_holds(index, part, row) for part in wanted.split(" and ") if part)


def _holds(index: Index, condition: str, row: Row) -> bool:
    for pattern, test in (
        (r"(\w+) eq (true|false)", lambda name, value: row[name] is (value == "true")),
        (r"(\w+) gt '((?:[^']|'')*)'", lambda name, value: row[name] > value.replace("''", "'")),
        (r"(\w+)/any\(rule: rule eq '((?:[^']|'')*)'\)", lambda name, value: value.replace("''", "'") in row[name]),
    ):
        if match := re.fullmatch(pattern, condition):
            if not index.fields[match[1]].get("filterable"):
                raise RefusedError("not filterable")
            return bool(test(match[1], match[2]))
    raise RefusedError(f"filter: {condition}")


def _ranked(index: Index, rows: list[Row], text: str | None, nearest: list[Row]) -> dict[str, float]:
    """Reciprocal ranks of the words' and the vectors' rankings."""
    scores: Counter[str] = Counter()
    for rank, key in enumerate(_by_words(index, rows, text or ""), 1):
        scores[key] += 1 / (60 + rank)
    for query in nearest:
        if query["kind"] != "vector" or len(query["vector"]) != index.vectors()[query["fields"]]:
            raise RefusedError("vector query")
        near = sorted(rows, key=lambda row: -_cosine(row[query["fields"]], query["vector"]))[: query["k"]]
        for rank, row in enumerate(near, 1):
            scores[row[index.key]] += query.get("weight", 1) / (60 + rank)
    return scores


def _by_words(index: Index, rows: list[Row], text: str) -> list[str]:
    if re.search(r'[*"|+()~]', text):
        raise RefusedError("operators")
    names = [name for name, f in index.fields.items() if f.get("searchable") and f["type"] == "Edm.String"]
    texts = {row[index.key]: Counter(_stem(word) for name in names for word in row[name].split()) for row in rows}
    wanted = {_stem(word) for word in text.split()}
    common = {word: sum(word in words for words in texts.values()) for word in wanted}

    def score(words: Counter[str]) -> float:
        return sum(
            math.log(1 + len(rows) / common[word]) * words[word] / (words[word] + 1 + len(words) / 100) for word in wanted if words[word]
        )

    ranked = sorted(((score(words), key) for key, words in texts.items()), key=lambda item: (-item[0], item[1]))
    return [key for points, key in ranked if points > 0]


def _stem(word: str) -> str:
    return re.sub(r"(ing|ed|es|s)$", "", word.lower())


def _cosine(one: list[float], other: list[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / length if length else 0.0
