"""Slack by the real SDK: messages on the emulator, refusals and outages by the gateway in front of it, webhooks by a stub."""

from __future__ import annotations

from typing import Any

import pytest
from emulate_support import TOKEN, Emulate
from gateway import Reply, Seen
from slack_support import channel, history

from shared.adapters.secrets import EnvironmentSecrets
from shared.adapters.slack import SlackBot, SlackWebhook
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.slack import ChatMessage


def message(key: str, text: str = "shop: 2 to decide") -> ChatMessage:
    return ChatMessage(key, text, ({"type": "section", "text": {"type": "mrkdwn", "text": text}},))


def bot(emulate: Emulate, token: str = TOKEN, **environment: str) -> SlackBot:
    return SlackBot(EnvironmentSecrets({"SLACK_BOT_TOKEN": token, **environment}), channel(emulate), f"{emulate.slack.url}/api/")


def texts(emulate: Emulate, key: str) -> list[str]:
    return [m["text"] for m in history(emulate, key)]


def test_a_message_is_posted_found_again_and_updated_in_its_place(emulate: Emulate) -> None:
    slack = bot(emulate)

    place = slack.post(message("shop-1"))

    assert slack.find("shop-1") == place
    assert slack.find("other") is None
    assert slack.update(place, message("shop-1", "shop: deployed"))
    assert texts(emulate, "shop-1") == ["shop: deployed"]


def test_a_message_that_is_gone_is_not_updated(emulate: Emulate) -> None:
    slack = bot(emulate)

    assert not slack.update(f"{channel(emulate)}/1.000001", message("x"))


@pytest.mark.parametrize(
    ("reply", "kind", "text", "wait"),
    [
        (Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "17"}), TransientError, "Slack is busy (ratelimited)", 17.0),
        (Reply(503, {"ok": False}), TransientError, "Slack is busy (503)", None),
        (Reply(200, {"ok": False, "error": "internal_error"}), TransientError, "Slack is busy (internal_error)", None),
        (Reply(drop=True), TransientError, "Slack does not answer", None),
        (Reply(200, {"ok": False, "error": "channel_not_found"}), ValidationError, "Slack says: channel_not_found", None),
        (Reply(200, {"ok": False, "error": "token_revoked"}), CriticalError, "Slack refuses the token: token_revoked", None),
    ],
)
def test_refusals_and_outages_become_our_errors(emulate: Emulate, reply: Reply, kind: Any, text: str, wait: float | None) -> None:
    slack = bot(emulate)
    emulate.slack.answer("POST", "/api/chat.postMessage", reply)

    with pytest.raises(kind) as error:
        slack.post(message("x"))

    assert str(error.value).startswith(text)
    assert TOKEN not in str(error.value)
    assert getattr(error.value, "retry_after", None) == wait


def test_a_rotated_token_is_read_again_once(emulate: Emulate) -> None:
    class Rotating(EnvironmentSecrets):
        def renewed(self, name: str, refused: str) -> str | None:
            return TOKEN if refused == "old-token" else None

    def refuse_old(seen: Seen) -> Reply | None:
        return Reply(200, {"ok": False, "error": "token_expired"}) if "old-token" in seen.headers["authorization"] else None

    emulate.slack.answer("POST", "/api/chat.postMessage", refuse_old)
    slack = SlackBot(Rotating({"SLACK_BOT_TOKEN": "old-token"}), channel(emulate), f"{emulate.slack.url}/api/")

    assert slack.post(message("rotated"))
    assert texts(emulate, "rotated") == ["shop: 2 to decide"]


def test_where_history_may_not_be_read_nothing_is_found(emulate: Emulate) -> None:
    emulate.slack.answer("POST", "/api/conversations.history", Reply(200, {"ok": False, "error": "missing_scope"}))
    emulate.slack.answer("GET", "/api/conversations.history", Reply(200, {"ok": False, "error": "missing_scope"}))

    assert bot(emulate).find("x") is None


def test_without_a_token_nothing_is_tried(emulate: Emulate) -> None:
    with pytest.raises(CriticalError, match="slack-bot-token is not set"):
        SlackBot(EnvironmentSecrets({}), "C1", f"{emulate.slack.url}/api/").post(message("x"))


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply(429, "slow down", {"Retry-After": "3"}), TransientError, "Slack is busy (429)"),
        (Reply(404, "no_service"), CriticalError, "Slack refuses the webhook (404)"),
        (Reply(400, "invalid_payload"), ValidationError, "Slack says: 400"),
    ],
)
def test_what_a_webhook_answers_becomes_our_errors_without_its_address(emulate: Emulate, reply: Reply, kind: Any, text: str) -> None:
    url = f"{emulate.slack.url}/services/T000000001/B000000001/X000000001"
    emulate.slack.answer("POST", "/services/.*", reply)

    with pytest.raises(kind, match=text.replace("(", r"\(").replace(")", r"\)")) as error:
        SlackWebhook(EnvironmentSecrets({"SLACK_WEBHOOK_URL": url})).post(message("x"))

    assert "X000000001" not in str(error.value)


def test_a_webhook_posts_text_and_blocks(emulate: Emulate) -> None:
    url = f"{emulate.slack.url}/services/T000000001/B000000001/X000000001"

    SlackWebhook(EnvironmentSecrets({"SLACK_WEBHOOK_URL": url})).post(message("x", "by webhook"))

    assert emulate.slack.seen[-1].json == {"text": "by webhook", "blocks": [dict(message("x", "by webhook").blocks[0])]}
