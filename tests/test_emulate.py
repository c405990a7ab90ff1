"""What the tests rely on in the GitHub emulator, and what it does not do: if a later version does it, a workaround can go."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from emulate_support import APP_OWNER, INSTALLATION, OWNER, SECRET, Emulate, missing
from funchost_harness import wait_until
from gateway import Reply
from http_support import Inbox


@pytest.mark.parametrize("owner", [OWNER, APP_OWNER])
def test_a_push_is_delivered_signed_over_its_bytes(emulate: Emulate, inbox: Inbox, owner: str) -> None:
    repository = emulate.repository({"a.yaml": "a: 1\n"}, owner=owner)
    repository.hook(inbox.url)
    before = repository.head()

    after = repository.push({"a.yaml": "a: 2\n"})

    wait_until(lambda: inbox.seen, "a delivery")
    headers, body = inbox.seen[0].headers, inbox.seen[0].body
    payload = json.loads(body)
    assert headers["x-github-event"] == "push"
    assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert (payload["ref"], payload["before"], payload["after"]) == ("refs/heads/main", before, after)
    assert payload["repository"]["full_name"] == repository.name
    assert payload.get("installation", {}).get("id") == (INSTALLATION if owner == APP_OWNER else None)


def test_what_github_delivers_and_the_emulator_does_not(emulate: Emulate, inbox: Inbox) -> None:
    repository = emulate.repository({"a.yaml": "a: 1\n"})
    repository.hook(inbox.url)
    opened = repository.push({"b.yaml": "b: 1\n"}, branch="feature")  # a new ref: no push
    number = repository.open_pull("feature")["number"]
    repository.push({"b.yaml": "b: 2\n"}, branch="feature")  # no synchronize
    repository.call("DELETE", "/git/refs/heads/feature")  # no push with deleted

    wait_until(lambda: len(inbox.seen) >= 2, "two deliveries")
    assert [seen.headers["x-github-event"] for seen in inbox.seen] == ["pull_request", "push"]
    assert repository.call("GET", f"/pulls/{number}")["head"]["sha"] == opened
    assert repository.call("GET", f"/pulls/{number}/files") == []


def test_compare_stops_at_three_hundred_files(emulate: Emulate) -> None:
    repository = emulate.repository({"a.yaml": "a: 1\n"})
    before = repository.head()
    after = repository.push({f"many/{n:03d}.yaml": "a: 1\n" for n in range(310)})
    assert len(repository.call("GET", f"/compare/{before}...{after}")["files"]) == 300


def test_the_gateway_journals_fails_and_loses_answers(emulate: Emulate) -> None:
    import urllib.error
    import urllib.request

    def get(path: str) -> int:
        try:
            with urllib.request.urlopen(emulate.github.url + path, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    emulate.github.fail("GET", "^/zen", 503, times=1)
    emulate.github.answer("GET", "^/made-up$", Reply(200, {"a": 1}))
    assert [get("/zen"), get("/zen"), get("/made-up"), get("/none-such")] == [503, 200, 200, 404]
    assert [seen.path for seen in emulate.github.calls("GET", "zen")] == ["/zen", "/zen"]


def test_the_emulator_ends_with_its_owner(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    with Emulate(tmp_path) as running:
        process = running._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None
