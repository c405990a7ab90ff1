"""POST /api/github/webhook as the host calls it: who is let in, what is answered, what is queued, and what storage in trouble does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from emulate_support import push_payload, signature
from fakes import World

from functions.github import github_webhook
from shared import services
from shared.adapters.secrets import CachedSecrets, EnvironmentSecrets
from shared.domain.errors import TransientError
from shared.domain.messages import INLINE_BYTES, decode
from shared.domain.webhook import MAX_BYTES
from shared.pipeline import names

BODY = json.dumps(push_payload("acme/shop", "a" * 40, "b" * 40)).encode()
SECRET = "a secret"


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    services.install(replace(made.services, secrets=EnvironmentSecrets({"GITHUB_WEBHOOK_SECRET": SECRET})))
    yield made
    services.install(None)


def post(body: bytes = BODY, **headers: str | None) -> tuple[int, dict[str, str]]:
    """One request; a header that is None is left out."""
    sent: dict[str, str | None] = {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": signature(body, SECRET),
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in sent.items() if value is not None}
    request = func.HttpRequest("POST", "http://localhost/api/github/webhook", headers=given, body=body)
    user_function: Callable[..., func.HttpResponse] = github_webhook.build().get_user_function()
    response = user_function(req=request)
    assert response.mimetype == "application/json"
    return response.status_code, json.loads(response.get_body())


def queued(world: World) -> list[Any]:
    return [decode(message.text) for message in world.queue.waiting]


def test_a_push_is_queued_once(world: World) -> None:
    assert post() == (202, {"status": "queued"})
    assert post() == (202, {"status": "duplicate"})
    (message,) = queued(world)
    assert (message.type, message.run_id, message.payload["commit"]) == ("webhook", "", "b" * 40)
    assert [message.queue for message in world.queue.waiting] == ["intake"]


def test_an_id_is_no_protection_for_another_body(world: World) -> None:
    """The id is not signed, and a GitHub that starts anew counts from one."""
    other = json.dumps(push_payload("acme/shop", "b" * 40, "c" * 40)).encode()
    assert [post(body)[1]["status"] for body in (BODY, other, other)] == ["queued", "queued", "duplicate"]
    assert [message.payload["commit"] for message in queued(world)] == ["b" * 40, "c" * 40]


def test_a_large_delivery_is_a_small_message(world: World) -> None:
    commits = [{"message": "x" * 1000, "added": [f"f{n}"]} for n in range(10_000)]
    body = json.dumps(push_payload("acme/shop", "a" * 40, "b" * 40, commits=commits)).encode()
    assert len(body) > 10_000_000
    started = time.monotonic()
    assert post(body) == (202, {"status": "queued"})
    assert time.monotonic() - started < 5
    assert len(world.queue.waiting[0].text) < 1000 < INLINE_BYTES


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha256=é" + "0" * 63, "x" * 10_000])
def test_without_the_right_signature_nothing_is_looked_at(world: World, header: str | None) -> None:
    assert post(b"not even JSON", x_hub_signature_256=header) == (401, {"error": "X-Hub-Signature-256 is missing or wrong"})
    assert post(b"x", x_hub_signature_256=header, content_type="text/html", x_github_event="../..")[0] == 401
    assert world.queue.waiting == []
    assert world.blobs.texts(names.RUNS) == {}


def test_a_body_changed_on_its_way_is_refused(world: World) -> None:
    assert post(BODY + b" ", x_hub_signature_256=signature(BODY, SECRET))[0] == 401
    assert post(BODY, x_hub_signature_256=signature(BODY, SECRET))[0] == 202


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b" " * (MAX_BYTES + 1), {}, 413),
        (BODY, {"content_type": "application/x-www-form-urlencoded"}, 415),
        (BODY, {"content_type": None}, 415),
        (BODY, {"content_type": "application/json; charset=utf-8"}, 202),
        (BODY, {"x_github_event": None}, 400),
        (BODY, {"x_github_event": "Push!"}, 400),
        (BODY, {"x_github_delivery": None}, 400),
        (BODY, {"x_github_delivery": "../../done.json"}, 400),
        (BODY, {"x_github_delivery": "d" * 65}, 400),
        (b"[]", {}, 400),
        (b"{}", {}, 400),
        (b"{}", {"x_github_event": "ping"}, 200),
        (b"{}", {"x_github_event": "star"}, 202),
    ],
)
def test_answers(world: World, body: bytes, headers: dict[str, str | None], status: int) -> None:
    code, answer = post(body, **headers)
    assert code == status
    assert ("error" in answer) == (status >= 400)
    assert bool(world.queue.waiting) == (body == BODY and status == 202)


def test_a_secret_that_was_changed_is_read_again(world: World) -> None:
    values = ["old secret", SECRET]
    now = [0.0]
    store = CachedSecrets(lambda name: values.pop(0) if len(values) > 1 else values[0], 300, lambda: now[0])
    services.install(replace(world.services, secrets=store))
    assert store.get("github-webhook-secret") == "old secret"
    now[0] = 60
    assert post()[0] == 202


def test_without_a_secret_nobody_is_let_in(world: World) -> None:
    services.install(replace(world.services, secrets=EnvironmentSecrets({})))
    assert post() == (503, {"error": "GITHUB_WEBHOOK_SECRET is not set"})


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_queue_and_mark_loses_nothing(world: World, *, after: bool) -> None:
    world.fuse.at, world.fuse.after = 1, after  # the send itself
    world.process(lambda: post() and None)
    assert len(world.queue.waiting) == 1 + after
    assert len({message.text.split('"traceparent"')[0] for message in world.queue.waiting}) == 1


def test_storage_in_trouble_is_a_failed_delivery_that_can_be_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise TransientError("storage: no answer")

    with monkeypatch.context() as broken:
        broken.setattr(world.context.queue, "send", down)
        code, answer = post()
    assert (code, answer) == (503, {"error": "not able to take deliveries now: redeliver this one later"})
    assert post() == (202, {"status": "queued"})
