"""The publisher `slack`: one message per run whatever crashes, repeats or comes out of order; what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fakes import Fuse, World

from shared.domain.errors import BusyError, TransientError, ValidationError
from shared.domain.model import FileOutcome, Question, SourceFinding, Violation
from shared.domain.run import RunSetup
from shared.domain.slack import ChatMessage, Told, escape, failed_message, finished_message
from shared.pipeline import names, publish, state, status
from shared.pipeline.context import Context
from shared.pipeline.slack import SlackPublisher

APP = {"shop/deploy.yaml": "image: BAD\n"}
SETUP = RunSetup("shop-000000000000", "shop", SourceFinding("k3s", ()), {"title": "AKS Standard, Kubernetes 1.35"}, {}, {}, False)


@dataclass
class Channel:
    """A Chat in memory. `before`: what happens before each post; `deleted` messages cannot be updated."""

    updates: bool = True
    messages: dict[str, ChatMessage] = field(default_factory=dict)
    posts: int = 0
    failures: list[Exception] = field(default_factory=list)

    def post(self, message: ChatMessage) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.posts += 1
        self.messages[f"C1/{self.posts}"] = message
        return f"C1/{self.posts}" if self.updates else ""

    def update(self, place: str, message: ChatMessage) -> bool:
        if place not in self.messages:
            return False
        self.messages[place] = message
        return True

    def find(self, key: str) -> str | None:
        return next((place for place, m in self.messages.items() if m.key == key), None) if self.updates else None

    def said(self) -> list[str]:
        return [json.dumps(m.blocks) for m in self.messages.values()]


def pull_request(ctx: Context, run: str) -> Mapping[str, Any]:
    return {"url": "https://github.com/acme/shop/pull/7"}


def ran(chat: Channel, pull: Any = pull_request, **options: Any) -> tuple[World, str]:
    told = SlackPublisher(chat, "https://copilot.example/api/runs/{runId}/report?format=html")
    world = World(publishers={"pull-request": pull, "slack": told}, **options)
    world.context = replace(world.context, alarm=told.lost)
    world.services = replace(world.services, context=world.context)
    world.put(APP)
    world.drain()
    return world, world.runs()[0]


def test_one_message_says_what_became_of_the_run_and_where_to_read_on() -> None:
    chat = Channel()

    _, run = ran(chat)

    (said,) = chat.said()
    assert f"<https://copilot.example/api/runs/{run}/report?format=html|Report>" in said
    assert "<https://github.com/acme/shop/pull/7|Pull request>" in said
    assert chat.posts == 1


@pytest.mark.parametrize("seed", range(4))
def test_repeated_and_disordered_messages_give_one_message(seed: int) -> None:
    chat = Channel()

    ran(chat, copies=2, seed=seed)

    assert chat.posts == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_gives_one_message(after: bool) -> None:
    world, _ = ran(Channel())
    for at in range(1, world.fuse.count + 1):
        chat = Channel()
        crashed, _ = ran(chat, fuse=Fuse(at, after))
        assert crashed.crashes == 1
        assert chat.posts == 1, f"crash at {at}"
        assert "pull/7" in chat.said()[0]


def test_slack_being_down_does_not_touch_the_run() -> None:
    chat = Channel(failures=[TransientError("Slack is busy (503)")] * 6)

    world, run = ran(chat)

    shown = status.run_status(world.context, run)
    assert shown is not None
    assert (shown["state"], chat.posts, world.errors) == ("done", 1, [])


def test_what_could_not_be_published_is_told() -> None:
    def refuses(ctx: Context, run: str) -> None:
        raise ValidationError("the repository acme/shop is archived")

    chat = Channel()
    ran(chat, refuses)

    assert ":warning: pull request: the repository acme/shop is archived" in chat.said()[0]


def test_a_message_that_a_human_deleted_is_posted_anew_only_when_there_is_news() -> None:
    chat = Channel()
    world, run = ran(chat)
    chat.messages.clear()

    publish.announce(world.context, run, "slack")
    world.drain()
    assert chat.posts == 1

    publish.keep(world.context, run, "pull-request", {"url": "https://github.com/acme/shop/pull/8"})
    world.drain()
    assert (chat.posts, "pull/8" in chat.said()[0]) == (2, True)


def test_a_webhook_is_told_once_when_everything_else_is_settled() -> None:
    chat = Channel(updates=False)

    ran(chat, copies=2, seed=3)

    (said,) = chat.said()
    assert "pull/7" in said


def test_a_lock_that_another_message_holds_is_waited_for_and_one_that_was_left_behind_is_taken() -> None:
    world, run = ran(Channel())
    publisher = world.context.publishers["slack"]
    state.save(world.context, f"{run}/slack.lock", {"at": world.context.clock()})
    with pytest.raises(BusyError, match="another message"):
        publisher(world.context, run)
    publish.announce(world.context, run, "slack")
    world.drain()
    shown = status.run_status(world.context, run)
    assert shown is not None
    assert shown["errors"] == []  # who waits its turn is no trouble that somebody should read about

    state.save(world.context, f"{run}/slack.lock", {"at": world.context.clock() - 100})
    assert publisher(world.context, run)
    assert not state.exists(world.context, f"{run}/slack.lock")


def test_a_poisoned_message_without_a_run_is_told_once() -> None:
    chat = Channel()
    world, _ = ran(chat)

    for _ in range(2):
        world.services.poisoned("intake", "no JSON at all")
        world.drain()

    assert [m.text for m in chat.messages.values()][1:] == ["aks-copilot: a message of the queue intake could not be used"]
    assert len(world.blobs.texts(names.RUNS, "lost/")) == 2


def violation(severity: Any, resolution: Any, rule: str = "AKS0101") -> Violation:
    return Violation(rule, "A storage class of the old cluster", severity, 0, "", 1, 1, None, "message", (), resolution)


def test_the_message_counts_what_is_open_and_lists_the_questions() -> None:
    asked = tuple(Question("storageClasses.fast-ssd", f"Which class? <!channel> {n}", "managed-csi") for n in range(1))
    files = [
        FileOutcome("a.yaml", "patched", None, 1, (violation("error", "fixed"), violation("warning", "suggested")), questions=asked),
        FileOutcome("b.yaml", "refused", "unrendered template", 0, (violation("error", "needs-human"),)),
    ]

    message = finished_message(Told("shop-000000000000", "shop", "acme/shop@0123456"), SETUP, files)

    assert message.text == "shop: 1 to decide, 1 suggested, 1 refused"
    fields = [f["text"] for f in message.blocks[1]["fields"]]
    assert fields == [
        "*Source*\nk3s (acme/shop@0123456)",
        "*Target*\nAKS Standard, Kubernetes 1.35",
        "*Open*\n1 error, 1 warning",
        "*Done*\n1 finding fixed in 1 of 2 files",
    ]
    assert message.blocks[2]["text"]["text"] == "*Needs a human*\n• Which class? &lt;!channel&gt; 0 `storageClasses.fast-ssd`"


def test_many_questions_and_long_texts_stay_within_the_limits_of_slack() -> None:
    asked = tuple(Question(f"hosts.{'x' * 900}{n}", "y" * 5000, "z") for n in range(60))
    files = [FileOutcome("a.yaml", "unchanged", None, 1, (violation("error", "needs-human"),), questions=asked)]
    told = Told("shop-000000000000", "a" * 40, "o" * 500, {"report": "https://x.example/" + "r" * 300}, {"check": "e" * 9000})

    message = finished_message(told, SETUP, files)

    assert "…and 55 more" in message.blocks[2]["text"]["text"]
    for block in message.blocks:
        text = block.get("text", {}).get("text", "")
        assert len(text) <= (150 if block["type"] == "header" else 3000)
        assert all(len(f["text"]) <= 2000 for f in block.get("fields", []))


def test_texts_cannot_ping_and_secrets_are_hidden() -> None:
    assert escape("<!here> & <@U1>\nx") == "&lt;!here&gt; &amp; &lt;@U1&gt; x"
    message = failed_message(Told("shop-000000000000", "shop"), "patcher", "password=hunter2hunter2")
    assert "hunter2hunter2" not in json.dumps(message.blocks)
    assert "POST /api/runs/shop-000000000000/replay" in json.dumps(message.blocks)
