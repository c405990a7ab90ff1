"""Suggestions on a user's pull request: fixes that one click of a reviewer puts into the branch, on lines that the pull request changed.

A reviewer takes suggestions one by one, so each is planned and proven as if it were the only change of the file (DESIGN 6.2). What would
need another file (a listener of the Gateway, a kustomization that follows a new kind), or lines that the pull request does not show, is no
suggestion; neither is text that GitHub or its reader could not keep as it is.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from shared.domain.code_review import Shown
from shared.domain.inspector import inspect, manifest_of
from shared.domain.model import SEVERITIES, FileOutcome, Violation
from shared.domain.patcher import patch
from shared.domain.plan import FilePlan, UnitKey
from shared.domain.report.hiding import mask_lines, secret_values, split_lines
from shared.domain.run import RunSetup, SourceFile
from shared.domain.thinker import LOSS_RULE, propose

MOST_OLD, MOST_NEW, MOST_TEXT = 40, 150, 20_000
"""Lines of one suggestion before and after, and its characters: a longer one is read better in the result."""
MOST_WORK, LEAST_WORK = 2_000_000, 5_000
"""Bytes that are planned and proven for one pull request, and what a small file counts as: each fix costs its whole file once."""
MOST_BYTES = 300_000
"""Of a file: hosts show no diff of larger ones."""
KUSTOMIZE_RULE = "AKS0006"
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Lines `start` to `end` (from 1) of a file of the repository become `text`. `violations` are what it mends, `losses` what is lost."""

    path: str
    start: int
    end: int
    text: str
    violations: tuple[Violation, ...]
    losses: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """One for each violation; the same in every later run, wherever the lines are by then."""
        return tuple(mark(self.path, violation) for violation in self.violations)


def mark(path: str, violation: Violation) -> str:
    """What tells a violation from others of a pull request: rule, file, object and place in the object, never lines."""
    owner = violation.resource
    parts = [violation.rule_id, path, violation.path, *((owner.kind, owner.namespace or "", owner.name or "") if owner else ())]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that a pull request changes: its entry of the run, its bytes as they came, its path in the repository, what is shown."""

    outcome: FileOutcome
    data: bytes
    path: str
    shown: Shown

    @property
    def grave(self) -> int:
        """How grave what can be mended in it is."""
        return max((SEVERITIES.index(v.severity) for v in self.outcome.violations if v.resolution == "fixed"), default=-1)


def suggestions(
    setup: RunSetup, outcomes: Sequence[FileOutcome], files: Iterable[Changed], told: Collection[str] = ()
) -> Iterator[Suggestion]:
    """What to suggest in the files of a run, the file with the gravest findings first, then top down. Marks in `told` are not repeated."""
    moved = any(op.rule_id == KUSTOMIZE_RULE for one in outcomes for op in one.operations)
    work = Work(MOST_WORK)
    for file in sorted(files, key=lambda file: -file.grave):
        if file.outcome.status == "patched" and not file.outcome.removed and _plain(file.data):
            yield from _File(setup, file, told, moved=moved).pieces(work)


class Work:
    """How many bytes may still be planned and proven."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> bool:
        """Whether there is work left; it is less by one try at a file of `size` bytes."""
        self.left -= max(size, LEAST_WORK)
        return self.left >= 0


