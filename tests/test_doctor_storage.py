"""`doctor` against a real Azurite, with each thing broken in turn."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
from azure.storage.blob import AccountSasPermissions, BlobServiceClient, ResourceTypes, Services, generate_account_sas
from azure.storage.queue import QueueServiceClient
from azurite_support import started
from doctor_support import GOLDEN, Doctor
from http_support import Handler, Server

from funchost.azurite import ACCOUNT, KEY, Azurite
from shared.adapters.storage import AzureStorage
from shared.cli.servers import free_port
from shared.pipeline import names
from shared.settings import StorageSettings


@pytest.fixture(scope="module")
def account() -> Iterator[Azurite]:
    """One of its own: containers and queues of the program go missing here."""
    with started() as running:
        yield running


@pytest.fixture
def whole(account: Azurite) -> Azurite:
    """An account with everything in it."""
    AzureStorage(StorageSettings(account.connection_string)).ensure(names.CONTAINERS, names.QUEUES)
    return account


def blobs(account: Azurite) -> BlobServiceClient:
    return BlobServiceClient.from_connection_string(account.connection_string)


def queues(account: Azurite) -> QueueServiceClient:
    return QueueServiceClient.from_connection_string(account.connection_string)


def signed(account: Azurite, *, queue: bool = True, days: int = 1, **allowed: bool) -> str:
    """A connection string with a shared access signature."""
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    everything = ResourceTypes(service=True, container=True, object=True)
    signature = generate_account_sas(
        ACCOUNT, KEY, everything, AccountSasPermissions(**allowed), until, services=Services(blob=True, queue=queue)
    )
    return f"BlobEndpoint={account.blob_endpoint};QueueEndpoint={account.queue_endpoint};SharedAccessSignature={signature}"


def test_what_is_missing_is_made_when_asked_and_then_all_is_well(account: Azurite, doctor: Doctor) -> None:
    for container in blobs(account).list_containers():
        blobs(account).delete_container(container.name)
    for queue in queues(account).list_queues():
        queues(account).delete_queue(queue.name)
    empty = doctor("--format", "text", STORAGE=account.connection_string)
    assert (empty.code, empty.text) == (1, (GOLDEN / "empty.txt").read_text())
    made = doctor("--create", STORAGE=account.connection_string)
    assert (made.code, made.text) == (0, (GOLDEN / "whole.txt").read_text())
    assert {c.name for c in blobs(account).list_containers()} == set(names.CONTAINERS)
    assert {q.name for q in queues(account).list_queues()} == set(names.QUEUES)


def test_nothing_is_left_behind(whole: Azurite, doctor: Doctor) -> None:
    told = doctor(STORAGE=whole.connection_string)
    assert told.failed == []
    assert list(blobs(whole).get_container_client("cache").list_blobs()) == []
    waiting = [queues(whole).get_queue_client(q).get_queue_properties().approximate_message_count for q in names.QUEUES]
    assert waiting == [0] * len(names.QUEUES)


@pytest.mark.parametrize("container", names.CONTAINERS)
def test_a_missing_container_is_named(whole: Azurite, doctor: Doctor, container: str) -> None:
    blobs(whole).delete_container(container)
    told = doctor(STORAGE=whole.connection_string)
    assert told.code == 1
    assert told.failed == ["containers"]
    assert told.checks["containers"]["detail"] == f"missing: {container}"
    assert told.checks["containers"]["mend"] == ["aks-copilot doctor --create"]
    assert told.states("queues", "queue rights", "blob rights") == ["ok", "ok", "skipped"]


@pytest.mark.parametrize("queue", names.QUEUES)
def test_a_missing_queue_is_named_a_poison_queue_too(whole: Azurite, doctor: Doctor, queue: str) -> None:
    queues(whole).delete_queue(queue)
    told = doctor(STORAGE=whole.connection_string)
    assert told.failed == ["queues"]
    assert told.checks["queues"]["detail"] == f"missing: {queue}"
    assert told.states("blob rights", "queue rights") == ["ok", "skipped"]


def test_a_storage_that_is_stopped(whole: Azurite, doctor: Doctor) -> None:
    told = doctor("--format", "text", STORAGE=re.sub(r":\d+/", f":{free_port()}/", whole.connection_string))
    assert (told.code, told.text) == (1, (GOLDEN / "stopped.txt").read_text())


def test_a_wrong_key(whole: Azurite, doctor: Doctor) -> None:
    wrong = whole.connection_string.replace(KEY, KEY.replace("Eby8", "Abc8"))
    told = doctor("--format", "text", STORAGE=wrong)
    assert (told.code, told.text) == (1, (GOLDEN / "wrong-key.txt").read_text())
    assert KEY[4:30] not in told.text


def test_a_signature_that_may_only_read(whole: Azurite, doctor: Doctor) -> None:
    told = doctor("--format", "text", STORAGE=signed(whole, read=True, list=True))
    assert (told.code, told.text) == (1, (GOLDEN / "read-only.txt").read_text())


def test_a_signature_that_may_write_but_not_delete(whole: Azurite, doctor: Doctor) -> None:
    told = doctor(STORAGE=signed(whole, read=True, list=True, write=True, create=True, add=True))
    assert told.failed == ["blob rights", "queue rights"]
    assert told.checks["blob rights"]["detail"] == "storage: deletion in cache: 403 AuthorizationPermissionMismatch"
    assert told.checks["queue rights"]["detail"] == "storage: deletion in intake: 403 AuthorizationPermissionMismatch"
    left = queues(whole).get_queue_client("intake")
    assert list(left.receive_messages()) == []  # nobody sees it, and it ends by itself
    left.clear_messages()


def test_a_signature_for_blobs_alone(whole: Azurite, doctor: Doctor) -> None:
    told = doctor(STORAGE=signed(whole, queue=False, read=True, list=True, write=True, create=True, delete=True))
    assert told.failed == ["queue storage"]
    assert told.states("blob rights", "queue rights") == ["ok", "skipped"]
    assert "generate-sas" in told.checks["queue storage"]["mend"][1]


def test_a_signature_that_has_ended(whole: Azurite, doctor: Doctor) -> None:
    told = doctor(STORAGE=signed(whole, days=-1, read=True, list=True, write=True, delete=True))
    assert told.failed == ["blob storage", "queue storage"]
    assert "has ended" in told.checks["blob storage"]["mend"][0]
    assert "sig=" not in told.text


def test_creating_without_the_right_to_fails_with_its_remedy(whole: Azurite, doctor: Doctor) -> None:
    blobs(whole).delete_container("patched")
    told = doctor("--create", "--format", "json", STORAGE=signed(whole, read=True, list=True))
    assert told.checks["containers"]["detail"].startswith("storage: creation of containers and queues: 403")
    assert "generate-sas" in told.checks["containers"]["mend"][1]


def test_events_that_event_grid_gave_up_are_told(whole: Azurite, doctor: Doctor) -> None:
    azure = {"STORAGE": whole.connection_string, "BLOB_TRIGGER_SOURCE": "EventGrid"}
    assert doctor(**azure).checks["events"]["detail"] == "there is no container dead-letters"
    letters = blobs(whole).create_container("dead-letters")
    assert doctor(**azure).states("events") == ["ok"]
    letters.upload_blob("topic/sub/1.json", b"[]")
    told = doctor(**azure)
    assert told.failed == ["events"]
    assert told.checks["events"]["mend"] == ["infra/connect-events.sh"]
    letters.delete_container()


@pytest.mark.parametrize(("minutes", "words"), [(-5, "ahead of"), (5, "behind"), (0, None)])
def test_a_clock_that_is_off_is_told(doctor: Doctor, minutes: int, words: str | None) -> None:
    class Storage(Handler):
        def do_GET(self) -> None:
            now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
            self.send_response_only(403)
            self.send_header("Date", format_datetime(now, usegmt=True))
            self.send_header("x-ms-error-code", "AuthenticationFailed")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with Server(Storage) as server:
        place = f"http://127.0.0.1:{server.port}/{ACCOUNT}"
        told = doctor(STORAGE=f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={place};QueueEndpoint={place}")
    assert ("clock" in told.failed) == (words is not None)
    assert (words or "right to a minute") in told.checks["clock"]["detail"]
