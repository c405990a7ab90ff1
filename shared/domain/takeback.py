"""Takes back the fixes that break a reference of the run, and only those: each file is planned and proved again without them.

Runs once per run, after every file is done, and mostly finds nothing to do. The culprit of a broken reference is the last fix of a
file after which it is broken for good; fixes of other files that depended on it break in turn, and go the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import accumulate

from shared.domain import editor
from shared.domain.consistency import Dangling, Entry, State, as_they_came, broken, causes, entries_of
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.inspector import facts_of, inspect, manifest_of
from shared.domain.model import FileOutcome
from shared.domain.patcher import patch
from shared.domain.plan import Unit, UnitKey
from shared.domain.run import PatchedFile, RunSetup, SourceFile
from shared.domain.thinker import propose

Read = Callable[[str], bytes | None]


def taken_back(setup: RunSetup, outcomes: Mapping[str, FileOutcome], read: Read, original: Read) -> dict[str, PatchedFile]:
    """The files whose changes, as `read` gives them, may not stay, as they are without; `original` gives the bytes as they came."""
    step = _TakingBack(setup, outcomes, read, original)
    step.work()
    return step.redone


class _TakingBack:
    def __init__(self, setup: RunSetup, outcomes: Mapping[str, FileOutcome], read: Read, original: Read) -> None:
        self.setup, self.outcomes, self.read, self.original = setup, outcomes, read, original
        self.before = as_they_came(setup.index)
        self.fresh = {p: self._entries(p, read(p)) for p, o in sorted(outcomes.items()) if o.status == "patched"}
        self.blocked: dict[str, dict[UnitKey, str]] = {}
        self.redone: dict[str, PatchedFile] = {}

    def work(self) -> None:
        """Take back until no reference is broken: each round leaves fewer changes."""
        while self.fresh and (found := broken(self.before, self._after())):
            touched: set[str] = set()
            for dangling in found:
                paths = causes(dangling, self.before, self.fresh)
                if touched.isdisjoint(paths):
                    touched.update(paths)
                    for path in paths:
                        self._take_back(path, dangling)
            if not touched:
                return

    def _entries(self, path: str, data: bytes | None) -> list[Entry]:
        return list(entries_of(path, data, facts_of(self.setup).decision))

    def _after(self, path: str = "", instead: list[Entry] | None = None) -> State:
        """The run as it is now; with one file's objects replaced where that is asked."""
        fresh = self.fresh if instead is None else {**self.fresh, path: instead}
        return State([e for e in self.before.entries if e.file not in fresh] + [e for found in fresh.values() for e in found])

    def _take_back(self, path: str, found: Dangling) -> None:
        reason = f"Not changed: afterwards, {found.describe()}."
        file = SourceFile(path, self.original(path) or b"")
        unit = self._culprit(file, found)
        if unit is None:
            self._restore(file, reason)
            return
        blocked = self.blocked[path]
        blocked[unit.key] = reason
        findings = inspect(file, self.setup)
        plan = replace(propose(file, findings, self.setup, blocked), repairs=self.outcomes[path].repairs)
        done = patch(file, findings, plan, self.setup, blocked)
        if done.outcome.status != "patched":
            self._keep(PatchedFile(replace(done.outcome, status="refused", reason=reason), file.data))
        elif done.data is None and not self.outcomes[path].removed:
            self._restore(file, reason)
        else:
            self.redone[path], self.fresh[path] = done, self._entries(path, done.data)

    def _restore(self, file: SourceFile, reason: str) -> None:
        self._keep(PatchedFile(_restored(self.outcomes[file.path], reason), file.data))

    def _keep(self, done: PatchedFile) -> None:
        self.redone[done.outcome.path] = done
        del self.fresh[done.outcome.path]

    def _culprit(self, file: SourceFile, found: Dangling) -> Unit | None:
        """The fix after which the reference is broken for good; None where no fix of this file alone is to blame."""
        blocked, findings = self.blocked.get(file.path, {}), inspect(file, self.setup)
        patch(file, findings, propose(file, findings, self.setup, blocked), self.setup, blocked)
        self.blocked[file.path] = blocked
        plan, manifest = propose(file, findings, self.setup, blocked), manifest_of(file)
        starts = accumulate((u.count for u in plan.units), initial=0)
        for unit, start in reversed(list(zip(plan.units, starts, strict=False))):
            try:
                data = editor.apply_operations(manifest, plan.operations[:start]) if start else file.data
            except (EditRefused, ProofFailed):
                continue
            state = self._after(file.path, self._entries(file.path, data))
            if not any(d.target == found.target for d in broken(self.before, state)):
                return unit
        return None


def _restored(outcome: FileOutcome, reason: str) -> FileOutcome:
    """The entry of a file whose changes were all taken back: what was mended is left to a person."""
    violations = tuple(v.resolved("needs-human", reason) if v.resolution == "fixed" else v for v in outcome.violations)
    return replace(
        outcome, status="refused", reason=reason, violations=violations, operations=(), suggestions=(), listeners=(), retyped=(),
        removed=False,
    )  # fmt: skip
