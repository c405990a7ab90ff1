"""The Reporter's domain part: what needs the whole run, after every file is done.

The shared Gateway that converted routes attach to, the kustomizations that list or patch what changed, and the
decisions file with the open questions. Each is one more entry of the report, or more operations of an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import yaml

from shared.domain import editor
from shared.domain.chart_templates import traced
from shared.domain.consistency import reported
from shared.domain.convert import gateway
from shared.domain.convert.base import Op
from shared.domain.convert.gateway_addons import ADD_ONS, LOAD_BALANCER, setup_of
from shared.domain.convert.kustomize import Changes
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.decisions import read_decisions, skeleton, updates
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.inspector import facts_of
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, PatchOperation, Question, ResourceRef, Violation
from shared.domain.moved_images import moved_images
from shared.domain.pointer import JsonValue, nearest
from shared.domain.report.masking import masked_diff
from shared.domain.route_claims import twice_claimed
from shared.domain.rulebook import by_id
from shared.domain.run import FinishedRun, RunSetup
from shared.domain.takeback import taken_back

DECISIONS_RULE, KUSTOMIZE_RULE, DANGLING_RULE, GATEWAY_RULE = "AKS0001", "AKS0006", "AKS0007", "AKS0200"
CHART_RULE = "AKS0008"
GATEWAY_HEADER = "# The shared Gateway of this application, written by aks-copilot: one per namespace, one listener per TLS host.\n"

Read = Callable[[str], bytes | None]
"""The bytes of a path as the run has them after patching; None where there is no such file."""


def finish(setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read, original: Read) -> FinishedRun:
    """Every entry of the report, and the files that only the whole run could write; `original` gives the bytes as they came."""
    step = _Finishing(setup, outcomes, read, original)
    step.consistency()
    step.charts()
    step.gateways()
    step.claims()
    step.kustomizations()
    step.decisions()
    return FinishedRun(tuple(step.entries[path] for path in sorted(step.entries)), step.written, step.diffs)


def survey(setup: RunSetup, outcomes: Sequence[FileOutcome], original: Read) -> tuple[FileOutcome, ...]:
    """What `inspect` can say only of the whole run, among its entries: references that nothing answers, values of charts."""
    step = _Finishing(setup, outcomes, original, original)
    step.dangling()
    step.charts()
    return tuple(step.entries[path] for path in sorted(step.entries))


def open_questions(outcomes: Sequence[FileOutcome]) -> list[Question]:
    """Every question of the run once, in the order of the files."""
    return list(dict.fromkeys(q for o in sorted(outcomes, key=lambda o: o.path) for q in o.questions))


class _Finishing:
    def __init__(self, setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read, original: Read) -> None:
        self.setup, self.outcomes, self._read, self._original = setup, outcomes, read, original
        self.facts = facts_of(setup)
        self.entries = {o.path: o for o in outcomes}
        self.written: dict[str, bytes] = {}
        self.diffs: dict[str, str] = {}

    def read(self, path: str) -> bytes | None:
        return self.written[path] if path in self.written else self._read(path)

    def consistency(self) -> None:
        """Take back the changes after which an object would name what is no longer there; report once what never was."""
        for path, done in taken_back(self.setup, self.entries, self.read, self._original).items():
            self.entries[path] = done.outcome
            if done.data is not None:
                self.written[path], self.diffs[path] = done.data, done.diff
        self.dangling()
        self.outcomes = [self.entries[o.path] for o in self.outcomes]

    def dangling(self) -> None:
        """Report the references that were broken before."""
        rule = by_id()[DANGLING_RULE]
        for found in reported(self.setup.index):
            entry, data = self.entries.get(found.entry.file), self._original(found.entry.file)
            if entry is not None and data is not None:
                document = read_manifest(entry.path, data).documents[found.entry.document]
                path = nearest(document.value, found.entry.base + found.reference.path)
                owner, severity = ResourceRef.of(found.entry.object), rule.severity if found.only_part else "info"
                said = Violation(rule.id, rule.title, severity, document.index, path, *document.position(path), owner,
                                 f"{found.describe()}.", rule.links, reason=rule.advice)  # fmt: skip
                self.entries[entry.path] = replace(entry, violations=(*entry.violations, said))

    def charts(self) -> None:
        """Say which keys of values files the charts' templates, which nobody edits, turn into what AKS lacks."""
        rule = by_id()[CHART_RULE]
        for found in traced(self.entries, self._original, self.facts):
            entry = self.entries[found.file]
            said = Violation(rule.id, rule.title, rule.severity, 0, found.path, found.line, 1, None, found.message, rule.links,
                             reason=rule.advice)  # fmt: skip
            self.entries[found.file] = replace(entry, violations=(*entry.violations, said))

    def gateways(self) -> None:
        """Make or extend `aks-gateway.yaml` for the listeners that converted routes ask for."""
        requests = [r for o in self.outcomes for r in o.listeners]
        if not requests:
            return
        choice = self.facts.typed_target.ingress
        data = self.read(gateway.FILE_NAME)
        existing = [d.value for d in read_manifest(gateway.FILE_NAME, data).documents] if data is not None else []
        answers = (self.facts.decision(key) for key in ("ingress.exposure", LOAD_BALANCER.key))
        wanted = setup_of(choice.class_name, *answers)
        plan = gateway.merge_gateways(existing, requests, choice.gateway_name, choice.class_name, wanted)
        if data is None:
            self._create(gateway.FILE_NAME, GATEWAY_HEADER, plan.documents)
        else:
            made = [_located(index, op, GATEWAY_RULE) for index, ops in sorted(plan.operations.items()) for op in ops]
            made += [PatchOperation("add", f"/{len(existing) + i}", GATEWAY_RULE, d) for i, d in enumerate(plan.documents)]
            self._change(gateway.FILE_NAME, made)
        self._say(gateway.FILE_NAME, GATEWAY_RULE, (*plan.conflicts, *wanted.doubts))
        add_ons = tuple(r for name, r in ADD_ONS.items() if name == choice.class_name)
        self.entries[gateway.FILE_NAME] = replace(self.entries[gateway.FILE_NAME], resources=add_ons, questions=wanted.questions)

    def claims(self) -> None:
        """Say where two routes answer the same requests, of which one was made here."""
        for path, said in twice_claimed(self.setup.index, self.entries, self.read):
            self.entries[path] = replace(self.entries[path], violations=(*self.entries[path].violations, said))

    def kustomizations(self) -> None:
        """Keep kustomizations and their patches true to new kinds, vanished files and the Gateway's file."""
        retyped = tuple(r for o in self.outcomes for r in o.retyped)
        created = frozenset(p for p, o in self.entries.items() if o.status == "created" and p == gateway.FILE_NAME)
        removed = frozenset(o.path for o in self.outcomes if o.removed)
        images = moved_images(self.entries.values(), self._original) if self.setup.index["kustomizations"] else {}
        changes = Changes(retyped, self._kept({r.ref for r in retyped}), removed, created, images)
        known = self.facts.kustomizations
        for path, ops in known.operations(changes).items():
            self._change(path, [_located(0, op, KUSTOMIZE_RULE) for op in ops])
        for (path, document), ops in known.patch_operations(changes).items():
            self._change(path, [_located(document, op, KUSTOMIZE_RULE) for op in ops])
        if created and self.setup.index["kustomizations"] and not any(created & {o.path} for o in self.outcomes if o.status == "patched"):
            self._note_unlisted()

    def _kept(self, converted: set[ResourceRef]) -> tuple[ResourceRef, ...]:
        """Objects of a kind that was converted elsewhere in the run, but not here."""
        kinds = {(r.api_version, r.kind) for r in converted}
        every = [ResourceRef.of(entry["object"]) for entry in self.setup.index["objects"]]
        return tuple(r for r in every if (r.api_version, r.kind) in kinds and r not in converted)

    def _note_unlisted(self) -> None:
        if not any(gateway.FILE_NAME in str(o.value) for e in self.entries.values() for o in e.operations if o.rule_id == KUSTOMIZE_RULE):
            entry = self.entries[gateway.FILE_NAME]
            self.entries[gateway.FILE_NAME] = replace(entry, reason="No kustomization of its folder lists it: apply it with the rest.")

    def decisions(self) -> None:
        """Write the decisions file where there is none; keep the list of open questions of one that exists."""
        source, asked = self.setup.source.profile, open_questions(list(self.entries.values()))
        entry, data = self.entries.get(DECISIONS), self.read(DECISIONS)
        if entry is None:
            self._record(FileOutcome(DECISIONS, "created", None, 1), b"", skeleton(source, asked).encode())
        elif entry.status == "skipped" and data is not None:
            documents = read_manifest(DECISIONS, data).documents
            if documents:
                made = updates(documents[0].value, data.decode("utf-8-sig", "replace"), source, asked)
                self._change(DECISIONS, [_located(0, op, DECISIONS_RULE) for op in made])
            else:
                kept = data if data[-1:] in (b"", b"\n") else data + b"\n"
                self._record(replace(entry, status="patched", reason=None), data, kept + skeleton(source, asked).encode())

    def _record(self, entry: FileOutcome, before: bytes, after: bytes) -> None:
        """A decisions file that had no content: the skeleton, under the comments that were there."""
        operation = PatchOperation("add", "/0", DECISIONS_RULE, read_decisions(after))
        self._put(replace(entry, operations=(operation,)), before, after)

    def _create(self, path: str, header: str, documents: Iterable[JsonValue]) -> None:
        values = list(documents)
        text = header + "---\n".join(yaml.safe_dump(v, sort_keys=False, default_flow_style=False, width=120) for v in values)
        operations = [PatchOperation("add", f"/{i}", GATEWAY_RULE, v) for i, v in enumerate(values)]
        if [d.value for d in read_manifest(path, text.encode()).documents] != values:
            raise ProofFailed(f"{path} would not be read back as it was meant.")
        self._put(FileOutcome(path, "created", None, len(values), operations=tuple(operations)), b"", text.encode())

    def _change(self, path: str, operations: list[PatchOperation]) -> None:
        """More operations on a file that may have some already; where they cannot be applied, the finding says so."""
        data, entry = self.read(path), self.entries.get(path)
        if not operations or data is None or entry is None:
            return
        before = read_manifest(path, data)
        try:
            after = editor.apply_operations(before, operations)
            editor.prove(before, operations, after)
        except (EditRefused, ProofFailed) as error:
            self._say(path, operations[0].rule_id, [f"This file must change, but was not changed: {error}"])
            return
        changed = replace(
            entry, status="patched", reason=None, documents=entry.documents or len(before.documents),
            operations=(*entry.operations, *operations), violations=tuple(_followed(entry.violations, operations)),
        )  # fmt: skip
        self._put(changed, data, after)

    def _put(self, entry: FileOutcome, before: bytes, after: bytes) -> None:
        self.entries[entry.path] = entry
        self.written[entry.path] = after
        self.diffs[entry.path] = masked_diff(entry.path, before, after)

    def _say(self, path: str, rule_id: str, messages: Iterable[str]) -> None:
        rule, entry = by_id()[rule_id], self.entries[path]
        said = tuple(Violation(rule.id, rule.title, "warning", 0, "", 1, 1, None, m, rule.links) for m in messages)
        self.entries[path] = replace(entry, violations=(*entry.violations, *said))


def _located(document: int, op: Op, rule_id: str) -> PatchOperation:
    return PatchOperation(op.op, f"/{document}{op.path}", rule_id, op.value)


def _followed(violations: Iterable[Violation], operations: Sequence[PatchOperation]) -> Iterable[Violation]:
    """A patch that has followed its object is no longer something to do."""
    followed = {int(o.path.split("/")[1]) for o in operations if o.path.endswith("/kind") or o.path.endswith("/apiVersion")}
    for v in violations:
        if v.document in followed and v.path in ("/kind", "/apiVersion") and v.resolution != "fixed":
            yield v.resolved("ignored", "The patch now names the converted object.")
        else:
            yield v
