"""From "this value becomes that one" to the fewest edits, so that what stays equal keeps its text.

Items of lists are matched as a careful reader would: equal items first, then items of the same name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher

from shared.domain.editor.edits import Edit
from shared.domain.editor.page import Path
from shared.domain.pointer import JsonValue

_IDENTITY = ("name", "key", "path", "host", "kind")


def equal(a: JsonValue, b: JsonValue) -> bool:
    """Equal as JSON: 1 is not true, 1.0 is 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def edits_between(before: JsonValue, after: JsonValue, path: Path) -> Iterator[Edit]:
    """The edits, each on the result of those before it, that turn one value at `path` into the other."""
    if equal(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() & after.keys():
        yield from _of_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and (pairs := _aligned(before, after)):
        yield from _of_lists(before, after, pairs, path)
    else:
        yield Edit("set", path, after)


def _of_mappings(before: dict[str, JsonValue], after: dict[str, JsonValue], path: Path) -> Iterator[Edit]:
    for key, value in before.items():
        if key in after:
            yield from edits_between(value, after[key], (*path, key))
    for key in before.keys() - after.keys():
        yield Edit("remove", (*path, key))
    for key, value in after.items():
        if key not in before:
            yield Edit("add", (*path, key), value)


def _of_lists(before: list[JsonValue], after: list[JsonValue], pairs: list[tuple[int, int]], path: Path) -> Iterator[Edit]:
    for i, j in pairs:
        yield from edits_between(before[i], after[j], (*path, str(i)))
    for i in sorted(set(range(len(before))) - {i for i, _ in pairs}, reverse=True):
        yield Edit("remove", (*path, str(i)))
    for j in sorted(set(range(len(after))) - {j for _, j in pairs}):
        yield Edit("add", (*path, str(j)), after[j])


def _aligned(before: list[JsonValue], after: list[JsonValue]) -> list[tuple[int, int]]:
    """(i, j) for items that are the same item, both rising."""
    old, new = ([json.dumps(item, sort_keys=True) for item in items] for items in (before, after))
    pairs: list[tuple[int, int]] = []
    for code, i0, i1, j0, j1 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if code == "equal" or (code == "replace" and i1 - i0 == j1 - j0):
            pairs += zip(range(i0, i1), range(j0, j1), strict=True)
        elif code == "replace":
            pairs += _similar_pairs(before, after, range(i0, i1), range(j0, j1))
    return pairs


def _similar_pairs(before: list[JsonValue], after: list[JsonValue], rows: range, columns: range) -> Iterator[tuple[int, int]]:
    first = columns.start
    for i in rows:
        match = next((j for j in range(first, columns.stop) if _similar(before[i], after[j])), None)
        if match is not None:
            yield i, match
            first = match + 1


def _similar(a: JsonValue, b: JsonValue) -> bool:
    if not isinstance(a, dict) or not isinstance(b, dict):
        return False
    for key in _IDENTITY:
        if key in a or key in b:
            if key == "kind" or not equal(a.get(key), b.get(key)):
                return equal(a.get(key), b.get(key)) and _name(a) == _name(b)
            return True
    return any(equal(value, b[key]) for key, value in a.items() if key in b)


def _name(value: dict[str, JsonValue]) -> tuple[JsonValue, JsonValue]:
    meta = value.get("metadata")
    return (meta.get("namespace"), meta.get("name")) if isinstance(meta, dict) else (None, None)
