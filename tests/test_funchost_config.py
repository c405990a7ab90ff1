"""What the development host reads before it starts: host.json, settings, connections, the functions themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from funchost.blob_messages import internal_queue
from funchost.connections import Connections
from funchost.errors import ConfigurationError
from funchost.functions import check_functions, poison_name
from funchost.hostjson import read_host_options
from funchost.settings import Timings, host_id, load_local_settings, resolve_percent
from funchost.worker import Indexed


def host_json(tmp_path: Path, text: str | None = None, /, **extra: object) -> Path:
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **extra}) if text is None else text)
    return tmp_path


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
