"""Where a run's files come from: a folder of `manifests`, an archive there, the body of POST /api/runs, or a repository (checkout.py).

Each source first gives its snapshot (names and ETags: what the run is named after), then its files. Reading a folder checks
every ETag against the snapshot; a blob that changed in between raises SnapshotChangedError and the run is not started.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.domain.archive import ArchiveContent, ArchiveKind, open_archive, path_problem, too_large
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.pointer import JsonValue
from shared.domain.ports import BlobInfo
from shared.domain.run import RunOptions, SourceFile
from shared.pipeline import names
from shared.pipeline.context import Context

_READERS = 8


class SnapshotChangedError(TransientError):
    """Files changed while they were read; the change has a trigger of its own, or the message, re-sent, reads them anew."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"{name} changed while it was read", retry_after)


@dataclass(frozen=True, slots=True)
class Source:
    """One upload as the Intake sees it before reading: `snapshot` holds (name, ETag) pairs.

    `kind` is "folder" or "github" (then `blobs` are its files), or the form of the one blob `name` in `container`.
    """

    app: str
    origin: str
    kind: ArchiveKind | str
    container: str
    name: str
    snapshot: tuple[tuple[str, str], ...]
    options: RunOptions
    blobs: tuple[BlobInfo, ...] = field(default=())
    knowledge: str = ""
    """The digest under which the team's knowledge was frozen."""
    fetch: Callable[[Context, Source], ArchiveContent] | None = None
    """Reads the files where they do not lie in `container` (a repository)."""
    record: Mapping[str, JsonValue] = field(default_factory=dict)
    """Where the files come from, for the publishers (names.origin)."""

    @property
    def run_id(self) -> str:
        return names.run_id(self.app, self.snapshot, self.options, self.knowledge)


def folder(ctx: Context, app: str) -> Source:
    """The folder `manifests/<app>/` as it is now; `.ready` only says when."""
    prefix = f"{app}/"
    blobs = tuple(b for b in ctx.blobs.list(names.MANIFESTS, prefix) if b.name != prefix + names.READY and not b.name.endswith("/"))
    snapshot = tuple((blob.name, blob.etag) for blob in blobs)
    return Source(app, f"{names.MANIFESTS}/{prefix}", "folder", names.MANIFESTS, prefix, snapshot, RunOptions(app), blobs)


def archive(ctx: Context, name: str) -> Source | None:
    """The archive `manifests/<app>.zip` as it is now, or None where it is gone."""
    found, app = names.app_archive(name), next((b for b in ctx.blobs.list(names.MANIFESTS, name, limit=1) if b.name == name), None)
    if found is None or app is None:
        return None
    return Source(found[0], f"{names.MANIFESTS}/{name}", found[1], names.MANIFESTS, name, ((name, app.etag),), RunOptions(found[0]), (app,))


def body(app: str, kind: str, content: str, options: RunOptions, knowledge: str) -> Source:
    """A body of POST /api/runs, stored under its own digest `content`; the knowledge is that of the moment when it was sent."""
    return Source(app, "POST /api/runs", kind, names.RUNS, names.upload(content), (("upload", content),), options, knowledge=knowledge)


def read(ctx: Context, source: Source) -> ArchiveContent:
    """Every file of a source that may be read, and why the others were not.

    Raises ValidationError where nothing of it can be used (a broken archive), SnapshotChangedError where it is not what it was.
    """
    if source.fetch is not None:
        return source.fetch(ctx, source)
    if source.kind == "folder":
        return _read_folder(ctx, source)
    found = ctx.blobs.read(source.container, source.name, max_bytes=ctx.limits.upload_bytes)
    if found is None or (source.blobs and found[1] != source.blobs[0].etag):
        raise SnapshotChangedError(source.name, ctx.limits.quiet_seconds)
    if source.kind == "json":
        return _read_json(found[0], ctx)
    return open_archive(found[0], "zip" if source.kind == "zip" else "tar.gz", ctx.limits.archive)


def copy_unread(ctx: Context, source: Source, run: str) -> None:
    """Put the files that are too large to be looked at beside the results, as they came; a folder's only (an archive's stay in it)."""
    for blob in source.blobs if source.kind == "folder" else ():
        path = blob.name.removeprefix(source.name)
        if blob.size <= ctx.limits.archive.file_bytes or path_problem(path):
            continue
        if not ctx.blobs.copy((names.MANIFESTS, blob), (names.PATCHED, f"{run}/{path}")):
            raise SnapshotChangedError(blob.name, ctx.limits.quiet_seconds)


def _read_folder(ctx: Context, source: Source) -> ArchiveContent:
    content = ArchiveContent()
    wanted = choose(ctx, content, ((blob.name.removeprefix(source.name), blob.size, blob) for blob in source.blobs))
    with ThreadPoolExecutor(_READERS) as pool:
        content.files = list(pool.map(lambda item: _read_blob(ctx, *item), wanted))
    return content


def choose(ctx: Context, content: ArchiveContent, items: Iterable[tuple[str, int, BlobInfo]]) -> list[tuple[str, BlobInfo]]:
    """What may be read, by path and listed size; the rest goes to `content.refused`. Raises ValidationError over the limit of files."""
    limits, total, wanted = ctx.limits.archive, 0, []
    for path, size, blob in items:
        if ".git" in path.split("/"):
            continue
        why = _refusal(path, size, total, ctx)
        if why is None:
            total += size
            wanted.append((path, blob))
        else:
            content.refused[path] = why
        if len(wanted) > limits.entries:
            raise ValidationError(f"the application has more than {limits.entries} files")
    return wanted


def _refusal(path: str, size: int, total: int, ctx: Context) -> str | None:
    limits = ctx.limits.archive
    if size > limits.file_bytes:
        return too_large(limits.file_bytes)
    if total + size > limits.total_bytes:
        return f"the application has more than {limits.total_bytes} bytes: not read"
    return path_problem(path) or ("this name is reserved for the result" if path == names.REMOVED else None)


def _read_blob(ctx: Context, path: str, blob: BlobInfo) -> SourceFile:
    try:
        found = ctx.blobs.read(names.MANIFESTS, blob.name, max_bytes=blob.size)
    except ValidationError:  # longer than it was
        found = None
    if found is None or found[1] != blob.etag:
        raise SnapshotChangedError(blob.name, ctx.limits.quiet_seconds)
    return SourceFile(path, found[0])


def _read_json(data: bytes, ctx: Context) -> ArchiveContent:
    try:
        files: dict[str, str] = json.loads(data)["files"]
        encoded = {path: text.encode() for path, text in sorted(files.items())}
    except (ValueError, KeyError, AttributeError) as error:
        raise CriticalError("a stored upload is not what the API stored") from error
    content, total = ArchiveContent(), 0
    for path, text in encoded.items():
        why = _refusal(path, len(text), total, ctx)
        if why is None:
            total += len(text)
            content.files.append(SourceFile(path, text))
        else:
            content.refused[path] = why
    return content
