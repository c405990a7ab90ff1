"""The files of an application on disk: read as a run sees them, written without touching what is not ours."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from shared.domain.acceptance import FILE_NAME as BASELINE
from shared.domain.archive import ArchiveLimits, too_large
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.errors import ValidationError
from shared.domain.model import FileOutcome
from shared.domain.run import SourceFile

MAX_FILE_BYTES = ArchiveLimits().file_bytes
"""A larger file is not read, here as in the pipeline; it is copied and said so in the report."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Regular files by their POSIX path relative to `root`; `.git` and symbolic links are left out (DESIGN 5)."""

    root: Path
    paths: Mapping[str, Path]

    def read(self) -> tuple[list[SourceFile], list[FileOutcome]]:
        """The files in path order, and an entry of the report for each that is too large or cannot be read."""
        files, entries = [], []
        for name, path in self.paths.items():
            try:
                if path.stat().st_size > MAX_FILE_BYTES:
                    entries.append(FileOutcome(name, "refused", too_large(MAX_FILE_BYTES)))
                else:
                    files.append(SourceFile(name, path.read_bytes()))
            except OSError as error:
                entries.append(FileOutcome(name, "failed", f"cannot be read: {error.strerror}"))
        return files, entries


def read_tree(paths: Sequence[Path], leave_out: Sequence[Path] = ()) -> Tree:
    """The tree of a file or folder, or of several under their common folder.

    `leave_out` are folders that the program writes to: they are no input where they lie inside. A file brings the decisions and
    the baseline that lie beside it. Raises ValidationError where a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise ValidationError(f"{path}: no such file or folder")
    root = _root(paths)
    hidden = {p.resolve() for p in leave_out} - {root}
    found = {file.relative_to(root).as_posix(): file for path in paths for file in _files(path.resolve(), hidden)}
    return Tree(root, dict(sorted(found.items())))


def with_answers_of(tree: Tree, out: Path) -> Tree:
    """The tree with the decisions file that an earlier run wrote to `out`, where the input has none: answers given there count."""
    earlier = out.resolve() / DECISIONS
    if DECISIONS in tree.paths or earlier.is_symlink() or not earlier.is_file():
        return tree
    return Tree(tree.root, dict(sorted([*tree.paths.items(), (DECISIONS, earlier)])))


def with_baseline(tree: Tree, file: Path | None) -> Tree:
    """The tree with another baseline than its own, where one is given. Raises ValidationError where there is no such file."""
    if file is None:
        return tree
    if not file.is_file():
        raise ValidationError(f"{file}: no such file")
    return Tree(tree.root, dict(sorted({**tree.paths, BASELINE: file.resolve()}.items())))


def seen_from(root: Path | None, tree: Tree, outcomes: Sequence[FileOutcome]) -> Sequence[FileOutcome]:
    """Outcomes whose paths are relative to `root` (a repository's checkout); as they are where the tree does not lie in it."""
    if root is None or not tree.root.is_relative_to(root.resolve()):
        return outcomes
    folder = tree.root.relative_to(root.resolve())
    return [replace(outcome, path=(folder / outcome.path).as_posix()) for outcome in outcomes]


def _root(paths: Sequence[Path]) -> Path:
    if len(paths) == 1:
        only = paths[0].resolve()
        return only if only.is_dir() else only.parent
    common = Path(os.path.commonpath([p.resolve() for p in paths]))
    return common if common.is_dir() else common.parent


def _files(path: Path, hidden: set[Path]) -> Iterator[Path]:
    if path.is_file():
        yield path
        yield from (path.parent / name for name in (DECISIONS, BASELINE) if path.name != name and (path.parent / name).is_file())
        return
    for folder, folders, names in os.walk(path, onerror=_unreadable):
        here = Path(folder)
        folders[:] = [f for f in folders if f != ".git" and here / f not in hidden]
        yield from (here / n for n in names if n != ".git" and _is_regular(here / n))


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _unreadable(error: OSError) -> None:
    raise ValidationError(f"{error.filename}: {error.strerror}") from error


def write_out(tree: Tree, out: Path, changed: Mapping[str, bytes], removed: set[str]) -> list[str]:
    """Write the whole tree under `out`: changed files, copies of the others that can be read, none of the removed ones; modes are kept.

    Files that are already there and not of this run stay. Gives the removed files of which an older copy lies in `out`.
    Raises ValidationError, before anything is written, where a file of the input would be overwritten.
    """
    destination = out.resolve()
    wanted = {name: destination / name for name in (*tree.paths, *changed) if name not in removed}
    _check_targets(tree, destination, wanted)
    for name, target in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        original = tree.paths.get(name)
        if name in changed:
            _write(target, changed[name], original)
        elif original and os.access(original, os.R_OK):
            _copy(original, target)
    return sorted(name for name in removed if (destination / name).exists())


def write_in_place(tree: Tree, changed: Mapping[str, bytes], removed: set[str]) -> None:
    """Write what changed where it was; delete files that ended empty."""
    for name, data in changed.items():
        target = tree.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, data, tree.paths.get(name))
    for name in removed:
        tree.paths[name].unlink(missing_ok=True)


def write_reports(folder: Path, reports: Mapping[str, bytes]) -> None:
    """The report files; others in the folder stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in reports.items():
        _write(folder / name, data, None)


def _check_targets(tree: Tree, destination: Path, wanted: Mapping[str, Path]) -> None:
    inputs = {path for name, path in tree.paths.items() if name != DECISIONS or tree.root == path.parent}
    for name, target in wanted.items():
        if target in inputs:
            raise ValidationError(f"--out would overwrite the input file {name}; choose another folder, or use --in-place")
        if not target.parent.resolve().is_relative_to(destination):
            raise ValidationError(f"--out: {name} would be written outside {destination} through a symbolic link")


def _copy(original: Path, target: Path) -> None:
    with _whole(target) as part:
        shutil.copyfile(original, part)
        shutil.copymode(original, part)


def _write(target: Path, data: bytes, like: Path | None) -> None:
    """The mode is the original's, else what the umask gives."""
    with _whole(target) as part:
        part.write_bytes(data)
        if like is not None and like.exists():
            shutil.copymode(like, part)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Where to write what takes the target's place when it is whole, or leaves no trace."""
    part = target.with_name(f".aks-copilot-{secrets.token_hex(8)}")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
