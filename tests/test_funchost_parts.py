"""Parts of the development host that need no storage: back-off, patterns, messages, metadata, routes, keys, schedules."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from starlette.datastructures import Headers, QueryParams

from funchost.backoff import RandomizedExponentialBackoff
from funchost.blob_events import blob_message
from funchost.blob_messages import BlobMessage, receipt_name
from funchost.blob_pattern import parse_pattern
from funchost.errors import ConfigurationError
from funchost.http_keys import read_keys
from funchost.queue_messages import MAX_DATE, decode_text, merge_json, trigger_metadata
from funchost.queue_store import Received
from funchost.routes import make_route, sort_routes
from funchost.schedule import parse_schedule
from funchost.worker import TypedData


def test_backoff_ladder_grows_from_minimum_to_maximum_and_restarts() -> None:
    backoff = RandomizedExponentialBackoff(60.0, uniform=lambda _low, _high: 1.0)
    ladder = [round(backoff.next_delay(), 1) for _ in range(13)]
    assert ladder == [0.1, 0.2, 0.3, 0.5, 0.9, 1.7, 3.3, 6.5, 12.9, 25.7, 51.3, 60.0, 60.0]
    backoff.reset()
    assert backoff.next_delay() == 0.1


def test_backoff_jitter_stays_within_a_fifth() -> None:
    for _ in range(50):
        backoff = RandomizedExponentialBackoff(60.0)
        backoff.next_delay()
        assert 0.18 <= backoff.next_delay() <= 0.22


@pytest.mark.parametrize(
    ("path", "blob", "captured"),
    [
        ("c/{name}", "a/b.txt", {"name": "a/b.txt"}),
        ("c/{name}.csv", "foo.alpha.csv", {"name": "foo.alpha"}),
        ("c/{a}.{b}", "foo.alpha.beta.csv", {"a": "foo.alpha.beta", "b": "csv"}),
        ("c/{name}.txt", "bob.txtoutput", None),
        ("c/{name}", "line\nbreak", {"name": "line\nbreak"}),
        ("c", "anything/at/all", {}),
        ("c/fixed.txt", "fixed.txt", {}),
        ("c/{{x}}/{name}", "{x}/y", {"name": "y"}),
    ],
)
def test_blob_patterns(path: str, blob: str, captured: dict[str, str] | None) -> None:
    assert parse_pattern(path, "f").match(blob) == captured


@pytest.mark.parametrize("path", ["", "{c}/x", "c\\x", "c/{name", "c/{}", "c/{a}{a}"])
def test_wrong_blob_patterns_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^f: "):
        parse_pattern(path, "f")


def test_blob_messages_round_trip_and_receipts_put_the_etag_before_the_name() -> None:
    message = BlobMessage("up", "c", "a/b.txt", '"0x1"')
    assert BlobMessage.from_json(message.to_json()) == message
    assert json.loads(message.to_json())["FunctionId"] == "Host.Functions.up"
    assert receipt_name("h", "up", '"0x1"', "c", "a/b.txt") == 'blobreceipts/h/Host.Functions.up/"0x1"/c/a/b.txt'
    for text in ("x", "[]", '{"FunctionId": "f"}'):
        with pytest.raises(ValueError):  # noqa: PT011 - json and our own errors alike
            BlobMessage.from_json(text)


def test_event_grid_events_become_blob_messages() -> None:
    event = {"data": {"url": "http://127.0.0.1:1/devstoreaccount1/c/a%20b/c.txt", "eTag": "0x8D", "blobType": "BlockBlob"}}
    assert blob_message("f", event, "/devstoreaccount1/") == BlobMessage("f", "c", "a b/c.txt", '"0x8D"', "Block")
    azure = {"data": {"url": "https://acc.blob.core.windows.net/c/x", "eTag": "0x8D"}}
    assert blob_message("f", azure, "/") == BlobMessage("f", "c", "x", '"0x8D"', "Block")
    for wrong in ({}, "x", {"data": {}}, {"data": {"url": "https://acc.blob.core.windows.net/c"}}):
        with pytest.raises(ValueError):  # noqa: PT011
            blob_message("f", wrong, "/")


def received(text: str = "", count: int = 1) -> Received:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    return Received("id-1", text, count, "receipt-1", moment, None, moment)


def test_trigger_metadata_has_the_standard_names_with_nulls_replaced() -> None:
    metadata = trigger_metadata(received(), b"plain")
    assert metadata["Id"] == TypedData.text("id-1")
    assert metadata["DequeueCount"] == TypedData("json", "1")
    assert metadata["InsertionTime"] == TypedData("json", '"2026-11-23T00:00:00+00:00"')
    assert metadata["ExpirationTime"].value == json.dumps(MAX_DATE)
    assert metadata["QueueTrigger"] == TypedData.text("plain")
    assert "QueueTrigger" not in trigger_metadata(received(), b"\xff")


def test_json_bodies_overwrite_metadata_without_regard_to_case() -> None:
    body = '{"id": "job", "dequeueCount": 7, "flag": true, "list": [1], "none": null, "obj": {"a": 1}}'
    merged = merge_json({"Id": TypedData.text("x"), "DequeueCount": TypedData.json(1)}, body)
    assert merged == {
        "Id": TypedData.text("job"),
        "DequeueCount": TypedData.text("7"),
        "flag": TypedData.text("True"),
        "obj": TypedData("json", '{"a": 1}'),
    }
    for harmless in ("[1]", "{not json}", "{" * 5000 + "}", "text"):
        assert merge_json({}, harmless) == {}


def test_base64_texts() -> None:
    assert decode_text("aGk=", base64_encoded=True) == b"hi"
    assert decode_text("", base64_encoded=True) == b""
    assert decode_text("not base64!", base64_encoded=True) is None
    assert decode_text("aGk", base64_encoded=True) is None
    assert decode_text("not base64!", base64_encoded=False) == b"not base64!"


def test_routes_prefer_the_literal_then_the_parameter_then_the_catch_all() -> None:
    templates = {"all": "{*rest}", "runs": "api/runs/{*rest}", "health": "api/health", "one": "api/{name}", "num": "api/{id:int}"}
    routes = sort_routes([make_route(name, template, "", (), "anonymous") for name, template in templates.items()])

    def first(path: str) -> tuple[str, dict[str, str]]:
        return next((r.function, m) for r in routes if (m := r.match("GET", path)) is not None)

    assert first("/api/health") == ("health", {})
    assert first("/API/Health/") == ("health", {})
    assert first("/api/runs") == ("runs", {}) or first("/api/runs") == ("one", {"name": "runs"})
    assert first("/api/runs/a/b") == ("runs", {"rest": "a/b"})
    assert first("/api/7") == ("num", {"id": "7"})
    assert first("/api/x") == ("one", {"name": "x"})
    assert first("/") == ("all", {})


def test_literal_routes_win_over_parameters_at_the_same_depth() -> None:
    routes = sort_routes(
        [make_route("one", "api/{name}", "", (), "anonymous"), make_route("runs", "api/runs/{*rest}", "", (), "anonymous")]
    )
    assert next(r.function for r in routes if r.match("GET", "/api/runs") is not None) == "runs"


def test_route_methods_prefix_and_optional_parts() -> None:
    route = make_route("f", "items/{id?}", "api", ["get"], "Function")
    assert route.match("GET", "/api/items") == {}
    assert route.match("GET", "/api/items/5") == {"id": "5"}
    assert route.match("POST", "/api/items") is None
    assert route.match("GET", "/api/items/5/6") is None
    assert route.auth_level == "function"


@pytest.mark.parametrize("template", ["admin/x", "runtime", "a/{b", "{*all}/x", "{id?}/x", "a/{x=5}", "a{x}"])
def test_routes_that_are_not_served(template: str) -> None:
    with pytest.raises(ConfigurationError, match="function f"):
        make_route("f", template, "", (), "anonymous")


def test_two_functions_cannot_have_the_same_route() -> None:
    with pytest.raises(ConfigurationError, match="same route"):
        sort_routes([make_route("a", "x", "", ["GET"], "anonymous"), make_route("b", "X", "", ["GET"], "anonymous")])


def test_keys() -> None:
    keys = read_keys({"FUNCHOST_HOST_KEY": "host", "FUNCHOST_MASTER_KEY": "master", "FUNCHOST_SYSTEM_KEY": "system"}, enabled=True)

    def allowed(level: str, header: str = "", code: str = "") -> bool:
        return keys.allows(level, Headers({"x-functions-key": header} if header else {}), QueryParams(f"code={code}"))

    assert allowed("anonymous")
    assert allowed("function", header="host")
    assert allowed("function", code="master")
    assert not allowed("function")
    assert not allowed("function", header="wrong", code="host"), "the header comes first"
    assert not allowed("admin", header="host")
    assert allowed("admin", header="master")
    assert allowed("system", code="system")
    assert not allowed("function", code="system")
    assert "master" not in repr(keys)


def test_keys_are_required_when_authentication_is_on() -> None:
    with pytest.raises(ConfigurationError, match="FUNCHOST_HOST_KEY"):
        read_keys({}, enabled=True)
    assert read_keys({}, enabled=False).allows("admin", {}, {})


def test_schedules() -> None:
    utc = {"WEBSITE_TIME_ZONE": "UTC"}
    moment = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)  # a Monday

    def following(text: str) -> datetime:
        return parse_schedule(text, "f", utc).next_after(moment)

    assert following("*/5 * * * * *") == moment.replace(second=5)
    assert following("0 */5 * * * *") == moment.replace(minute=5, second=0)
    assert following("*/5 * * * *") == moment.replace(minute=5, second=0)
    assert following("0 30 9 * Jan Mon") == datetime(2027, 1, 4, 9, 30, tzinfo=UTC)
    assert following("0 0 0 1 * 1") == datetime(2027, 2, 1, tzinfo=UTC), "day of month and day of week must both match"
    assert following("00:10:00") == moment + timedelta(minutes=10)


def test_schedules_follow_daylight_saving() -> None:
    schedule = parse_schedule("0 0 8 * * *", "f", {"WEBSITE_TIME_ZONE": "Europe/Berlin"})
    assert schedule.next_after(datetime(2026, 10, 24, 12, tzinfo=UTC)).astimezone(UTC) == datetime(2026, 10, 25, 7, tzinfo=UTC)
    assert schedule.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC)).astimezone(UTC) == datetime(2026, 3, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "* * *", "* * * * * * *", "@daily", "0 0 0 L * *", "61 * * * * *", "0 0 0 * * 7", "00:00:00"])
def test_wrong_schedules_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^f: "):
        parse_schedule(text, "f", {})
