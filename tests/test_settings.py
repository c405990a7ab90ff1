"""Settings and logs: everything that is wrong in one line, nothing secret in any."""

from __future__ import annotations

import json
import logging

import pytest

from shared import logs
from shared.domain.errors import CriticalError, ValidationError
from shared.settings import load_settings


def test_identity_settings_name_the_account_by_either_form() -> None:
    short = load_settings({"STORAGE__accountName": "acct", "STORAGE__clientId": "c"}).storage
    assert (short.blob_uri, short.queue_uri, short.client_id) == (
        "https://acct.blob.core.windows.net",
        "https://acct.queue.core.windows.net",
        "c",
    )
    long = load_settings({"STORAGE__blobServiceUri": "https://b.example", "STORAGE__queueServiceUri": "https://q.example"}).storage
    assert (long.connection_string, long.blob_uri, long.queue_uri, long.client_id) == (None, "https://b.example", "https://q.example", None)


def test_everything_that_is_wrong_is_said_at_once_without_its_value() -> None:
    with pytest.raises(CriticalError) as error:
        load_settings(
            {
                "STORAGE__blobServiceUri": "http://hunter2",
                "RUN_QUIET_SECONDS": "0",
                "BATCH_BYTES": "hunter2",
                "BLOB_TRIGGER_SOURCE": "Polling",
            }
        )
    assert str(error.value) == (
        "settings: RUN_QUIET_SECONDS must be a whole number from 1 to 86400; BATCH_BYTES must be a whole number from 1 to 67108864; "
        "STORAGE__blobServiceUri must start with https://; STORAGE (a connection string) or STORAGE__queueServiceUri is missing; "
        "BLOB_TRIGGER_SOURCE must be LogsAndContainerScan or EventGrid"
    )


def test_an_empty_setting_is_its_default() -> None:
    assert load_settings({"STORAGE": "x", "RUN_QUIET_SECONDS": ""}).quiet_seconds == 10
    assert load_settings({"STORAGE": "x", "RUN_QUIET_SECONDS": "3"}).quiet_seconds == 3


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "https://api.github.com"),
        ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
        ("http://localhost:1", "http://localhost:1"),
    ],
)
def test_the_address_of_github(given: str, url: str) -> None:
    assert load_settings({"STORAGE": "x", "GITHUB_API_URL": given}).github_url == url


@pytest.mark.parametrize(
    ("host", "start"),
    [("app.azurewebsites.net", "https://app.azurewebsites.net/api/runs/{runId}/"), ("localhost:7071", "http://localhost:7071/api/runs/")],
)
def test_the_link_to_a_report_opens_on_azure_and_on_the_development_host(host: str, start: str) -> None:
    url = load_settings({"STORAGE": "x", "WEBSITE_HOSTNAME": host}).report_url
    assert url is not None
    assert url.startswith(start)


def test_a_token_is_not_sent_without_tls() -> None:
    with pytest.raises(CriticalError, match="GITHUB_API_URL must start with https://"):
        load_settings({"STORAGE": "x", "GITHUB_API_URL": "http://ghe.example/api/v3"})


def test_a_log_line_is_one_json_object_with_the_bound_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "aks_copilot"), logs.bound(runId="r", stage="inspector"), logs.bound(attempt=2), logs.timed("done"):
        logs.event("a\nb", path="ä", nothing=None)
    first, second = [json.loads(record.message) for record in caplog.records]
    assert {k: first[k] for k in ("level", "message", "runId", "stage", "attempt", "path")} == {
        "level": "info", "message": "a\nb", "runId": "r", "stage": "inspector", "attempt": 2, "path": "ä",
    }  # fmt: skip
    assert "nothing" not in first
    assert "\n" not in caplog.records[0].message
    assert (second["message"], second["durationMs"] >= 0) == ("done", True)


def test_fields_do_not_leak_out_of_their_block(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "aks_copilot"):
        with logs.bound(runId="r"):
            logs.event("inside")
        logs.event("after")
    inside, after = (json.loads(record.message) for record in caplog.records)
    assert (inside["runId"], "runId" in after) == ("r", False)


def test_the_text_of_a_foreign_error_is_never_written(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError) as error:
        {}["hunter2"]
    logs.failure("failed", error.value)
    assert logs.describe(error.value).startswith("internal error: KeyError at test_settings.py:")
    assert "hunter2" not in caplog.text
    assert json.loads(caplog.records[0].message)["errorClass"] == "KeyError"
    assert logs.describe(ValidationError("two\nlines")) == "two lines"
