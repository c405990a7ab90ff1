"""The Reporter's domain part: what needs the whole run, after every file is done.

The shared Gateway that converted routes attach to, the kustomizations that list or patch what changed, and the
decisions file with the open questions. Each is one more entry of the report, or more operations of an entry.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.base_copies import CREATED, Copy, Overlay, as_reference, copies_of, overlay_of
from shared.domain.chart_templates import traced
from shared.domain.consistency import reported
from shared.domain.convert import gateway
from shared.domain.convert.base import Op
from shared.domain.convert.gateway_addons import ADD_ONS, LOAD_BALANCER, setup_of
from shared.domain.convert.kustomize_changes import Changes
from shared.domain.convert.kustomize_names import HEADER as NAMES_HEADER
from shared.domain.convert.kustomize_names import NAME_REFERENCES, ROUTES, configured, names_file
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.decisions import drafts_of, open_questions, places_of, read_decisions, skeleton, updates
from shared.domain.inspector import facts_of
from shared.domain.inventory import as_it_is_left
from shared.domain.ledger import Ledger, Read, located
from shared.domain.manifest import read_manifest
from shared.domain.model import FileOutcome, PatchOperation, ResourceRef, Violation
from shared.domain.moved_images import gone_objects, moved_images
from shared.domain.pointer import nearest
from shared.domain.route_claims import twice_claimed
from shared.domain.rulebook import by_id
from shared.domain.run import FinishedRun, RunSetup
from shared.domain.takeback import taken_back
from shared.domain.waivers import waive

DECISIONS_RULE, KUSTOMIZE_RULE, DANGLING_RULE, GATEWAY_RULE = "AKS0001", "AKS0006", "AKS0007", "AKS0200"
CHART_RULE, BASE_RULE = "AKS0008", "AKS0009"
BASES_HEADER = "# Objects of remote bases in the form that AKS serves, written by aks-copilot; the kustomization deletes the old ones.\n"
UNLISTED = (
    f"No kustomization lists {gateway.FILE_NAME}, so a tool that applies kustomizations leaves the Gateway out and no route answers: "
    "apply it in each namespace of the routes, or list it where such a tool finds it."
)
GATEWAY_HEADER = "# The shared Gateway of this application, written by aks-copilot: one per namespace, one listener per TLS host.\n"


def finish(setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read, original: Read) -> FinishedRun:
    """Every entry of the report, and the files that only the whole run could write; `original` gives the bytes as they came."""
    step = _Finishing(setup, outcomes, read, original)
    step.consistency()
    step.charts()
    step.gateways()
    step.claims()
    step.kustomizations()
    step.bases()
    step.decisions()
    step.entries = waive(step.entries, step.facts.acceptance, original)
    changed = {path: step.read(path) for path, entry in step.entries.items() if entry.status in ("patched", "created")}
    after = as_it_is_left(setup.index, changed, step.facts.decision)
    return FinishedRun(tuple(step.entries[path] for path in sorted(step.entries)), step.written, step.diffs, after)


def survey(setup: RunSetup, outcomes: Sequence[FileOutcome], original: Read) -> tuple[FileOutcome, ...]:
    """What `inspect` can say only of the whole run, among its entries: references that nothing answers, values of charts."""
    step = _Finishing(setup, outcomes, original, original)
    step.dangling()
    step.charts()
    step.entries = waive(step.entries, step.facts.acceptance, original)
    return tuple(step.entries[path] for path in sorted(step.entries))


class _Finishing(Ledger):
    def __init__(self, setup: RunSetup, outcomes: Sequence[FileOutcome], read: Read, original: Read) -> None:
        super().__init__(outcomes, read, original)
        self.setup, self.outcomes = setup, outcomes
        self.facts = facts_of(setup)

    def consistency(self) -> None:
        """Take back the changes after which an object would name what is no longer there; report once what never was."""
        for path, done in taken_back(self.setup, self.entries, self.read, self.original).items():
            self.entries[path] = done.outcome
            if done.data is not None:
                self.written[path], self.diffs[path] = done.data, done.diff
        self.dangling()
        self.outcomes = [self.entries[o.path] for o in self.outcomes]

    def dangling(self) -> None:
        """Report the references that were broken before."""
        rule = by_id()[DANGLING_RULE]
        for found in reported(self.setup.index):
            entry, data = self.entries.get(found.entry.file), self.original(found.entry.file)
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
        for found in traced(self.entries, self.original, self.facts):
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
            self.create(gateway.FILE_NAME, GATEWAY_HEADER, plan.documents, GATEWAY_RULE)
        else:
            made = [located(index, op, GATEWAY_RULE) for index, ops in sorted(plan.operations.items()) for op in ops]
            made += [PatchOperation("add", f"/{len(existing) + i}", GATEWAY_RULE, d) for i, d in enumerate(plan.documents)]
            self.change(gateway.FILE_NAME, made)
        self.say(gateway.FILE_NAME, GATEWAY_RULE, (*plan.conflicts, *wanted.doubts))
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
        images = moved_images(self.entries.values(), self.original) if self.setup.index["kustomizations"] else {}
        gone = gone_objects(self.entries.values(), self.read, self.original) - {r.ref for r in retyped}
        changes = Changes(retyped, self._kept({r.ref for r in retyped}), removed, created, gone, images)
        known = self.facts.kustomizations
        for path, ops in known.operations(changes).items():
            self.change(path, [located(0, op, KUSTOMIZE_RULE) for op in ops])
        for path in known.emptied_patches(changes):
            self.remove(path, KUSTOMIZE_RULE)
        for (path, document), ops in known.patch_operations(changes).items():
            self.change(path, [located(document, op, KUSTOMIZE_RULE) for op in ops])
        self._follow_names()
        if (
            gateway.FILE_NAME in created
            and self.setup.index["kustomizations"]
            and not any(created & {o.path} for o in self.outcomes if o.status == "patched")
        ):
            self._note_unlisted()

    def _follow_names(self) -> None:
        """Where kustomize renames what routes name, tell it where they do."""
        routes = [o.path for o in self.outcomes if any(r.kind in ROUTES for r in o.retyped)]
        secrets = frozenset(x.tls_secret for o in self.outcomes for x in o.listeners if x.tls_secret)
        for path in self.facts.kustomizations.renaming(routes, secrets):
            content = read_manifest(path, self.read(path) or b"").documents[0].value
            made = [located(0, op, KUSTOMIZE_RULE) for op in configured(path, content)] if isinstance(content, dict) else []
            if made and self.change(path, made) and names_file(path) not in self.entries:
                self.create(names_file(path), NAMES_HEADER, [NAME_REFERENCES], KUSTOMIZE_RULE)

    def _kept(self, converted: set[ResourceRef]) -> tuple[ResourceRef, ...]:
        """Objects of a kind that was converted elsewhere in the run, but not here."""
        kinds = {(r.api_version, r.kind) for r in converted}
        every = [ResourceRef.of(entry["object"]) for entry in self.setup.index["objects"]]
        return tuple(r for r in every if (r.api_version, r.kind) in kinds and r not in converted)

    def _note_unlisted(self) -> None:
        if not any(gateway.FILE_NAME in str(o.value) for e in self.entries.values() for o in e.operations if o.rule_id == KUSTOMIZE_RULE):
            entry = self.entries[gateway.FILE_NAME]
            self.entries[gateway.FILE_NAME] = replace(entry, reason="No kustomization of its folder lists it: apply it with the rest.")
            self.say(gateway.FILE_NAME, GATEWAY_RULE, [UNLISTED])

    def bases(self) -> None:
        """Copies of remote bases stay as they are: what was done to them is done by the kustomizations that name the bases."""
        copies = copies_of(self.facts, self.entries)
        plans = [(c, overlay_of(c, self.facts, self.read, self.original)) for c in copies if not c.problem]
        for copy in copies:
            self.say(copy.kustomization, BASE_RULE, [copy.problem] if copy.problem else [])
        unpatched = {ref for copy, plan in plans for ref in self._overlay(copy, plan)}
        for file in {f for c, _ in plans for f in c.files}:
            self.entries[file] = as_reference(self.entries[file], [c for c, _ in plans], unpatched)
            self.written[file], self.diffs[file] = self.original(file) or b"", ""
        self.outcomes = [self.entries[o.path] for o in self.outcomes]

    def _overlay(self, copy: Copy, plan: Overlay) -> list[ResourceRef | None]:
        """Write what stands in for a base; the objects for which that cannot be (None: all)."""
        path = copy.kustomization
        self.say(path, BASE_RULE, [text for _, text in plan.problems])
        document = read_manifest(path, self.read(path) or b"").documents[0]
        if not self.change(path, [located(0, op, KUSTOMIZE_RULE) for op in plan.operations(document.value)]):
            return [None]
        self._stand_in(copy, plan)
        return [ref for ref, _ in plan.problems]

    def _stand_in(self, copy: Copy, plan: Overlay) -> None:
        """The objects of a base that get another kind or version, in a file beside the kustomization."""
        path = posixpath.join(posixpath.dirname(copy.kustomization), CREATED)
        data = self.read(path)
        held = [d.value for d in read_manifest(path, data).documents] if data is not None else []
        new = plan.documents(held)
        if new and data is None:
            self.create(path, BASES_HEADER, new, KUSTOMIZE_RULE)
            self._list(copy.kustomization)
        elif new:
            self.change(path, [PatchOperation("add", f"/{len(held) + i}", KUSTOMIZE_RULE, o) for i, o in enumerate(new)])

    def _list(self, path: str) -> None:
        """Have a kustomization build the new objects, after everything that it names."""
        content = read_manifest(path, self.read(path) or b"").documents[0].value
        field = next(f for f in ("resources", "bases") if isinstance(content.get(f), list))
        self.change(path, [located(0, Op("add", f"/{field}/{len(content[field])}", CREATED), KUSTOMIZE_RULE)])

    def decisions(self) -> None:
        """Write the decisions file where there is none; keep the list of open questions of one that exists."""
        source, entries = self.setup.source.profile, list(self.entries.values())
        asked, places, drafts = open_questions(entries), places_of(entries), drafts_of(entries)
        entry, data = self.entries.get(DECISIONS), self.read(DECISIONS)
        if entry is None:
            self._record(FileOutcome(DECISIONS, "created", None, 1), b"", skeleton(source, asked, places, drafts).encode())
        elif entry.status == "skipped" and data is not None:
            documents = read_manifest(DECISIONS, data).documents
            if documents:
                made = updates(documents[0].value, data.decode("utf-8-sig", "replace"), source, asked, drafts)
                self.change(DECISIONS, [located(0, op, DECISIONS_RULE) for op in made])
            else:
                kept = data if data[-1:] in (b"", b"\n") else data + b"\n"
                self._record(replace(entry, status="patched", reason=None), data, kept + skeleton(source, asked, places, drafts).encode())

    def _record(self, entry: FileOutcome, before: bytes, after: bytes) -> None:
        """A decisions file that had no content: the skeleton, under the comments that were there."""
        operation = PatchOperation("add", "/0", DECISIONS_RULE, read_decisions(after))
        self.put(replace(entry, operations=(operation,)), before, after)
