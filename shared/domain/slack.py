"""What Slack is told of a run: one Block Kit message, made of plain values, that is updated as the run goes on.

Limits are Slack's: 150 characters in a header, 3000 in a section's text, 2000 in a field
(https://api.slack.com/reference/block-kit/blocks). Texts from manifests are escaped, so that nothing in them pings a channel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.model import SEVERITIES, FileOutcome
from shared.domain.report.credentials import redact
from shared.domain.report.document import summary
from shared.domain.report.view import questions, resolved, target, verdict
from shared.domain.run import RunSetup

_HEADER, _LINE, _KEY, _SHOWN = 150, 300, 120, 5
_NAMES = {"pull-request": "pull request", "check": "check run", "suggestions": "suggestions", "sarif": "code scanning"}


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """`text` is what notifications show; `key` names the message, so that it is found again."""

    key: str
    text: str
    blocks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Where a run stands outside: `links` by what they are ("report", "pull request"...), `troubles` what could not be told and why."""

    run: str
    app: str
    origin: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    deployment: str = ""


def finished_message(told: Told, setup: RunSetup, outcomes: Sequence[FileOutcome]) -> ChatMessage:
    """The message of a finished run: verdict, source and target, counts, what needs a human, links."""
    title = f"{told.app}: {verdict(outcomes, summary(outcomes))}"
    fields = [
        f"*Source*\n{escape(setup.source.profile)}{f' ({escape(told.origin)})' if told.origin else ''}",
        f"*Target*\n{escape(target(setup))}",
        f"*Open*\n{_open(outcomes)}",
        f"*Done*\n{_done(outcomes)}",
    ]
    blocks = [_header(title), _fields(fields), *_section(_asked(outcomes)), *_rest(told)]
    return ChatMessage(told.run, title, tuple(blocks))


def failed_message(told: Told, stage: str, error: str, *, replayable: bool = True) -> ChatMessage:
    """The message of a run that cannot go on by itself. `replayable`: its files were read before it failed."""
    title = f"{told.app}: the run failed at the {stage}"
    replay = f"Once the cause is gone, replay it: `POST /api/runs/{told.run}/replay`."
    anew = "Its files were not read yet: mend the cause and push or upload again, or press Redeliver on GitHub."
    lines = [*([escape(told.origin)] if told.origin else []), escape(error), replay if replayable else anew]
    return ChatMessage(told.run, title, (_header(title), *_section(lines), *_rest(told)))


def lost_message(key: str, queue: str, error: str) -> ChatMessage:
    """A message of the pipeline that belongs to no run and could not be used."""
    title = f"aks-copilot: a message of the queue {queue} could not be used"
    return ChatMessage(key, title, (_header(title), *_section([escape(error)])))


def stuck_message(key: str, run: str, since: str) -> ChatMessage:
    """A run that has not ended and of which nothing was written since `since`."""
    title = f"aks-copilot: the run {run} stands still"
    lines = [f"Nothing happened since {escape(since)}.", f"`GET /api/runs/{run}` says where it stands, docs/operations.md what to look at."]
    return ChatMessage(key, title, (_header(title), *_section(lines)))


def escape(text: str, limit: int = _LINE) -> str:
    """One line of text, at most `limit` characters of it, that Slack shows as it is (https://api.slack.com/reference/surfaces/formatting#escaping)."""
    flat = " ".join(redact(text).split())
    cut = _cut(flat, limit)
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _open(outcomes: Sequence[FileOutcome]) -> str:
    left = Counter(v.severity for o in outcomes for v in o.violations if v.resolution in ("suggested", "needs-human"))
    return ", ".join(_number(left[s], s) for s in reversed(SEVERITIES) if left[s]) or "nothing"


def _done(outcomes: Sequence[FileOutcome]) -> str:
    counts = summary(outcomes)
    changed = sum(o.status in ("patched", "created") for o in outcomes)
    return f"{_number(counts['fixed'], 'finding')} fixed in {changed} of {_number(counts['files'], 'file')}"


def _asked(outcomes: Sequence[FileOutcome]) -> list[str]:
    asked = [f"• {escape(q.question)} `{_code(q.key)}`" for q, _ in questions(outcomes)]
    rest = [f"• {escape(f'{g.rule_id} {g.title}')} ({len(g.rows)})" for g in resolved(outcomes, "needs-human")] if not asked else []
    lines = asked or rest
    more = [f"…and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return ["*Needs a human*", *lines[:_SHOWN], *more] if lines else []


def _rest(told: Told) -> list[Mapping[str, Any]]:
    links = "   ".join(f"<{_url(url)}|{escape(name[:1].upper() + name[1:])}>" for name, url in told.links.items())
    troubles = [f":warning: {_NAMES.get(name, name)}: {escape(why)}" for name, why in sorted(told.troubles.items())]
    lines = [*([escape(told.deployment)] if told.deployment else []), *troubles, *([links] if links else [])]
    return [*_section(lines), {"type": "context", "elements": [{"type": "mrkdwn", "text": f"Run `{told.run}`"}]}]


def _header(title: str) -> Mapping[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER), "emoji": False}}


def _fields(texts: Iterable[str]) -> Mapping[str, Any]:
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


def _section(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines)}}] if lines else []


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 or what == 'info' else 's'}"


def _code(text: str) -> str:
    return escape(text, _KEY).replace("`", "'")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _url(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C").replace(" ", "%20")
