"""Slack on the emulator: its one channel, what was said there, and the settings of a function app that speaks there."""

from __future__ import annotations

from typing import Any

from emulate_support import TOKEN, Emulate


def channel(emulate: Emulate) -> str:
    return str(emulate.call("POST", "/api/conversations.list", {}, service="slack")["channels"][0]["id"])


def history(emulate: Emulate, *keys: str) -> list[dict[str, Any]]:
    """The messages with one of these keys (a run's name), oldest first."""
    asked = {"channel": channel(emulate), "limit": 200}
    found = emulate.call("POST", "/api/conversations.history", asked, service="slack")["messages"]
    return [m for m in reversed(found) if m.get("metadata", {}).get("event_payload", {}).get("key") in keys]


def slack_bot(emulate: Emulate) -> dict[str, str]:
    """Settings of the app: a bot that writes to the channel."""
    return {"SLACK": "bot", "SLACK_CHANNEL": channel(emulate), "SLACK_API_URL": f"{emulate.slack.url}/api/", "SLACK_BOT_TOKEN": TOKEN}
