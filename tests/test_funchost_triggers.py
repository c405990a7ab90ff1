"""A sample function app served by the development host: what its queue, blob and timer functions get to see."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient
from funchost_harness import Served, b64, order, wait_until

from funchost.azurite import Azurite

PREFIXES = ("", "texts-", "bytes-", "returns-")


@pytest.fixture(scope="module")
def served(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    host = Served(azurite.connection_string, tmp_path_factory.mktemp("triggers"), TICK="*/1 * * * * *", FUNCHOST_QUEUE_LEASE_SECONDS="6")
    for prefix in PREFIXES:
        host.queue(prefix).create_queue()
    for prefix in ("uploads-", "events-"):
        host.blobs.create_container(prefix + host.name)
    with host:
        yield host


def uploads(served: Served) -> ContainerClient:
    return served.blobs.get_container_client("uploads-" + served.name)


def test_a_queue_message_arrives_with_its_metadata_and_is_deleted(served: Served) -> None:
    text = order(umlaut="äöü <&>")
    served.send(text)
    (start,) = served.until("work", body=text, phase="start")
    assert start["count"] == 1
    assert start["id"]
    assert start["receipt"]
    assert all(start["dates"])
    wait_until(served.empty, "queue empty")


def test_a_message_that_fails_twice_succeeds_at_the_third_attempt(served: Served) -> None:
    text = order(fail=2)
    served.send(text)
    served.until("work", body=text, phase="end")
    assert [e["count"] for e in served.entries("work", body=text, phase="start")] == [1, 2, 3]
    assert served.entries("work_poison", body=text) == []


def test_a_message_that_always_fails_reaches_the_poison_function_with_the_same_text(served: Served) -> None:
    text = order(fail=99)
    served.send(text)
    (poisoned,) = served.until("work_poison", body=text)
    assert poisoned["count"] == 1
    assert len(served.entries("work", body=text, phase="start")) == 3, "host.json says maxDequeueCount 3"
    wait_until(lambda: served.empty(suffix="-poison"), "poison queue empty")


def test_sys_exit_in_a_function_is_a_failed_invocation_and_not_the_end_of_the_host(served: Served) -> None:
    text = order(exit=3)
    served.send(text)
    served.until("work_poison", body=text)
    assert "SystemExit(3)" in served.text()


def test_a_json_body_overwrites_the_messages_id(served: Served) -> None:
    text = order(id="job-1")
    served.send(text)
    (start,) = served.until("work", body=text, phase="start")
    assert start["id"] == "job-1"


def test_a_json_body_that_breaks_the_metadata_fails_until_poison(served: Served) -> None:
    text = order(dequeueCount="abc")
    served.send(text, "returns-")
    poison = served.queue("returns-", "-poison")
    wait_until(lambda: poison_texts(served, poison.queue_name).count(b64(text)), "moved to poison")
    assert served.entries("returns", body=text) == [], "the function never ran"
    assert "cannot convert value" in served.text()


def poison_texts(served: Served, name: str) -> list[str]:
    if not list(served.queues.list_queues(name_starts_with=name)):
        return []
    return [message.content for message in served.queues.get_queue_client(name).peek_messages(32)]


def test_an_empty_message_is_served(served: Served) -> None:
    served.send("", "texts-")
    assert served.until("texts", body="")


def test_a_text_parameter_gets_the_text_and_context_the_invocation(served: Served) -> None:
    served.send('{"id": "x"}', "texts-")
    (seen,) = served.until("texts", body='{"id": "x"}')
    assert (seen["kind"], seen["name"]) == ("str", "texts")
    assert f"Id={seen['invocation']}" in served.text()


def test_bytes_need_no_utf8_but_text_does(served: Served) -> None:
    served.queue("bytes-").send_message(b64(b"\xff\x00"))
    assert served.until("raw", body="ff00")[0]["kind"] == "bytes"
    served.queue("texts-").send_message(b64(b"\xff\xfe"))
    poison = served.queue("texts-", "-poison")
    wait_until(lambda: poison_texts(served, poison.queue_name) == [b64(b"\xff\xfe")], "moved to poison")


def test_a_return_value_without_a_return_binding_fails(served: Served) -> None:
    served.send("x", "returns-")
    wait_until(lambda: served.empty("returns-"), "moved to poison")
    assert b64("x") in poison_texts(served, served.queue("returns-", "-poison").queue_name)
    assert len(served.entries("returns", body="x")) == 3
    assert "without a $return binding" in served.text()


def test_many_messages_all_arrive_once(served: Served) -> None:
    texts = [f"many-{i}" for i in range(60)]
    for text in texts:
        served.send(text, "texts-")
    wait_until(lambda: len([e for e in served.entries("texts") if e["body"].startswith("many-")]) >= 60, "60 messages")
    wait_until(lambda: served.empty("texts-"), "queue empty")
    assert sorted(e["body"] for e in served.entries("texts") if e["body"].startswith("many-")) == sorted(texts)


def test_a_missing_queue_is_not_created_by_its_trigger(served: Served) -> None:
    names = [queue.name for queue in served.queues.list_queues(name_starts_with="late-" + served.name)]
    assert names == []


def test_a_blob_arrives_with_name_length_uri_and_metadata(served: Served) -> None:
    uploads(served).upload_blob("deep/er/ä b.txt", "hello", metadata={"key": "value"})
    name = f"uploads-{served.name}/deep/er/ä b.txt"
    (start,) = served.until("uploaded", phase="start", name=name)
    assert (start["length"], start["body"], start["metadata"]) == (5, "hello", {"key": "value"})
    assert start["uri"].endswith("/deep/er/%C3%A4%20b.txt")


def test_a_blob_that_does_not_match_the_pattern_is_left_alone(served: Served) -> None:
    uploads(served).upload_blob("other.csv", b"x")
    uploads(served).upload_blob("marker.txt", b"marker")
    served.until("uploaded", body="marker")
    assert [e for e in served.entries("uploaded") if e["name"].endswith(".csv")] == []


def test_an_overwritten_blob_runs_once_more_and_a_receipt_is_left_per_version(served: Served) -> None:
    uploads(served).upload_blob("twice.txt", b"one")
    served.until("uploaded", body="one", phase="end")
    uploads(served).upload_blob("twice.txt", b"two", overwrite=True)
    served.until("uploaded", body="two", phase="end")
    assert len(served.entries("uploaded", phase="start", name=f"uploads-{served.name}/twice.txt")) == 2
    assert len(receipts(served, "twice.txt")) == 2


def receipts(served: Served, name: str) -> list[str]:
    hosts = served.blobs.get_container_client("azure-webjobs-hosts")
    start = f"blobreceipts/{served.name}/Host.Functions.uploaded/"
    return [blob.name for blob in hosts.list_blobs(name_starts_with=start) if blob.name.endswith("/" + name)]


def test_a_failing_blob_is_tried_five_times_then_described_in_the_poison_queue(served: Served) -> None:
    body = order(fail=99)
    uploads(served).upload_blob("bad.txt", body)
    served.until("uploaded", count=5, phase="start", body=body)

    def described() -> dict[str, str] | None:
        messages = [json.loads(base64.b64decode(text)) for text in poison_texts(served, "webjobs-blobtrigger-poison")]
        return next((m for m in messages if m["ContainerName"] == f"uploads-{served.name}"), None)

    message = wait_until(described, "poison message")
    assert (message["BlobName"], message["FunctionId"], message["Type"]) == ("bad.txt", "Host.Functions.uploaded", "BlobTrigger")
    assert message["ETag"].startswith('"')
    assert len(served.entries("uploaded", phase="start", body=body)) == 5


def test_a_blob_overwritten_while_queued_runs_in_its_newest_version_only(served: Served) -> None:
    stale = {"Type": "BlobTrigger", "FunctionId": "Host.Functions.uploaded", "BlobType": "Block"}
    uploads(served).upload_blob("stale.txt", b"newest")
    served.until("uploaded", body="newest", phase="end")
    internal = served.queues.get_queue_client(f"azure-webjobs-blobtrigger-{served.name}")
    for etag, function in (('"0x1"', "uploaded"), ('"0x2"', "unknown")):
        message = {**stale, "ContainerName": f"uploads-{served.name}", "BlobName": "stale.txt", "ETag": etag}
        message["FunctionId"] = f"Host.Functions.{function}"
        internal.send_message(b64(json.dumps(message)))
    internal.send_message(b64("not a message"))
    wait_until(lambda: (internal.get_queue_properties().approximate_message_count or 0) == 0, "all dropped")
    assert len(served.entries("uploaded", phase="start", body="newest")) == 1
    assert "Invalid message in blob trigger queue" in served.text()


def post(served: Served, path: str, document: object, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{served.port}{path}", json.dumps(document).encode(), headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_event_grid_events_run_a_function_that_is_never_scanned_for(served: Served) -> None:
    events = served.blobs.get_container_client("events-" + served.name)
    blob = events.upload_blob("a b/c.bin", b"announced")
    hook = "/runtime/webhooks/blobs?functionName=Host.Functions.announced"
    handshake = [{"eventType": "x", "data": {"validationCode": "code-1"}}]
    assert post(served, hook, handshake, **{"aeg-event-type": "SubscriptionValidation"}) == (200, b'{"validationResponse":"code-1"}')
    event = {"eventType": "Microsoft.Storage.BlobCreated", "data": {"url": blob.url, "eTag": "0x1", "blobType": "BlockBlob"}}
    assert post(served, hook, [event], **{"aeg-event-type": "Notification"})[0] == 202
    assert served.until("announced", body="announced")
    assert len(served.entries("announced")) == 1
    assert post(served, hook, [{"data": {}}])[0] == 400
    assert post(served, hook.replace("announced", "nobody"), [event])[0] == 404


def test_functions_can_be_started_by_hand(served: Served) -> None:
    assert post(served, "/admin/functions/texts", {"input": "by hand"})[0] == 202
    assert served.until("texts", body="by hand")
    uploads(served).upload_blob("again.txt", b"by hand too")
    served.until("uploaded", body="by hand too", phase="end")
    assert post(served, "/admin/functions/uploaded", {"input": f"uploads-{served.name}/again.txt"})[0] == 202
    assert served.until("uploaded", count=2, body="by hand too", phase="end")
    assert post(served, "/admin/functions/work", {"input": "bare"})[0] == 202
    (bare,) = served.until("work", body="bare", phase="start")
    assert (bare["id"], bare["count"]) == (None, 0)
    assert post(served, "/admin/functions/nobody", {"input": ""})[0] == 404


def test_the_timer_fires_every_second_and_keeps_no_status_for_it(served: Served) -> None:
    ticks = served.until("tick", count=2)
    assert ticks[0]["past_due"] is False
    gap = ticks[1]["time"] - ticks[0]["time"]
    assert 0.5 < gap < 2.5
    hosts = served.blobs.get_container_client("azure-webjobs-hosts")
    assert list(hosts.list_blobs(name_starts_with=f"timers/{served.name}/")) == []


def test_status_and_function_list(served: Served) -> None:
    def get(path: str) -> object:
        with urllib.request.urlopen(f"http://127.0.0.1:{served.port}{path}") as response:
            return json.load(response)

    status = get("/admin/host/status")
    assert isinstance(status, dict)
    assert (status["id"], status["state"]) == (served.name, "Running")
    functions = get("/admin/functions")
    assert isinstance(functions, list)
    assert {"work", "uploaded", "tick", "things"} <= {f["name"] for f in functions}
