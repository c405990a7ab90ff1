"""A `webhook` message of the `intake` queue: first the delivery, which becomes one message for each application that it concerns; then
that message, which becomes a run.

What changed is taken from GitHub's comparison, never from the delivery's list of commits. Where the comparison does not tell everything
(a new branch, a force push, 300 files and more), every application is looked at: a run that finds nothing new costs little, and a change
that nobody looks at costs much. What is wrong with the repository's settings is a failed run, so that it is seen and told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared import telemetry
from shared.domain import webhook
from shared.domain.code_host import Commit, NotFoundError, Repository, TreeEntry
from shared.domain.decision_file import FILE_NAME, MAX_BYTES
from shared.domain.errors import CriticalError, TransientError, ValidationError, patient
from shared.domain.messages import Envelope
from shared.domain.ports import BlobInfo
from shared.domain.repository import Application, RepositorySettings, of_manifests, read_settings, touched
from shared.domain.run import RunOptions, app_name
from shared.pipeline import checkout, delivery, freeze, ignored, knowledge, names, publish, sources, state
from shared.pipeline.context import Context
from shared.pipeline.origin import Origin

_FILE = (".yaml", ".yml")
_LOOKS = 4  # tries, over half a minute
_TARGET_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery tells of (shared.domain.webhook). `before` is what the branch was, or the base of the pull request."""

    repository: Repository
    default_branch: str
    ref: str
    branch: str
    before: str
    commit: str
    pull_request: int | None
    fork: bool

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Change:
        repository = Repository(payload["repository"], payload["installation"])
        return cls(
            repository, payload["defaultBranch"], payload["ref"], payload["branch"], payload["before"], payload["commit"],
            payload["pullRequest"], payload["fork"],
        )  # fmt: skip

    @property
    def title(self) -> str:
        """For people and records."""
        return f"github/{self.repository.name}@{self.commit}" + (f"#{self.pull_request}" if self.pull_request else "")


def handle(ctx: Context, envelope: Envelope) -> delivery.Following | None:
    """Raises TransientError, always with a delay, where GitHub is away: the message waits for hours, not for minutes."""
    payload = envelope.payload or {}
    change = Change.of(payload)
    with _redeliverable(ctx, envelope), _patient(envelope):
        try:
            if "application" in payload:
                source = _source(ctx, change, Application.model_validate(payload["application"]), payload["knowledge"])
                return None if source is None else (envelope.model_copy(update={"run_id": source.run_id}), partial(_start, source=source))
            _spread(ctx, envelope, change)
        except ValidationError as error:
            if _may_appear(error, envelope):
                raise
            return _failed(envelope, change, error)
    return None


def _spread(ctx: Context, envelope: Envelope, change: Change) -> None:
    """Send one message for each application that the change concerns."""
    commit = ctx.code_reader().commit(change.repository, change.commit)
    reason = "aks-copilot's own commit" if webhook.is_own_commit(commit.message) else None
    settings = RepositorySettings() if reason else _settings(ctx, change, commit)
    if reason is None and not settings.watches(change.branch, change.default_branch):
        reason = f"the branch {change.branch} is not watched"
    concerned = () if reason else _concerned(ctx, change, commit, settings, envelope.attempt)
    if not concerned:
        ignored.record(ctx, change.title, reason or "no manifest of an application changed")
    frozen = knowledge.keep(ctx) if concerned else ""
    for one in concerned:
        more = {"application": one.model_dump(mode="json", by_alias=True), "knowledge": frozen}
        message = envelope.model_copy(
            update={
                "dedup_key": f"{envelope.dedup_key}/{one.app}",
                "payload": (envelope.payload or {}) | more,
                "traceparent": telemetry.traceparent(envelope.traceparent),
                "attempt": 1,
                "deadline": None,
            }
        )
        ctx.queue.send(names.INTAKE, message.encode())


def _settings(ctx: Context, change: Change, commit: Commit) -> RepositorySettings:
    """What the repository says at that commit; of a fork's pull request what its base says: a stranger chooses nothing."""
    tree = ctx.code_reader().commit(change.repository, change.before).tree if change.fork else commit.tree
    return read_settings(_file(ctx, change.repository, tree, FILE_NAME, MAX_BYTES))


def _concerned(ctx: Context, change: Change, commit: Commit, settings: RepositorySettings, attempt: int) -> tuple[Application, ...]:
    every = settings.all(change.repository.name)
    paths = _changed(ctx, change, attempt)
    if paths is None:
        return every
    if not settings.applications:
        paths = tuple(of_manifests(paths, partial(_listed, ctx, change, commit)))
    return tuple(touched(every, paths))


def _listed(ctx: Context, change: Change, commit: Commit) -> list[str]:
    """The paths of the whole repository, or of the part of it that GitHub lists (100 000 entries)."""
    return [entry.path for entry in ctx.code_reader().tree(change.repository, commit.tree, recursive=True).entries]


def _changed(ctx: Context, change: Change, attempt: int) -> tuple[str, ...] | None:
    """The changed paths, or None where they cannot all be known: GitHub never finishes some comparisons."""
    if webhook.is_nothing(change.before):
        return None
    try:
        found = ctx.code_reader().compare(change.repository, change.before, change.commit)
    except TransientError:
        if attempt < _LOOKS:
            raise
        return None
    # What a pull request changes is counted from its merge base, so its base may have moved on.
    if found is None or not found.whole or not (found.straight or change.pull_request):
        return None
    return found.paths


