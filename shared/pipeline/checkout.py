"""A folder of a repository at a commit, as a run's source: the tree first (paths, SHAs and sizes), then the content of its files.

Content is kept in `cache/git/` under its SHA, which says what it is: reading that was cut short by a rate limit goes on where it was, and
of a push that changes one file one file is read. Symbolic links and submodules are left out and noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.domain.archive import ArchiveContent
from shared.domain.code_host import FOLDER, SUBMODULE, SYMLINK, CodeReader, Listing, Repository, TreeEntry
from shared.domain.code_writer import blob_name
from shared.domain.errors import TransientError, ValidationError
from shared.domain.layout import MARKER
from shared.domain.ports import BlobInfo
from shared.domain.repository import ROOT
from shared.domain.run import SourceFile
from shared.pipeline import names, sources
from shared.pipeline.context import Context

_READERS = 8
_NOTES = {SYMLINK: "a symbolic link: left out", SUBMODULE: "a submodule: left out"}


def files(ctx: Context, repository: Repository, tree: str, path: str) -> tuple[TreeEntry, ...]:
    """Everything below a folder but folders, relative to it; the listing is walked folder by folder where GitHub truncates it.

    Raises ValidationError where the folder is not there, or holds more than a run may have.
    """
    reader = ctx.code_reader()
    top = tree if path == ROOT else _folder(reader, repository, tree, path)
    listing = reader.tree(repository, top, recursive=True)
    entries = _walk(reader, repository, top, "") if listing.truncated else iter(listing.entries)
    found: list[TreeEntry] = []
    for entry in entries:
        if entry.mode != FOLDER:
            found.append(entry)
        if len(found) > ctx.limits.archive.entries:
            raise ValidationError(
                f"more than {ctx.limits.archive.entries} files: name the folders of manifests under `repository` in .aks-copilot.yaml"
            )
    return tuple(_input(found))


def _input(entries: list[TreeEntry]) -> Iterator[TreeEntry]:
    """What is no result of ours: a folder of results below an application is not looked at again."""
    results = tuple(entry.path.removesuffix(MARKER) for entry in entries if entry.path.endswith(f"/{MARKER}"))
    return (entry for entry in entries if not entry.path.startswith(results)) if results else iter(entries)


def find(reader: CodeReader, repository: Repository, tree: str, path: str) -> TreeEntry | None:
    """The entry at a path of the repository, or None. A symbolic link on the way is not followed."""
    folder, _, name = path.rpartition("/")
    if folder:
        above = find(reader, repository, tree, folder)
        if above is None or above.mode != FOLDER:
            return None
        tree = above.sha
    return next((entry for entry in _whole(reader, repository, tree).entries if entry.path == name), None)


def content(ctx: Context, repository: Repository, sha: str, size: int) -> bytes:
    """The bytes of a file of `size` bytes, kept or read. Raises TransientError where GitHub gives others than it listed."""
    name = f"git/{sha[:2]}/{sha}"
    kept = ctx.blobs.read(names.CACHE, name, max_bytes=size)
    if kept is not None:
        return kept[0]
    data = ctx.code_reader().blob(repository, sha)
    if len(data) != size or blob_name(data, len(sha)) != sha:
        raise TransientError(f"GitHub gave other content than it listed: {sha[:12]} of {repository.name}")
    ctx.blobs.write(names.CACHE, name, data)
    return data


def read(ctx: Context, source: sources.Source, *, repository: Repository, skipped: tuple[TreeEntry, ...]) -> ArchiveContent:
    """The files of a source whose `blobs` are its files by path and SHA; `skipped` are links and submodules."""
    found = ArchiveContent(notes=[f"{entry.path}: {_NOTES.get(entry.mode, 'no regular file: left out')}" for entry in skipped])
    wanted = sources.choose(ctx, found, ((blob.name, blob.size, blob) for blob in source.blobs))
    with ThreadPoolExecutor(_READERS) as pool:
        found.files = list(pool.map(partial(_read_one, ctx, repository), wanted))
    return found


def _read_one(ctx: Context, repository: Repository, item: tuple[str, BlobInfo]) -> SourceFile:
    return SourceFile(item[0], content(ctx, repository, item[1].etag, item[1].size))


def _folder(reader: CodeReader, repository: Repository, tree: str, path: str) -> str:
    entry = find(reader, repository, tree, path)
    if entry is None or entry.mode != FOLDER:
        raise ValidationError(f"{repository.name} has no folder {path}, which `repository` in .aks-copilot.yaml names")
    return entry.sha


def _walk(reader: CodeReader, repository: Repository, tree: str, prefix: str) -> Iterator[TreeEntry]:
    for entry in _whole(reader, repository, tree).entries:
        path = f"{prefix}{entry.path}"
        if entry.mode == FOLDER:
            yield from _walk(reader, repository, entry.sha, f"{path}/")
        else:
            yield TreeEntry(path, entry.mode, entry.sha, entry.size)


def _whole(reader: CodeReader, repository: Repository, tree: str) -> Listing:
    listing = reader.tree(repository, tree)
    if listing.truncated:
        raise ValidationError(f"a folder of {repository.name} has more entries than GitHub lists")
    return listing
