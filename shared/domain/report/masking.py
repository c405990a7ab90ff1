"""Unified diffs in git's form with secrets hidden. Where nothing is hidden, `git apply` takes them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import chain

from shared.domain.report.hiding import mask_lines, secret_values, split_lines

_CONTEXT = 3


def masked_diff(path: str, before: bytes, after: bytes | None) -> str:
    """The change of one file as a unified diff, "" where there is none; context lines are masked too.

    `before` is b"" for a file that was created, `after` None for one that is not written any more. A Secret's value is compared as it
    is and shown as `***`, so a change of it is seen, its value not.
    """
    if before == after:
        return ""
    old, new = _decode(before), _decode(after or b"")
    old_lines, new_lines = split_lines(old), split_lines(new)
    groups = list(difflib.SequenceMatcher(None, old_lines, new_lines).get_grouped_opcodes(_CONTEXT))
    values = secret_values(old) | secret_values(new)
    shown_old = set(chain.from_iterable(range(i1, i2) for group in groups for _, i1, i2, _, _ in group))
    shown_new = set(chain.from_iterable(range(j1, j2) for group in groups for _, _, _, j1, j2 in group))
    masked = mask_lines(old, shown_old, values), mask_lines(new, shown_new, values)
    return "".join(chain(_header(path, created=not before, deleted=after is None), _hunks(groups, *masked)))


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _header(path: str, *, created: bool, deleted: bool) -> Iterator[str]:
    old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    yield f"diff --git {old} {new}\n"
    if created:
        yield "new file mode 100644\n"
    if deleted:
        yield "deleted file mode 100644\n"
    yield f"--- {'/dev/null' if created else old}{_after(path)}\n"
    yield f"+++ {'/dev/null' if deleted else new}{_after(path)}\n"


def _quoted(path: str) -> str:
    """A path as git writes it: in C quotes where it has a quote, a backslash or a control character."""
    if not any(c in '"\\' or ord(c) < 32 for c in path):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if ord(c) >= 32 else f"\\{ord(c):03o}" for c in escaped) + '"'


def _after(path: str) -> str:
    """Git ends a header line whose path has a space with a tab."""
    return "\t" if " " in path else ""


def _hunks(groups: list[list[tuple[str, int, int, int, int]]], old: list[str], new: list[str]) -> Iterator[str]:
    for group in groups:
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in old[i1:i2])
                continue
            yield from (_line("-", line) for line in old[i1:i2])
            yield from (_line("+", line) for line in new[j1:j2])


def _range(start: int, stop: int) -> str:
    length = stop - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _line(sign: str, line: str) -> str:
    return sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
