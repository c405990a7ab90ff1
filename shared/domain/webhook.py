"""What a GitHub webhook delivery is: whether it may be believed, and what it asks for. Pure; no call, no storage.

Signature: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries (read 2026-11). Only the few fields that the
program needs leave here, each of a checked form: the rest of a delivery is other people's text.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem

MAX_BYTES = 25 * 1024 * 1024
"""GitHub sends no larger payload: https://docs.github.com/en/webhooks/webhook-events-and-payloads (read 2026-11)."""
OWN_BRANCHES = "aks-copilot/"
"""The program pushes to branches of this prefix only."""
RUN_TRAILER = "Aks-Copilot-Run"
"""The trailer that the program's own commits carry, with the run's name."""
STARTING = ("opened", "synchronize", "reopened")
_NOTHING = re.compile(r"0+")
_SHA = r"^[0-9a-f]{40}([0-9a-f]{24})?$"

Sha = Field(pattern=_SHA)
Name = Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
"""`owner/name`; the name is neither `.` nor `..`, so that it is one segment of an address."""
Branch = Field(min_length=1, max_length=255)


class _Read(BaseModel):
    """A part of a payload: what else GitHub puts there is not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Repository(_Read):
    full_name: str = Name
    default_branch: str = Branch


class _Installation(_Read):
    id: int = Field(ge=1)


class _Push(_Read):
    ref: str = Field(min_length=1, max_length=500)
    before: str = Sha
    after: str = Sha
    repository: _Repository
    installation: _Installation | None = None


class _HeadRepository(_Read):
    full_name: str = Name


class _End(_Read):
    ref: str = Branch
    sha: str = Sha
    repo: _HeadRepository | None = None


class _PullRequest(_Read):
    number: int = Field(ge=1)
    head: _End
    base: _End
    merged: bool | None = None
    merge_commit_sha: str | None = Field(default=None, pattern=_SHA)


class _PullRequestEvent(_Read):
    action: str = Field(max_length=100)
    pull_request: _PullRequest
    repository: _Repository
    installation: _Installation | None = None


Payload = TypeVar("Payload", bound=_Read)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message for the queue `intake`: its type and payload."""

    type: Literal["webhook", "deploy"]
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and why."""

    reason: str


def is_signed(secret: str, body: bytes, signature: str | None) -> bool:
    """Whether X-Hub-Signature-256 is the HMAC of the raw body; compared in constant time, whatever the header holds."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode("utf-8", "surrogatepass"))


def read_delivery(event: str, body: bytes) -> Wanted | Ignored:
    """What a delivery of `event` (X-GitHub-Event) asks for. Raises ValidationError where its payload is not GitHub's."""
    if event == "push":
        return _push(_parsed(_Push, body))
    if event == "pull_request":
        return _pull_request(_parsed(_PullRequestEvent, body))
    return Ignored(f"events of type {event[:50]!r} start nothing")


def is_own_commit(message: str) -> bool:
    """Whether a commit message carries the program's trailer."""
    return re.search(rf"^{RUN_TRAILER}: \S+\s*$", message, re.MULTILINE) is not None


def is_nothing(sha: str) -> bool:
    """Whether a SHA is GitHub's word for "no commit"."""
    return _NOTHING.fullmatch(sha) is not None


def _parsed(model: type[Payload], body: bytes) -> Payload:
    try:
        return model.model_validate_json(body)
    except SchemaError as error:
        raise ValidationError(first_problem(error, "payload")) from None
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"the payload cannot be read: {type(error).__name__}") from None


def _push(push: _Push) -> Wanted | Ignored:
    kind, _, branch = push.ref.removeprefix("refs/").partition("/")
    if kind != "heads" or not branch:
        return Ignored("not a push to a branch")
    if is_nothing(push.after):
        return Ignored("the branch was deleted")
    if branch.startswith(OWN_BRANCHES):
        return Ignored("a branch of aks-copilot's own")
    where = {"ref": push.ref, "branch": branch, "before": push.before, "commit": push.after}
    return Wanted("webhook", _common(push.repository, push.installation) | where | {"pullRequest": None, "fork": False})


def _pull_request(event: _PullRequestEvent) -> Wanted | Ignored:
    pull, own = event.pull_request, event.repository.full_name
    common = _common(event.repository, event.installation) | {"pullRequest": pull.number}
    fork = pull.head.repo is None or pull.head.repo.full_name.lower() != own.lower()
    mine = pull.head.ref.startswith(OWN_BRANCHES) and not fork
    if mine and event.action == "closed" and pull.merged:
        return Wanted("deploy", common | {"branch": pull.base.ref, "head": pull.head.sha, "commit": pull.merge_commit_sha})
    if mine:
        return Ignored("a pull request of aks-copilot's own")
    if event.action not in STARTING:
        return Ignored(f"a pull request that is {event.action[:50]!r} starts nothing")
    where = {"ref": f"refs/pull/{pull.number}/head", "branch": pull.base.ref, "before": pull.base.sha, "commit": pull.head.sha}
    return Wanted("webhook", common | where | {"fork": fork})


def _common(repository: _Repository, installation: _Installation | None) -> dict[str, Any]:
    return {
        "repository": repository.full_name,
        "installation": installation.id if installation else None,
        "defaultBranch": repository.default_branch,
    }
