"""Runs one list of invocations through one worker and prints the outcomes as JSON; the conformance test compares two such runs.

Usage: funchost_driver.py (library|runtime) APP_ROOT (sample|index)
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

from funchost.library_worker import LibraryWorker
from funchost.runtime_worker import RuntimeWorker
from funchost.worker import Invocation, Outcome, TypedData, Worker

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def text(value: str) -> TypedData:
    return TypedData.text(value)


def queue(body: str, **metadata: TypedData) -> dict[str, Any]:
    dates = {name: TypedData("json", '"2026-11-23T00:00:00+00:00"') for name in ("ExpirationTime", "InsertionTime", "NextVisibleTime")}
    standard = {"Id": text("id-1"), "PopReceipt": text("r"), "DequeueCount": TypedData("json", "1"), "QueueTrigger": text(body), **dates}
    return {"data": text(body), "metadata": {**standard, **metadata}}


def http(
    method: str = "GET", url: str = "http://h/x", body: bytes = b"", route: dict[str, str] | None = None, **query: str
) -> dict[str, Any]:
    def texts(values: dict[str, str]) -> dict[str, TypedData]:
        return {name: text(value) for name, value in values.items()}

    parts = {
        "method": text(method),
        "url": text(url),
        "headers": texts({"host": "h", "x-one": "1"}),
        "query": texts(query),
        "params": texts(route or {}),
        "body": TypedData("bytes", body),
    }
    return {"data": TypedData("http", parts)}


def blob(body: bytes) -> dict[str, Any]:
    metadata = {
        "BlobTrigger": text("c/a.txt"),
        "Uri": TypedData("json", '"http://h/c/a.txt"'),
        "Properties": TypedData.json({"ContentLength": len(body)}),
        "Metadata": TypedData.json({"key": "value"}),
        "name": text("a"),
    }
    return {"data": TypedData("bytes", body), "metadata": metadata}


TIMER = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": True}

CASES: list[tuple[str, dict[str, Any]]] = [
    ("work", queue("plain text")),
    ("work", queue('{"fail": 9}')),
    ("work", queue('{"exit": 3}')),
    ("work", queue("late", DequeueCount=TypedData("json", "7"))),
    ("work", queue("object id", Id=TypedData("json", '{"a": 1}'))),
    ("work", queue("bad count", DequeueCount=text("abc"))),
    ("work", queue("bad date", InsertionTime=text("2026-01-01"))),
    ("work", {"data": text("no metadata")}),
    ("work", {"data": TypedData("json", "{}"), "metadata": {}}),
    ("work_poison", queue("poison-fails")),
    ("texts", queue("äöü")),
    ("texts", queue("")),
    ("raw", {"data": TypedData("bytes", b"\xff\x00"), "metadata": {}}),
    ("raw", queue("text for a bytes parameter")),
    ("returns", queue("x")),
    ("uploaded", blob(b"hello")),
    ("uploaded", blob(b"")),
    ("uploaded", blob(b"\xff")),
    ("announced", blob(b"hello")),
    ("tick", {"data": TypedData.json(TIMER)}),
    ("tick", {"data": text("no timer")}),
    ("plain", http()),
    ("plain", http(say="<hi>")),
    ("echo", http("PUT", "http://h/echo/p?a=1", b"body", {"part": "p"}, a="1")),
    ("cookies", http()),
    ("fails", http(route={"how": "raise"})),
    ("fails", http(route={"how": "exit"})),
    ("fails", http(route={"how": "none"})),
    ("fails", http(route={})),
    ("fails", http(route={"how": "header"})),
    ("context_of", http()),
    ("admin_only", http()),
    ("things", http(url="http://h/things/box?size=3", route={"rest": "box"}, size="3")),
    ("things", http("POST", "http://h/things/box/body", b"12345", {"rest": "box/body"})),
    ("things", http(url="http://h/things/none/such", route={"rest": "none/such"})),
    ("nobody", queue("x")),
]


def plain(value: Any) -> Any:
    """Values as JSON can hold them; cookies as their text."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def described(outcome: Outcome) -> dict[str, Any]:
    value = outcome.value
    return {"ok": outcome.ok, "kind": value.kind if value else None, "value": plain(value.value) if value else None, "error": outcome.error}


async def invoke_all(worker: Worker) -> list[dict[str, Any]]:
    outcomes = []
    for number, (function, parts) in enumerate(CASES):
        call = Invocation(f"invocation-{number}", function, parts["data"], parts.get("metadata", {}), TRACE)
        outcomes.append({"case": f"{number} {function}", **described(await worker.invoke(call))})
    return outcomes


def main() -> None:
    kind, root, what = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3]
    worker: Worker = RuntimeWorker(root) if kind == "runtime" else LibraryWorker(root)
    index = [{"name": f.name, "bindings": f.bindings, "retry": f.has_retry} for f in worker.index()]
    outcomes = asyncio.run(invoke_all(worker)) if what == "sample" else []
    worker.stop()
    print("RESULT " + json.dumps({"index": index, "outcomes": outcomes}))


if __name__ == "__main__":
    main()
