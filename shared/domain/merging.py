"""Bringing results onto a line of commits that others work on too: file by file, and nobody's work is overwritten.

A file is ours to change where it is what we last wrote, or what nobody has touched. Any other file of ours stays as it is and is named.
Of files that are not ours the newer version is taken, as git would; where both sides changed one, there is no merge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.code_host import TreeEntry

Tree = Mapping[str, TreeEntry]
"""The files of a tree by path."""
Wanted = Mapping[str, tuple[str, str] | None]
"""Mode and SHA by path; None: the file shall not be there."""
Written = Mapping[str, Collection[str]]
"""Every SHA that we ever left there, by path; "" where we left no file."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`changes`: what differs from the line, as (mode, SHA) by path. `left`: files of ours that somebody else changed.

    `clean` is False where a file that is not ours was changed on both sides: `changes` then has only files of ours.
    """

    changes: Wanted
    left: tuple[str, ...]
    clean: bool


def merged(line: Tree, new: Tree, base: Tree, wanted: Wanted, written: Written, *, strict: bool) -> Merged:
    """Take `new` (the source's branch) and what we want onto `line`; `base` is their common ancestor.

    `strict`: the line is our own branch, so a file that we wrote and that is again as it came was taken back by somebody.
    """
    ours: dict[str, tuple[str, str] | None] = {}
    left: list[str] = []
    for path in sorted(wanted.keys() | (written.keys() & line.keys())):
        want = wanted[path] if path in wanted else _kind(new.get(path))
        if _kind(line.get(path)) == want:
            continue
        if is_free(path, line, (base, new), written, strict=strict):
            ours[path] = want
        else:
            left.append(path)
    others, clean = _others(line, new, base, ours.keys() | set(left) | wanted.keys())
    return Merged(ours | (others if clean else {}), tuple(left), clean)


def is_free(path: str, line: Tree, untouched: Sequence[Tree], written: Written, *, strict: bool) -> bool:
    """Whether a file of the line is what we wrote, or what it is in one of the `untouched` trees. A file that is not there is ""."""
    there, known = _sha(line, path), written.get(path, ())
    if there in known or (strict and known):
        return there in known
    return any(_sha(tree, path) == there for tree in untouched)


def _others(line: Tree, new: Tree, base: Tree, ours: Collection[str]) -> tuple[dict[str, tuple[str, str] | None], bool]:
    changes: dict[str, tuple[str, str] | None] = {}
    for path in (line.keys() | new.keys()) - set(ours):
        here, there, before = (_kind(tree.get(path)) for tree in (line, new, base))
        if there in (here, before):
            continue
        if here != before:
            return {}, False
        changes[path] = there
    return changes, True


def _sha(tree: Tree, path: str) -> str:
    return tree[path].sha if path in tree else ""


def _kind(entry: TreeEntry | None) -> tuple[str, str] | None:
    return None if entry is None else (entry.mode, entry.sha)
