"""Slack behind the Chat port, by a bot token or by an incoming webhook; the only module that knows the Slack SDK.

A bot needs the scope `chat:write`, and `channels:history` (or `groups:history`) to find its own message after a crash. Tokens and the
webhook's address are secrets: an SDK error's text never gets into ours.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException
from typing import Any, TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from shared.domain.errors import AccessError, CriticalError, TransientError, ValidationError
from shared.domain.ports import SecretStore
from shared.domain.slack import ChatMessage

T = TypeVar("T")
_TIMEOUT = 15  # seconds
_EVENT = "aks_copilot_run"
_LOOKED_AT = 200  # messages of the channel's history
_BUSY = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org")
_REFUSED = ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive")
_NO_LOOK = ("missing_scope", "not_in_channel", "no_permission")
_GONE = ("message_not_found", "cant_update_message", "edit_window_closed")
_DEAD_WEBHOOK = ("invalid_token", "no_service", "no_service_id", "no_team", "team_disabled")


class SlackBot:
    """One channel, written by a bot token (secret `slack-bot-token`)."""

    updates = True

    def __init__(self, secrets: SecretStore, channel: str, base_url: str) -> None:
        self._secrets, self._channel, self._base = secrets, channel, base_url

    def post(self, message: ChatMessage) -> str:
        sent = self._call(lambda c: c.chat_postMessage(channel=self._channel, unfurl_links=False, **_content(message)))
        return f"{sent['channel']}/{sent['ts']}"

    def update(self, place: str, message: ChatMessage) -> bool:
        channel, _, ts = place.partition("/")
        try:
            self._call(lambda c: c.chat_update(channel=channel, ts=ts, **_content(message)))
        except ValidationError as error:
            if str(error).rpartition(" ")[2] in _GONE:
                return False
            raise
        return True

    def find(self, key: str) -> str | None:
        try:
            found = self._call(lambda c: c.conversations_history(channel=self._channel, limit=_LOOKED_AT, include_all_metadata=True))
        except ValidationError as error:
            if str(error).rpartition(" ")[2] in (*_NO_LOOK, "channel_not_found"):
                return None  # history wants the channel's id and a scope more than posting does
            raise
        for item in found["messages"]:
            metadata = item.get("metadata") or {}
            if metadata.get("event_type") == _EVENT and metadata.get("event_payload", {}).get("key") == key:
                return f"{self._channel}/{item['ts']}"
        return None

    def who(self) -> tuple[str, str]:
        """The names of the bot and of its workspace, by `auth.test`. Raises as `post` does."""
        said = self._call(lambda c: c.auth_test())
        return str(said["user"]), str(said["team"])

    def _call(self, action: Callable[[WebClient], Any]) -> Any:
        token = self._secrets.get("slack-bot-token")
        if not token:
            raise CriticalError("the secret slack-bot-token is not set")
        try:
            return _answered(lambda: action(self._client(token)))
        except CriticalError:
            newer = self._secrets.renewed("slack-bot-token", token)
            if newer is None:
                raise
            return _answered(lambda: action(self._client(newer)))

    def _client(self, token: str) -> WebClient:
        return WebClient(token, self._base, timeout=_TIMEOUT, retry_handlers=[])


class SlackWebhook:
    """An incoming webhook (its address is the secret `slack-webhook-url`): it posts, and can neither change nor find a message."""

    updates = False

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def post(self, message: ChatMessage) -> str:
        url = self._secrets.get("slack-webhook-url")
        if not url:
            raise CriticalError("the secret slack-webhook-url is not set")
        try:
            _send(url, message)
        except CriticalError:
            newer = self._secrets.renewed("slack-webhook-url", url)
            if newer is None:
                raise
            _send(newer, message)
        return ""

    def update(self, place: str, message: ChatMessage) -> bool:  # noqa: ARG002 - the port's signature
        return False

    def find(self, key: str) -> str | None:  # noqa: ARG002
        return None


def _content(message: ChatMessage) -> dict[str, Any]:
    metadata = {"event_type": _EVENT, "event_payload": {"key": message.key}}
    return {"text": message.text, "blocks": [dict(block) for block in message.blocks], "metadata": metadata}


def _answered(action: Callable[[], T]) -> T:
    try:
        return action()
    except SlackApiError as error:
        raise _translated(error) from None
    except (SlackClientError, HTTPException, OSError) as error:
        raise TransientError(f"Slack does not answer ({type(error).__name__})") from None


def _translated(error: SlackApiError) -> Exception:
    status, code = int(error.response.status_code), str(error.response.get("error") or "")
    if status == 429 or status >= 500 or code in _BUSY:
        return TransientError(f"Slack is busy ({code or status})", _wait(dict(error.response.headers)))
    if code in _REFUSED:
        return AccessError(f"Slack refuses the token: {code}", code)
    return ValidationError(f"Slack says: {code or status}")


def _send(url: str, message: ChatMessage) -> None:
    client = WebhookClient(url, timeout=_TIMEOUT, retry_handlers=[])
    answer = _answered(lambda: client.send(text=message.text, blocks=[dict(block) for block in message.blocks]))
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TransientError(f"Slack is busy ({answer.status_code})", _wait(dict(answer.headers)))
    if answer.status_code == 404 or answer.body.strip() in _DEAD_WEBHOOK:
        raise CriticalError(f"Slack refuses the webhook ({answer.status_code})")
    if answer.status_code != 200:
        raise ValidationError(f"Slack says: {answer.status_code}")


def _wait(headers: dict[str, Any]) -> float | None:
    """Seconds of Retry-After. The SDK gives a header as text or as a list, with its name in any case."""
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    text = str(value[0] if isinstance(value, list) and value else value)
    return float(text) if text.isascii() and text.isdigit() else None
