"""Opens an uploaded .zip or .tar.gz without trusting it: limits are held while reading, never taken from its headers.

A whole archive is refused (ValidationError, one line) where its entries cannot be told apart or kept apart from the outside:
a path that leaves the archive, two entries of one name, more entries or bytes than allowed, a damaged file. Entries that are
merely useless here (symbolic links, devices, encrypted or too large ones) are left out, each with its reason.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Literal

from shared.domain.errors import ValidationError
from shared.domain.run import SourceFile

ArchiveKind = Literal["zip", "tar.gz"]
_SUFFIXES: tuple[tuple[str, ArchiveKind], ...] = ((".zip", "zip"), (".tar.gz", "tar.gz"), (".tgz", "tar.gz"))
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)
"""What zipfile and tarfile raise for a damaged archive. A RuntimeError: a compression that they do not know."""
MAX_PATH = 900
"""A blob name may have 1024 characters, and `patched/<runId>/` comes before the path."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Sizes in bytes after unpacking."""

    entries: int = 10_000
    file_bytes: int = 20_000_000
    total_bytes: int = 200_000_000


@dataclass(slots=True)
class ArchiveContent:
    """Files in name order; `refused` maps a path to why its file was not read; `notes` are lines about what is no file."""

    files: list[SourceFile] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    problem: str | None
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def archive_kind(name: str) -> tuple[str, ArchiveKind] | None:
    """(stem, kind) of an archive's file name, or None where it is no archive."""
    return next(((name[: -len(end)], kind) for end, kind in _SUFFIXES if name.endswith(end)), None)


def path_problem(path: str) -> str | None:
    """Why a path cannot be a file of a run, or None. Applies to archives, uploaded folders and JSON uploads alike."""
    parts = path.split("/")
    if path.startswith("/") or (path[1:3] == ":/" and path[0].isalpha()):
        return "absolute path"
    if ".." in parts:
        return "path leaves the application's folder"
    if "" in parts or "." in parts:
        return "path has an empty or '.' segment"
    if len(path) > MAX_PATH:
        return f"path is longer than {MAX_PATH} characters"
    if "\\" in path or not path.isprintable():
        return "path has a backslash or an unprintable character"
    return None


def too_large(limit: int) -> str:
    """Why a file of more than `limit` bytes was not read; for the default limit the words that the manifest reader uses."""
    return f"The file is larger than {f'{limit // 1_000_000} MB' if limit >= 1_000_000 else f'{limit} bytes'}."


def open_archive(data: bytes, kind: ArchiveKind, limits: ArchiveLimits) -> ArchiveContent:
    """Unpack in memory; a single top folder is stripped. Raises ValidationError where the whole archive is refused."""
    try:
        return _strip_top(_unpack(_zip_entries(data) if kind == "zip" else _tar_entries(data, limits), limits))
    except _DAMAGED as error:
        raise ValidationError(f"the archive cannot be read as {kind}: {type(error).__name__}") from error


def _unpack(entries: Iterator[_Entry], limits: ArchiveLimits) -> ArchiveContent:
    content, seen, total = ArchiveContent(), set[str](), 0
    for number, entry in enumerate(entries, start=1):
        if number > limits.entries:
            raise ValidationError(f"the archive has more than {limits.entries} entries")
        path = entry.name.removeprefix("./").rstrip("/")
        if path in ("", ".") or _left_out(path):
            continue
        _check_path(path, seen, is_file=entry.is_file)
        if entry.is_file:
            total += _add(content, path, entry, limits, limits.total_bytes - total)
        elif entry.problem:
            content.notes.append(f"{path}: {entry.problem}")
    content.files.sort(key=lambda file: file.path)
    return content


def _left_out(path: str) -> bool:
    parts = path.split("/")
    return ".git" in parts or parts[0] == "__MACOSX"


def _check_path(path: str, seen: set[str], *, is_file: bool) -> None:
    problem = path_problem(path)
    if problem is None and is_file and path in seen:
        problem = "two entries of this name"
    if problem:
        raise ValidationError(f"the archive is refused: {path[:200]!r}: {problem}")
    seen.update([path] if is_file else [])


def _add(content: ArchiveContent, path: str, entry: _Entry, limits: ArchiveLimits, left: int) -> int:
    """Read one entry, or note why not; the bytes that were unpacked for it, kept or not, so that refused ones count too."""
    if entry.problem:
        content.refused[path] = entry.problem
        return 0
    data = _read(entry, min(limits.file_bytes, left) + 1)
    if len(data) > left:
        raise ValidationError(f"the archive unpacks to more than {limits.total_bytes} bytes")
    if len(data) > limits.file_bytes:
        content.refused[path] = too_large(limits.file_bytes)
    else:
        content.files.append(SourceFile(path, data))
    return len(data)


def _read(entry: _Entry, size: int) -> bytes:
    stream = entry.open()
    if stream is None:
        return b""
    with stream:
        return stream.read(size)


def _zip_entries(data: bytes) -> Iterator[_Entry]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            link = mode & 0o170000 == 0o120000
            problem = "symbolic link: ignored" if link else "encrypted: not read" if info.flag_bits & 0x1 else None
            name = info.filename.replace("\\", "/")
            yield _Entry(name, problem, not info.is_dir() and not link, lambda info=info: archive.open(info))  # type: ignore[misc]


def _tar_entries(data: bytes, limits: ArchiveLimits) -> Iterator[_Entry]:
    bounded: Any = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(data)), limits.total_bytes + limits.entries * 2048)
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
        for member in archive:
            is_file = member.isreg() and not member.issparse()
            problem = None if is_file or member.isdir() else f"{_tar_kind(member)}: ignored"
            yield _Entry(member.name, problem, is_file, lambda member=member: archive.extractfile(member))  # type: ignore[misc]


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "symbolic link" if member.issym() else "hard link"
    return "sparse file" if member.isreg() else "device or pipe"


class _Bounded:
    """A reader that refuses to hand out more than `limit` bytes in all: headers of a bomb count too."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, limit: int) -> None:
        self._inner, self._left, self._limit = inner, limit, limit

    def read(self, size: int) -> bytes:
        """As a file's read, with ValidationError over the limit; tarfile's stream mode calls nothing else."""
        data = self._inner.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ValidationError(f"the archive unpacks to more than {self._limit} bytes")
        return data


def _strip_top(content: ArchiveContent) -> ArchiveContent:
    paths = [file.path for file in content.files] + list(content.refused)
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    if len(tops) != 1 or "" in tops:
        return content
    cut = len(tops.pop()) + 1
    files = [SourceFile(file.path[cut:], file.data) for file in content.files]
    return ArchiveContent(files, {path[cut:]: why for path, why in content.refused.items()}, content.notes)
