"""The entries of a run's report while its last steps change them: files that are made or changed on top of what the Patcher did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import yaml

from shared.domain import editor
from shared.domain.convert.base import Op
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.fragments import FOLLOWS
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, PatchOperation, Violation
from shared.domain.pointer import JsonValue
from shared.domain.report.masking import masked_diff
from shared.domain.rulebook import by_id

Read = Callable[[str], bytes | None]
"""The bytes of a path; None where there is no such file."""


class Ledger:
    """Entries by path, with the bytes and masked diffs of what was written here. `original` gives the bytes as they came."""

    def __init__(self, outcomes: Sequence[FileOutcome], read: Read, original: Read) -> None:
        self._read, self.original = read, original
        self.entries = {o.path: o for o in outcomes}
        self.written: dict[str, bytes] = {}
        self.diffs: dict[str, str] = {}

    def read(self, path: str) -> bytes | None:
        """The bytes of a path as the run has them by now."""
        return self.written[path] if path in self.written else self._read(path)

    def create(self, path: str, header: str, documents: Iterable[JsonValue], rule_id: str) -> None:
        """A new file of these documents. Raises ProofFailed where it would not be read back as it was meant."""
        values = list(documents)
        text = header + "---\n".join(yaml.safe_dump(v, sort_keys=False, default_flow_style=False, width=120) for v in values)
        operations = [PatchOperation("add", f"/{i}", rule_id, v) for i, v in enumerate(values)]
        if [d.value for d in read_manifest(path, text.encode()).documents] != values:
            raise ProofFailed(f"{path} would not be read back as it was meant.")
        self.put(FileOutcome(path, "created", None, len(values), operations=tuple(operations)), b"", text.encode())

    def change(self, path: str, operations: list[PatchOperation]) -> bool:
        """More operations on a file that may have some already; False, and a finding that says so, where they cannot be applied."""
        data, entry = self.read(path), self.entries.get(path)
        if not operations or data is None or entry is None:
            return True
        before = read_manifest(path, data)
        try:
            after = editor.apply_operations(before, operations)
            editor.prove(before, operations, after)
        except (EditRefused, ProofFailed) as error:
            self.say(path, operations[0].rule_id, [f"This file must change, but was not changed: {error}"])
            return False
        changed = replace(
            entry, status="patched", reason=None, documents=entry.documents or len(before.documents),
            operations=(*entry.operations, *operations), violations=tuple(_followed(entry.violations, operations)),
        )  # fmt: skip
        self.put(changed, self.original(path) or b"", after)
        return True

    def remove(self, path: str, rule_id: str) -> None:
        """Take a whole file away."""
        entry, data = self.entries[path], self.original(path) or b""
        count = len(read_manifest(path, data).documents)
        operations = tuple(PatchOperation("remove", f"/{i}", rule_id) for i in reversed(range(count)))
        violations = tuple(v.resolved("ignored", "The object that it patched is gone.") for v in entry.violations)
        gone = replace(entry, status="patched", reason=None, operations=operations, violations=violations, suggestions=(), removed=True)
        self.put(gone, data, b"")

    def put(self, entry: FileOutcome, before: bytes, after: bytes) -> None:
        """An entry with its new bytes; `before` is what its diff starts from."""
        self.entries[entry.path] = entry
        self.written[entry.path] = after
        self.diffs[entry.path] = masked_diff(entry.path, before, after)

    def say(self, path: str, rule_id: str, messages: Iterable[str]) -> None:
        """A warning per message at the top of a file."""
        rule, entry = by_id()[rule_id], self.entries[path]
        said = tuple(Violation(rule.id, rule.title, "warning", 0, "", 1, 1, None, m, rule.links) for m in messages)
        self.entries[path] = replace(entry, violations=(*entry.violations, *said))


def located(document: int, op: Op, rule_id: str) -> PatchOperation:
    """An operation of a document as one over the array of documents."""
    return PatchOperation(op.op, f"/{document}{op.path}", rule_id, op.value)


def _followed(violations: Iterable[Violation], operations: Sequence[PatchOperation]) -> Iterable[Violation]:
    """A patch that has followed its object is no longer something to do."""
    followed = {int(o.path.split("/")[1]) for o in operations if o.path.endswith("/kind") or o.path.endswith("/apiVersion")}
    places = {o.path for o in operations if o.op == "replace"}
    for v in violations:
        own = v.document in followed and v.path in ("/kind", "/apiVersion")
        inline = v.reason == FOLLOWS and f"/{v.document}{v.path}" in places
        if v.resolution != "fixed" and (own or inline):
            yield v.resolved("ignored", "The patch now names the converted object.")
        else:
            yield v
