"""The publisher `slack`: one message per run, posted when it finishes or fails and updated whenever more is known.

Two deliveries at once would post two messages, so whoever tells holds a short lock; after a crash between posting and remembering
the message is found again by its key. An incoming webhook cannot update: it is told once, when nothing more is awaited, and once
more with the outcome of a deployment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from shared.domain import deployment, slack
from shared.domain.deployment import ENDED
from shared.domain.ports import Chat
from shared.domain.slack import ChatMessage, Told
from shared.pipeline import lock, names, origin, publish, results, state
from shared.pipeline.context import Context

_TOLD_BY = {"pull-request": "pull request", "check": "check run"}


@dataclass(frozen=True, slots=True)
class SlackPublisher:
    """`report_url` has `{runId}` where the run's name goes; None where reports have no address."""

    chat: Chat
    report_url: str | None = None

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context)."""
        message, phase = _message(ctx, run, self.report_url)
        if message is None:
            return None
        with lock.held(ctx, run, publish.SLACK):
            before = publish.recall(ctx, run, publish.SLACK) or {}
            if before.get("digest") == _digest(message):
                return {k: v for k, v in before.items() if k not in ("error", "at")}
            return self._update(message, before) if self.chat.updates else self._once(ctx, run, message, phase, before)

    def lost(self, ctx: Context, name: str) -> None:
        """Tell of a message that belongs to no run, or of a run that stopped moving, once; `name` is the record in `runs`."""
        record, told = state.load(ctx, name), names.told(name)
        if not state.exists(ctx, told):
            self.chat.post(_alarm(name, record))
            state.save(ctx, told, {})

    def _update(self, message: ChatMessage, before: Mapping[str, Any]) -> dict[str, Any]:
        place = before.get("place") or self.chat.find(message.key)
        if place is None or not self.chat.update(place, message):
            place = self.chat.post(message)
        return {"place": place, "digest": _digest(message)}

    def _once(self, ctx: Context, run: str, message: ChatMessage, phase: str, before: Mapping[str, Any]) -> dict[str, Any]:
        phases = list(before.get("phases", []))
        if phase not in phases and publish.settled(ctx, run):
            self.chat.post(message)
            return {"phases": [*phases, phase], "digest": _digest(message)}
        return {"phases": phases}


def _alarm(name: str, record: Mapping[str, Any]) -> ChatMessage:
    if "stuckSince" in record:
        return slack.stuck_message(name, str(record["runId"]), str(record["stuckSince"]))
    return slack.lost_message(name, str(record.get("queue", "?")), str(record.get("error", "")))


def _message(ctx: Context, run: str, report_url: str | None) -> tuple[ChatMessage | None, str]:
    """What to say now, and the phase of the run that it is about: failed, done or the state of its deployment."""
    told = _told(ctx, run, report_url)
    failed, finished = state.find(ctx, names.failed(run)), results.finished(ctx, run)
    if failed is not None:
        unread = replace(told, links={name: url for name, url in told.links.items() if name != "report"})  # there is none
        frozen = state.exists(ctx, names.manifest(run))
        return slack.failed_message(unread, str(failed["stage"]), str(failed["error"]), replayable=frozen), "failed"
    if finished is None:
        return None, ""
    deployed = (state.find(ctx, names.deployment(run)) or {}).get("state")
    return slack.finished_message(told, finished.setup, finished.outcomes), deployed if deployed in ENDED else "done"


def _told(ctx: Context, run: str, report_url: str | None) -> Told:
    kept = {name: publish.recall(ctx, run, name) or {} for name in ctx.publishers if name != publish.SLACK}
    links = {"report": report_url.replace("{runId}", run)} if report_url else {}
    links |= {_TOLD_BY[name]: str(entry["url"]) for name, entry in kept.items() if name in _TOLD_BY and "url" in entry}
    troubles = {name: str(entry["error"]) for name, entry in kept.items() if "error" in entry}
    source = origin.find(ctx, run)
    where = f"{source.name}@{source.commit[:7]}" if source else ""
    deployed = state.find(ctx, names.deployment(run))
    links |= {"deployment": str(deployed["url"])} if deployed and deployed.get("url") else {}
    return Told(run, names.app_of(run), where, links, troubles, deployment.told(deployed) if deployed else "")


def _digest(message: ChatMessage) -> str:
    return hashlib.sha256(json.dumps(asdict(message), sort_keys=True, default=list).encode()).hexdigest()[:16]
