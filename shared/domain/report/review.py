"""A review of a user's pull request: one comment for each suggestion, and the text above them.

The text holds, hidden, a mark of everything that was ever suggested there: a comment can be deleted, the text of a review cannot, so what
a person did away with does not come back. Blocks: https://docs.github.com/en/pull-requests/collaborating-with-pull-requests
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain.model import SEVERITIES, Violation
from shared.domain.report.credentials import redact
from shared.domain.report.escape import link
from shared.domain.report.pull_request import said
from shared.domain.report.web import visible, web_links
from shared.domain.suggestions import Suggestion

MOST = 50
"""Comments of one review: more are not read."""
_MARKS = re.compile(r"<!-- aks-copilot suggested:((?: [0-9a-f]{12})*) -->")


def gravest(found: Iterable[Suggestion]) -> list[Suggestion]:
    """In the order in which they are shown: the gravest first, then by file and line."""
    return sorted(found, key=lambda one: (-max(SEVERITIES.index(v.severity) for v in one.violations), one.path, one.start))


def comment(one: Suggestion) -> dict[str, Any]:
    """GitHub's fields of a review comment."""
    place: dict[str, Any] = {"path": one.path, "side": "RIGHT", "line": one.end}
    if one.start < one.end:
        place |= {"start_line": one.start, "start_side": "RIGHT"}
    told = [_about(v) for v in one.violations] + [f"What is lost: {said(redact(loss))}" for loss in one.losses]
    return place | {"body": "\n\n".join([*dict.fromkeys(told), f"```suggestion\n{one.text}```"])}


def review_text(run: str, shown: Sequence[Suggestion], check: str, *, more: bool) -> str:
    """What stands above the comments; `more`: there are others than these."""
    count = "1 change" if len(shown) == 1 else f"{len(shown)} changes"
    rest = f" There are more: a review has at most {MOST}." if more else ""
    first = f"{count} for AKS on lines of this pull request.{rest} Each is proven by itself, in any order: take it, or resolve it and it "
    first += f"will not come back. What has no suggestion is in the check {said(check)}."
    hidden = f"<!-- aks-copilot suggested: {' '.join(m for one in shown for m in one.marks)} -->"
    return f"{first}\n\n{_of_run(run)}\n{hidden}"


def is_of(text: str, run: str) -> bool:
    """Whether a review's text is that of a run."""
    return _of_run(run) in text


def marks(reviews: Iterable[str]) -> set[str]:
    """Everything that was suggested before."""
    return {mark for text in reviews for found in _MARKS.findall(text) for mark in found.split()}


def _of_run(run: str) -> str:
    return f"<!-- aks-copilot run: {run} -->"


def _about(violation: Violation) -> str:
    links = web_links(violation.links)
    title = f"{violation.rule_id} {violation.title}"
    head = link(visible(title), links[0]) if links else said(title)
    return f"**{head}** ({violation.severity})  \n{said(redact(violation.message))}"