class _File:
    def __init__(self, setup: RunSetup, changed: Changed, told: Collection[str], *, moved: bool) -> None:
        self.setup, self.changed, self.moved = setup, changed, moved
        self.file = SourceFile(changed.outcome.path, changed.data)
        self.old = split_lines(changed.data.decode())
        self.findings = inspect(self.file, setup)
        self.keys = [unit.key for unit in propose(self.file, self.findings, setup).units]
        self.follows = bool(setup.index["kustomizations"])
        fixed = (v for v in changed.outcome.violations if v.resolution == "fixed" and mark(changed.path, v) not in told)
        self.fixed = {v.key: v for v in fixed}

    def pieces(self, work: Work) -> Iterator[Suggestion]:
        """Suggestions that have no line in common: those that would are made one, or none where they do not hold together."""
        near = self._documents()
        wanted = dict.fromkeys(key for key in self.keys if key in self.fixed and key[1] in near)
        affordable = takewhile(lambda _: work.take(len(self.file.data)), wanted)
        alone = ((frozenset([key]), self._suggestion(frozenset([key]))) for key in affordable)
        found = [(group, one) for group, one in alone if one is not None]
        while (pair := _overlapping(found)) is not None:
            found = [entry for entry in found if entry not in pair]
            both = pair[0][0] | pair[1][0]
            together = self._suggestion(both)
            found += [(both, together)] if together is not None else []
        yield from sorted((one for _, one in found), key=lambda one: one.start)

    def _documents(self) -> set[int]:
        """The documents in which the pull request changes something."""
        documents = manifest_of(self.file).documents
        starts = [document.position("")[0] for document in documents]
        return {bisect_right(starts, line) - 1 for line in self.changed.shown.new}

    def _suggestion(self, group: frozenset[UnitKey]) -> Suggestion | None:
        """The change of these fixes and no others, or None where it does not hold alone or cannot be shown."""
        blocked = {key: "left out" for key in self.keys if key not in group}
        plan = propose(self.file, self.findings, self.setup, blocked)
        if {unit.key for unit in plan.units} != group or self._reaches_out(plan):
            return None
        done = patch(self.file, self.findings, plan, self.setup, dict(blocked))
        if done.data is None or done.outcome.operations != plan.operations:
            return None
        return self._written(split_lines(done.data.decode()), group)

    def _reaches_out(self, plan: FilePlan) -> bool:
        """Whether another file would have to follow."""
        whole = {op.op for op in plan.operations if op.path.count("/") == 1}  # documents that come, go or are replaced
        converted = bool(whole - {"add"}) or any(one.ref.kind != one.kind for one in plan.retyped)
        named = self.follows and bool(plan.retyped or whole)
        images = self.moved and any(op.path.endswith("/image") for op in plan.operations)
        unsafe = any(op.disposition != "safe" for op in plan.operations)
        return bool(plan.listeners) or converted or named or images or unsafe

    def _written(self, new: list[str], group: frozenset[UnitKey]) -> Suggestion | None:
        span = next((s for s in _spans(self.old, new) if self.changed.shown.commentable(s[0] + 1, s[1])), None)
        if span is None or not self._faithful(new, *span):
            return None
        first, last, begin, stop = span
        mended = tuple(self.fixed[key] for key in dict.fromkeys(self.keys) if key in group)
        said = (v for v in self.changed.outcome.violations if v.rule_id == LOSS_RULE)
        losses = [v.message for v in said if any(v.resource == m.resource for m in mended)]
        return Suggestion(self.changed.path, first + 1, last, "".join(new[begin:stop]), mended, tuple(dict.fromkeys(losses)))

    def _faithful(self, new: list[str], first: int, last: int, begin: int, stop: int) -> bool:
        """Whether the lines arrive as they are: all ended, short enough, nothing that is invisible, and no secret among them."""
        if last - first > MOST_OLD or stop - begin > MOST_NEW or sum(map(len, new[begin:stop])) > MOST_TEXT:
            return False
        lines, text = [*self.old[first:last], *new[begin:stop]], "".join(new)
        if any(not line.endswith("\n") or _FENCE in line or not line[:-1].replace("\t", "").isprintable() for line in lines):
            return False
        values = secret_values(text) | secret_values("".join(self.old))
        return mask_lines(text, range(begin, stop), values)[begin:stop] == new[begin:stop]


def _plain(data: bytes) -> bool:
    """Small, and UTF-8 without a byte order mark and without carriage returns, which a suggestion would not keep."""
    try:
        text = data.decode() if len(data) <= MOST_BYTES else "\r"
    except UnicodeDecodeError:
        return False
    return "\r" not in text and not text.startswith("\ufeff")


def _spans(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where a change can be shown, as old and new lines (from 0, ends excluded): from its first line to its last one.

    A comment needs a line to stand on, so an insertion takes along the line before it, or the one after it.
    """
    most = min(len(old), len(new))
    first = next((n for n in range(most) if old[n] != new[n]), most)
    rest = next((n for n in range(most - first) if old[-1 - n] != new[-1 - n]), most - first)
    last, stop = len(old) - rest, len(new) - rest
    if first < last:
        yield first, last, first, stop
        return
    if first > 0:
        yield first - 1, last, first - 1, stop
    if last < len(old):
        yield first, last + 1, first, stop + 1


_Entry = tuple[frozenset[UnitKey], Suggestion]


def _overlapping(found: Sequence[_Entry]) -> tuple[_Entry, _Entry] | None:
    """Two suggestions that share a line, or None."""
    ordered = sorted(found, key=lambda entry: entry[1].start)
    return next(((a, b) for a, b in pairwise(ordered) if b[1].start <= a[1].end), None)
