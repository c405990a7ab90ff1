"""Whether what got through the boundary is right, judged without the boundary's own code: parsed before and after, and the lines' diff.

It shares nothing with shared/domain/llm, so that a hole in there shows here.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from repair_cases import Draft, Must, Right, Task

from shared.domain.schema import valid

_NOTHING = object()
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VERSION = "1.35"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unrelated` are pointers that changed and may not; `wrong` are sentences. Both empty: right."""

    unrelated: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the answer is what the case wants, and nothing else."""
        return not self.unrelated and not self.wrong


def judge_repair(task: Task, before: bytes, after: bytes) -> Verdict:
    """An accepted repair of a file."""
    if not task.right.must:
        return Verdict(wrong=("Nobody can know this from the data, so it was guessed.",))
    changes = changed_documents(task.file or "", before, after)
    if len(changes) != 1:
        return Verdict(wrong=(f"{len(changes)} documents changed",))
    return judge_object(task.right, *changes[0], before, after)


def judge_object(right: Right, old: Any, new: Any, before: bytes, after: bytes) -> Verdict:
    """The one document that changed."""
    unrelated = [p for p in changed(old, new) if not _may(p, right.may)]
    wrong = [f"{m.at} is not right" for m in right.must if not _holds(m, new)]
    wrong += [f"{o.get('kind')} is invalid" for o in objects(new) if valid(o, VERSION) is False and not _was_invalid(old, o)]
    wrong += [f"another line changed: {line[:80]}" for line in foreign_lines(before, after, changed(old, new))]
    return Verdict(tuple(unrelated), tuple(wrong))


def judge_draft(wanted: Draft | None, key: str, value: str) -> Verdict:
    """A drafted Decision."""
    if wanted is None:
        return Verdict(wrong=("Nobody can know this from the data, so it was guessed.",))
    fits = value in wanted.one_of or (wanted.matches is not None and re.fullmatch(wanted.matches, value) is not None)
    fits = fits or (wanted.amounts and amounts_right(value))
    return Verdict(wrong=() if key in wanted.keys and fits else (f"{key}: {value[:60]}",))


def documents(name: str, data: bytes) -> list[Any]:
    """A file's values, one per document; JSON is read as JSON."""
    text = data.decode("utf-8-sig")
    return [json.loads(text)] if name.endswith(".json") else list(yaml.load_all(text, _LOADER))


def changed_documents(name: str, before: bytes, after: bytes) -> list[tuple[Any, Any]]:
    """(before, after) of each document that differs; every one where their number does."""
    old, new = documents(name, before), documents(name, after)
    if len(old) != len(new):
        return [(o, None) for o in old]
    return [(o, n) for o, n in zip(old, new, strict=True) if o != n]


def changed(old: Any, new: Any) -> list[str]:
    """Pointers of every scalar and empty container that differs."""
    one, other = dict(_leaves(old)), dict(_leaves(new))
    return sorted(p for p in one.keys() | other.keys() if p not in one or p not in other or repr(one[p]) != repr(other[p]))


def objects(document: Any) -> Iterator[dict[str, Any]]:
    """A document's Kubernetes objects, those of a List too."""
    if isinstance(document, dict):
        items = document.get("items")
        if isinstance(items, list) and str(document.get("kind", "")).endswith("List"):
            for item in items:
                yield from objects(item)
        elif "apiVersion" in document and "kind" in document:
            yield document


def foreign_lines(before: bytes, after: bytes, pointers: Sequence[str]) -> list[str]:
    """Changed lines that name no key on the way to what changed, neither as they were nor as they are; items of a list have no key."""
    old, new = before.decode("utf-8-sig").splitlines(), after.decode("utf-8-sig").splitlines()
    words = {w for p in pointers for w in map(_plain, p.split("/")[1:]) if not w.isdigit()}
    listed = any(p.rsplit("/", 1)[-1].isdigit() for p in pointers)

    def named(line: str) -> bool:
        return any(w in line for w in words) or (listed and line.lstrip().startswith("-"))

    return [line for pair in _changed_lines(old, new) if not any(map(named, pair)) for line in pair if line]


def _changed_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Lines that differ: as they were and as they are, where as many came as went; else each for itself."""
    for tag, i, k, j, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from zip(old[i:k], new[j:m], strict=True) if k - i == m - j else ((line,) for line in (*old[i:k], *new[j:m]))


def amounts_right(value: str) -> bool:
    """`requests.cpu=100m, ...`: requests of both, sane, no request over its limit."""
    parts = [part.strip().partition("=") for part in value.split(",")]
    given = {key: _amount(amount) for key, _, amount in parts}
    if not {"requests.cpu", "requests.memory"} <= given.keys() <= {f"{a}.{b}" for a in ("requests", "limits") for b in ("cpu", "memory")}:
        return False
    if any(amount is None for amount in given.values()):
        return False
    sane = 0.001 <= (given["requests.cpu"] or 0) <= 4 and 2**23 <= (given["requests.memory"] or 0) <= 2**34
    return sane and all((given[f"requests.{w}"] or 0) <= (given.get(f"limits.{w}") or 2.0**60) for w in ("cpu", "memory"))


def _amount(text: str) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|k|M|G)?", text)
    scale = {"m": 1e-3, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "k": 1e3, "M": 1e6, "G": 1e9}
    return float(match[1]) * scale.get(match[2] or "", 1.0) if match else None


def _may(pointer: str, may: Sequence[str]) -> bool:
    """At or below a place that may change, or a container that was left empty above it."""
    return any(pointer == m or pointer.startswith(f"{m}/") or m.startswith(f"{pointer}/") for m in may)


def _holds(must: Must, document: Any) -> bool:
    value = at(document, must.at)
    return must.absent if value is _NOTHING else any(type(value) is type(w) and value == w for w in map(_listed, must.one_of))


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def at(document: Any, pointer: str) -> Any:
    """What stands at a pointer; a value of no one's where nothing does."""
    for token in pointer.split("/")[1:]:
        if isinstance(document, list) and token.isdigit() and int(token) < len(document):
            document = document[int(token)]
        elif isinstance(document, dict) and _plain(token) in document:
            document = document[_plain(token)]
        else:
            return _NOTHING
    return document


def _was_invalid(old: Any, obj: dict[str, Any]) -> bool:
    return any(o.get("kind") == obj.get("kind") and valid(o, VERSION) is False for o in objects(old))


def _plain(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, (dict, list)) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    else:
        yield pointer, value
