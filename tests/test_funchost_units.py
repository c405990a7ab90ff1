"""Parts of the development host that need no storage: settings, host.json, patterns, routes, schedules, metadata."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.datastructures import Headers, QueryParams

from funchost.backoff import RandomizedExponentialBackoff
from funchost.blob_events import blob_message
from funchost.blob_messages import BlobMessage, internal_queue, receipt_name
from funchost.blob_pattern import parse_pattern
from funchost.connections import Connections
from funchost.errors import ConfigurationError
from funchost.functions import check_functions, poison_name
from funchost.hostjson import read_host_options
from funchost.http_keys import read_keys
from funchost.queue_messages import MAX_DATE, decode_text, merge_json, trigger_metadata
from funchost.queue_store import Received
from funchost.routes import make_route, sort_routes
from funchost.schedule import parse_schedule
from funchost.settings import Timings, host_id, load_local_settings, resolve_percent
from funchost.worker import Indexed, TypedData


def host_json(tmp_path: Path, text: str | None = None, /, **extra: object) -> Path:
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **extra}) if text is None else text)
    return tmp_path


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


def test_host_json_defaults(tmp_path: Path) -> None:
    options = read_host_options(host_json(tmp_path), {})
    assert (options.queues.batch_size, options.queues.max_dequeue_count, options.queues.base64) == (16, 5, True)
    assert options.queues.max_polling_interval == 60.0
    assert options.queues.new_batch_threshold % 8 == 0
    assert options.queues.visibility_timeout == 0
    assert (options.route_prefix, options.function_timeout, options.blobs.poison_blob_threshold) == ("api", 1800.0, 5)


def test_development_polls_every_two_seconds_unless_told_otherwise(tmp_path: Path) -> None:
    development = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    assert read_host_options(host_json(tmp_path), development).queues.max_polling_interval == 2.0
    explicit = host_json(tmp_path, extensions={"queues": {"maxPollingInterval": "00:00:30"}})
    assert read_host_options(explicit, development).queues.max_polling_interval == 30.0


def test_environment_overrides_host_json_whatever_the_case(tmp_path: Path) -> None:
    root = host_json(tmp_path, extensions={"queues": {"batchSize": 4}})
    env = {"AzureFunctionsJobHost__Extensions__queues__BATCHSIZE": "8", "AzureFunctionsJobHost__functionTimeout": "-1"}
    options = read_host_options(root, env)
    assert options.queues.batch_size == 8
    assert options.function_timeout is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[]", '"version": "2.0"'),
        ('{"version": "1.0"}', '"version": "2.0"'),
        ('{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}', "batchSize must be an integer 1..32"),
        ('{"version": "2.0", "extensions": {"queues": {"batchSize": true}}}', "batchSize"),
        ('{"version": "2.0", "extensions": {"queues": {"maxDequeueCount": 0}}}', "maxDequeueCount"),
        ('{"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:00.01"}}}', "maxPollingInterval"),
        ('{"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "soon"}}}', "visibilityTimeout"),
        ('{"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf8"}}}', "messageEncoding"),
        ('{"version": "2.0", "functionTimeout": "00:00:00"}', "functionTimeout"),
    ],
)
def test_a_wrong_host_json_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_host_options(host_json(tmp_path, text), {})
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_host_json(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing"):
        read_host_options(tmp_path, {})


def test_the_real_environment_wins_over_local_settings(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"Values": {"A": "file", "B": "file", "C": None, "D": True, "E": ""}}))
    env = {"A": "real"}
    assert load_local_settings(path, env, required=True) == 3
    assert env == {"A": "real", "B": "file", "D": "true", "E": ""}


def test_missing_settings_file_matters_only_when_named(tmp_path: Path) -> None:
    assert load_local_settings(tmp_path / "none.json", {}, required=False) == 0
    with pytest.raises(ConfigurationError, match="not found"):
        load_local_settings(tmp_path / "none.json", {}, required=True)


@pytest.mark.parametrize("text", ["[]", "{", '{"IsEncrypted": true}', '{"Values": []}', '{"Values": {"A": {"b": 1}}}'])
def test_a_wrong_settings_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load_local_settings(path, {}, required=False)
    assert "\n" not in str(raised.value)


def test_percent_settings() -> None:
    assert resolve_percent("%A%-x-%B%", {"A": "1", "B": "2"}, "f") == "1-x-2"
    with pytest.raises(ConfigurationError, match="%C%"):
        resolve_percent("%C%", {}, "f")


def test_timings_have_the_real_hosts_defaults_and_bounds() -> None:
    assert Timings.from_environment({}) == Timings(600.0, 2.0, 30.0)
    assert Timings.from_environment({"FUNCHOST_QUEUE_LEASE_SECONDS": "3"}).queue_lease_seconds == 3.0
    for name, value in [("QUEUE_LEASE_SECONDS", "0"), ("BLOB_SCAN_SECONDS", "x"), ("RECEIPT_LEASE_SECONDS", "5")]:
        with pytest.raises(ConfigurationError, match=name):
            Timings.from_environment({f"FUNCHOST_{name}": value})


def test_host_id_is_stable_short_and_fit_for_a_queue_name(tmp_path: Path) -> None:
    name = host_id(tmp_path, {})
    assert name == host_id(tmp_path, {})
    assert name != host_id(tmp_path / "other", {})
    assert len(internal_queue(name)) <= 63
    assert host_id(tmp_path, {"AzureFunctionsWebHost__hostid": "mine"}) == "mine"
    with pytest.raises(ConfigurationError, match="hostid"):
        host_id(tmp_path, {"AzureFunctionsWebHost__hostid": "Not/Allowed"})


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


def test_poison_names() -> None:
    assert poison_name("work") == "work-poison"
    assert poison_name("work-poison") is None
    assert poison_name("q" * 57) is None
    assert poison_name("q" * 56) == "q" * 56 + "-poison"


def indexed(name: str = "work", *bindings: dict[str, object], has_retry: bool = False) -> Indexed:
    return Indexed(name, bindings or ({"type": "queueTrigger", "name": "msg", "queueName": "Work-%X%"},), has_retry)


def test_queue_names_are_resolved_and_lowered() -> None:
    (spec,) = check_functions([indexed()], {"X": "A"})
    assert (spec.trigger["queueName"], spec.connection) == ("work-a", "AzureWebJobsStorage")


def test_disabled_functions_and_the_functions_list() -> None:
    both = [indexed("one"), indexed("two")]
    assert [s.name for s in check_functions(both, {"X": "a", "AzureWebJobs.one.Disabled": "true"})] == ["two"]
    assert [s.name for s in check_functions(both, {"X": "a"}, ("one",))] == ["one"]
    with pytest.raises(ConfigurationError, match="three"):
        check_functions(both, {"X": "a"}, ("three",))


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (indexed("1st"), "letter"),
        (indexed("host"), "letter"),
        (indexed("f", {"type": "queueTrigger", "name": "m", "queueName": "Bad_Queue*"}), "queue name"),
        (indexed("f", {"type": "cosmosDBTrigger", "name": "m"}), "cosmosDBTrigger is not served"),
        (indexed("f", {"type": "queueTrigger", "name": "m", "queueName": "abc"}, {"type": "queue", "name": "out"}), "out"),
        (indexed("f", has_retry=True), "retry"),
    ],
)
def test_what_the_host_does_not_serve_is_said_at_the_start(function: Indexed, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        check_functions([function], {"X": "a"})
    assert "\n" not in str(raised.value)


def test_no_functions() -> None:
    with pytest.raises(ConfigurationError, match="no functions"):
        check_functions([], {})


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


def test_connections_by_prefix() -> None:
    text = "DefaultEndpointsProtocol=https;AccountName=one;AccountKey=a2V5;EndpointSuffix=core.windows.net"
    assert Connections({"STORAGE": text}).blobs("STORAGE").account_name == "one"
    assert Connections({"AzureWebJobsSTORAGE": text, "STORAGE": "broken"}).queues("STORAGE").account_name == "one"
    assert Connections({"STORAGE": "UseDevelopmentStorage=true"}).queues("STORAGE").url == "http://127.0.0.1:10001/devstoreaccount1/"
    assert Connections({"STORAGE": "UseDevelopmentStorage=true"}).blobs("STORAGE").url == "http://127.0.0.1:10000/devstoreaccount1/"


def test_identity_connections() -> None:
    uris = Connections({"S__blobServiceUri": "https://a.blob.core.windows.net", "S__queueServiceUri": "https://a.queue.core.windows.net"})
    assert uris.blobs("S").url == "https://a.blob.core.windows.net/"
    assert uris.queues("S").url == "https://a.queue.core.windows.net/"
    assert Connections({"S__accountName": "b", "S__credential": "managedidentity"}).queues("S").url == "https://b.queue.core.windows.net/"


def test_a_missing_connection_names_the_settings_and_never_a_key() -> None:
    with pytest.raises(ConfigurationError, match="S__blobServiceUri"):
        Connections({}).blobs("S")
    with pytest.raises(ConfigurationError) as raised:
        Connections({"S": "AccountKey=topsecret"}).queues("S")
    assert "topsecret" not in str(raised.value)