def _source(ctx: Context, change: Change, one: Application, frozen: str) -> sources.Source | None:
    """The application's folder at that commit; None where it has no file."""
    commit = ctx.code_reader().commit(change.repository, change.commit)
    entries = checkout.files(ctx, change.repository, commit.tree, one.path)
    blobs = tuple(BlobInfo(entry.path, entry.sha, entry.size) for entry in entries if entry.is_file)
    if not blobs:
        ignored.record(ctx, change.title, f"{one.path} has no files")
        return None
    snapshot = [*((blob.name, blob.etag) for blob in blobs), *_identity(change, one)]
    options = RunOptions(one.app or "", one.source or "auto", _target(ctx, change, commit, one), bool(one.unsafe))
    skipped = tuple(entry for entry in entries if not entry.is_file)
    return sources.Source(
        options.app, change.title, "github", names.CACHE, one.path, tuple(snapshot), options, blobs, frozen,
        partial(checkout.read, repository=change.repository, skipped=skipped), _origin(change, one),
    )  # fmt: skip


def _identity(change: Change, one: Application) -> Iterator[tuple[str, str]]:
    """What tells this run from others with the same files."""
    yield "repository", change.repository.name
    yield "commit", change.commit
    yield "path", one.path
    if change.pull_request:
        yield "pull-request", str(change.pull_request)


def _origin(change: Change, one: Application) -> dict[str, Any]:
    place = change.repository
    return Origin(
        repository=place.name, installation=place.installation, commit=change.commit, ref=change.ref, base=change.branch,
        before=change.before, pull_request=change.pull_request, fork=change.fork, path=one.path, default_branch=change.default_branch,
        target=one.target, results=one.results, layout=one.layout, fail_on=one.fail_on or "error", code_scanning=bool(one.code_scanning),
    ).to_json()  # fmt: skip


def _target(ctx: Context, change: Change, commit: Commit, one: Application) -> str | None:
    """The text of a target file of the repository, or the name of a target."""
    if one.target is None or not one.target.endswith(_FILE):
        return one.target
    data = _file(ctx, change.repository, commit.tree, one.target, _TARGET_BYTES)
    if data is None:
        raise ValidationError(f"{change.repository.name} has no file {one.target}, the target of {one.app}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(f"{one.target} is not UTF-8") from None


def _file(ctx: Context, repository: Repository, tree: str, path: str, limit: int) -> bytes | None:
    entry: TreeEntry | None = checkout.find(ctx.code_reader(), repository, tree, path)
    if entry is None or not entry.is_file:
        return None
    if entry.size > limit:
        raise ValidationError(f"{path}: larger than {limit // 1024} KiB")
    return checkout.content(ctx, repository, entry.sha, entry.size)


def _start(ctx: Context, cause: Envelope, *, source: sources.Source) -> None:
    """As every run starts; it is known before its files are read, which may take long. A redelivery is a new try.

    A commit that a branch comes back to has its run already; only its pull request may speak of another one by now.
    """
    if state.exists(ctx, names.dispatched(cause.run_id)):
        publish.announce(ctx, cause.run_id, "pull-request")
    else:
        ctx.blobs.delete(names.RUNS, names.failed(cause.run_id))
    state.save(ctx, names.origin(cause.run_id), dict(source.record), if_absent=True)
    state.register(ctx, cause.run_id, source.app, source.origin)
    with _redeliverable(ctx, cause), _patient(cause):
        freeze.start(ctx, cause, source=source)


def _failed(envelope: Envelope, change: Change, error: ValidationError) -> delivery.Following:
    """A run that has nothing but its reason."""
    said = (envelope.payload or {}).get("application")
    one = (
        Application.model_validate(said) if said else Application(app=app_name(change.repository.name.rpartition("/")[2]), results="check")
    )
    run = names.run_id(one.app or "", [*_identity(change, one), ("failed", str(error))], RunOptions(one.app or ""))
    return envelope.model_copy(update={"run_id": run}), partial(_fail, record=_origin(change, one), error=error)


def _fail(ctx: Context, cause: Envelope, *, record: Mapping[str, Any], error: ValidationError) -> None:
    state.save(ctx, names.origin(cause.run_id), dict(record), if_absent=True)
    with _redeliverable(ctx, cause):
        raise error


@contextlib.contextmanager
def _redeliverable(ctx: Context, envelope: Envelope) -> Iterator[None]:
    """Forget a delivery that cannot be used as things are, so that GitHub's "Redeliver" is no duplicate once they were mended."""
    try:
        yield
    except (ValidationError, CriticalError):
        ctx.blobs.delete(names.RUNS, names.delivered((envelope.payload or {})["delivery"]))
        raise


@contextlib.contextmanager
def _patient(envelope: Envelope) -> Iterator[None]:
    try:
        yield
    except TransientError as error:
        raise patient(error, envelope.attempt) from error
    except NotFoundError as error:
        if not _may_appear(error, envelope):
            raise
        raise patient(TransientError(str(error)), envelope.attempt) from error


def _may_appear(error: ValidationError, envelope: Envelope) -> bool:
    """Whether what is not there may be there in a moment: deliveries can be faster than GitHub's own copies."""
    return isinstance(error, NotFoundError) and envelope.attempt < _LOOKS
