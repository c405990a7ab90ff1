"""The Thinker, rules part: Violations in, an ordered RFC 6902 patch with dispositions out.

Works on values only (a Worksheet), one fix at a time, and looks again after each: a fix may shift indices, cure
another violation or make a place for one. Text, proofs and refusals are the Patcher's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.boundary import off_limits
from shared.domain.checks import Found
from shared.domain.convert.base import AsDecided, CannotConvert, Conversion, Loss, decision_key, split_decision_key
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.facts import Facts
from shared.domain.fragments import FOLLOWS, objects_in
from shared.domain.inspector import Fields, facts_of, firing, is_fragment, manifest_of
from shared.domain.manifest import Manifest, has_comment
from shared.domain.model import (
    AzureResource,
    Disposition,
    ListenerRequest,
    PatchOperation,
    Question,
    ResourceRef,
    Retyping,
    Violation,
)
from shared.domain.plan import FilePlan, Unit, UnitKey
from shared.domain.pointer import JsonValue
from shared.domain.proposals import conversion_of, resources_for, retyping_of
from shared.domain.rulebook import Rule, by_id
from shared.domain.run import FileFindings, RunSetup, SourceFile
from shared.domain.verdicts import Verdicts
from shared.domain.worksheet import Origin, Worksheet

LOSS_RULE = "AKS0002"
"""The rule under which a translation's losses are reported."""

MAX_TRIES = 20
"""How often a rule may mend the same place: list items slide into it, but a fix that does not quiet its rule must end."""

SUGGESTED = "May change how the application behaves: applied only when you say so (`--unsafe`)."

COMMENTS_GO = "The comments in it are lost: its objects are written anew."


def propose(file: SourceFile, findings: FileFindings, setup: RunSetup, blocked: Mapping[UnitKey, str] | None = None) -> FilePlan:
    """The plan for one file. `blocked` are fixes that did not prove out before, with the reason; they are not tried again."""
    if not findings.violations:
        return FilePlan(file.path)
    planner = _Planner(manifest_of(file), facts_of(setup).seen_from(file.path), blocked or {}, apply_unsafe=setup.apply_unsafe)
    planner.waived = {(v.rule_id, v.document, v.path): v.reason for v in findings.violations if v.resolution == "ignored"}
    planner.work()
    return planner.plan(file.path, findings)


class _Planner:
    def __init__(self, manifest: Manifest, facts: Facts, blocked: Mapping[UnitKey, str], *, apply_unsafe: bool) -> None:
        self.manifest, self.facts, self.blocked, self.apply_unsafe = manifest, facts, blocked, apply_unsafe
        self.fragment = any(is_fragment(manifest, d, facts) for d in manifest.documents)
        self.sheet = Worksheet(manifest)
        self.operations: list[PatchOperation] = []
        self.suggestions: list[PatchOperation] = []
        self.units: list[Unit] = []
        self.losses: list[Violation] = []
        self.listeners: list[ListenerRequest] = []
        self.resources: list[AzureResource] = []
        self.questions: list[Question] = []
        self.retyped: list[Retyping] = []
        self.verdicts = Verdicts()
        self.settled: set[tuple[int, str, str, str]] = set()
        self.tries: Counter[tuple[str, int, str]] = Counter()
        self.queue: list[JsonValue] = list(self.sheet.documents)
        self.revealed: dict[tuple[int, str], dict[UnitKey, Violation]] = {}
        self.waived: dict[UnitKey, str | None] = {}

    def work(self) -> None:
        """Mend every document until nothing new fires, then collect what is only suggested."""
        while self.queue:
            document = self.queue.pop(0)
            while self._mend_one(document):
                pass
        for document in list(self.sheet.documents):
            self._suggest(document)

    def _mend_one(self, document: JsonValue) -> bool:
        """Apply the first fix that is due in a document; False where there is none. Settled places are passed over."""
        if self.sheet.index_of(document) is None:
            return False
        for base, obj in objects_in(self.manifest.path, document, self.facts):
            for rule, found in firing(obj, self.facts, fragment=self.fragment):
                place = (id(document), base, rule.id, found.path)
                if place not in self.settled:
                    self.settled.add(place)
                    if self._handle(document, base, obj, rule, found):
                        return True
        return False

    def _handle(self, document: JsonValue, base: str, obj: dict[str, Any], rule: Rule, found: Found) -> bool:
        """Mend one place where that is due; True where something was applied. What becomes of the violation is noted."""
        origin = self.sheet.origin(document, base + found.path)
        key = (rule.id, *origin) if origin else None
        if key and (id(document), base + found.path) in self.revealed:
            self.revealed[id(document), base + found.path].setdefault(key, self._seen(rule, found, obj, key))
        if key in self.waived:
            self.verdicts.say(key, "ignored", self.waived[key])
            return False
        self.resources += resources_for(rule, found, obj)
        if self.fragment and rule.fix is not None and rule.fix.how == "convert":
            self.verdicts.say(key, "needs-human", FOLLOWS)
            return False
        try:
            conversion = conversion_of(rule, found, obj, self.facts) if key not in self.blocked else None
            if conversion and self.fragment:
                self.sheet.located(document, base, conversion, rule.id, "unsafe")
        except CannotConvert as reason:
            self._ask(key, rule, found, obj, reason)
            return False
        retyping = retyping_of(obj, conversion) if conversion else None
        hindrance = self.blocked.get(key) if key else None
        hindrance = hindrance or (off_limits(obj) if conversion else None) or self._blocker(conversion, retyping)
        if conversion is None and hindrance is None:
            self._ask(key, rule, found, obj, None)
        elif conversion is None or hindrance is not None:
            self.verdicts.say(key, "needs-human", hindrance)
        elif self._only_suggested(rule):
            self.verdicts.say(key, "suggested", SUGGESTED)
        elif self._may_try(document, base, rule, found):
            self._apply(document, base, obj, rule, conversion, key)
            self.retyped += [retyping] if retyping else []
            return True
        return False

    def _seen(self, rule: Rule, found: Found, obj: Mapping[str, Any], key: UnitKey) -> Violation:
        """A violation at a value that a conversion has brought to light."""
        line, column = self.manifest.documents[key[1]].position(key[2])
        message = rule.message.format_map(Fields(found, obj))
        return Violation(rule.id, rule.title, rule.severity, key[1], key[2], line, column, ResourceRef.of(obj), message, rule.links)

    def _only_suggested(self, rule: Rule) -> bool:
        return rule.fix is not None and rule.fix.disposition == "unsafe" and not self.apply_unsafe

    def _may_try(self, document: JsonValue, base: str, rule: Rule, found: Found) -> bool:
        place = (rule.id, id(document), base + found.path)
        self.tries[place] += 1
        return self.tries[place] <= MAX_TRIES

    def _blocker(self, conversion: Conversion | None, retyping: Retyping | None) -> str | None:
        """Why an object must stay, or keep its kind, or None."""
        if self.fragment and conversion and (retyping or conversion.insert_after or any(o.path == "" for o in conversion.operations)):
            return FOLLOWS
        if retyping is None:
            return None
        reason = self.facts.kustomizations.blocks_conversion(self.manifest.path, retyping)
        return f"Not converted: {reason}." if reason else None

    def _apply(self, document: JsonValue, base: str, obj: dict[str, Any], rule: Rule, conversion: Conversion, key: UnitKey | None) -> None:
        disposition: Disposition = rule.fix.disposition if rule.fix else "unsafe"
        self._lose(document, base, obj, (*conversion.losses, *self._comments(document, conversion)))
        made = self.sheet.apply(document, base, conversion, rule.id, disposition)
        self.operations += made
        self.units.append(Unit(*(key or (rule.id, -1, "")), len(made)))
        self.listeners += [replace(x, rule_id=rule.id) for x in conversion.listeners]
        self.resources += conversion.resources
        self.questions += conversion.questions
        self.verdicts.say(key, "fixed", None)
        self.revealed |= {(id(document), base + p): {} for p in conversion.reveals}
        self.queue += [self.sheet.documents[int(o.path[1:])] for o in made if o.op != "remove" and o.path.count("/") == 1]
        self.settled = {s for s in self.settled if s[0] != id(document)}

    def _comments(self, document: JsonValue, conversion: Conversion) -> tuple[Loss, ...]:
        """A document that others take the place of takes its comments along."""
        origin = self.sheet.origin(document, "") if conversion.in_place else None
        return (Loss("", COMMENTS_GO),) if origin and has_comment(self.manifest.documents[origin[0]]) else ()

    def _lose(self, document: JsonValue, base: str, obj: dict[str, Any], losses: tuple[Loss, ...]) -> None:
        rule = by_id()[LOSS_RULE]
        for loss in losses:
            place = self.sheet.origin(document, base + loss.path)
            if place is not None:
                line, column = self.manifest.documents[place[0]].position(place[1])
                self.losses.append(
                    Violation(
                        rule.id, rule.title, rule.severity, place[0], place[1], line, column, ResourceRef.of(obj), loss.message, rule.links
                    )
                )

    def _ask(self, key: UnitKey | None, rule: Rule, found: Found, obj: Mapping[str, Any], reason: CannotConvert | None) -> None:
        if reason is None and rule.harmless:
            self.verdicts.say(key, "ignored", rule.harmless)
            return
        if isinstance(reason, AsDecided):
            self.verdicts.say(key, "ignored", str(reason))
            return
        again = reason.question if reason else None
        question = again or self._question(rule, found, obj)
        self.questions += reason.questions if reason else ()
        if question is not None and not again and self.facts.decision(question.key) is not None:
            if rule.fix is None:
                self.verdicts.say(key, "ignored", f"Answered in {DECISIONS}.")
                return
            question = None
        if question is not None:
            self.questions.append(question)
        said = str(reason or "") or rule.advice or (question.question if question else None)
        self.verdicts.say(key, "needs-human", _with_place(said, (question, *(reason.questions if reason else ()))))

    @staticmethod
    def _question(rule: Rule, found: Found, obj: Mapping[str, Any]) -> Question | None:
        if rule.ask is None:
            return None
        key = rule.ask.key.format_map(Fields(found, obj, whole=True))
        return Question(decision_key(*split_decision_key(key)), rule.ask.question.format_map(Fields(found, obj)), rule.ask.example)

    def _suggest(self, document: JsonValue) -> None:
        """The unsafe fixes, each against the documents as the safe ones leave them."""
        for base, obj in objects_in(self.manifest.path, document, self.facts):
            for rule, found in firing(obj, self.facts, fragment=self.fragment):
                if not self._only_suggested(rule) or off_limits(obj) or self._blocked(document, base, rule, found):
                    continue
                try:
                    conversion = conversion_of(rule, found, obj, self.facts)
                    made = self.sheet.located(document, base, conversion, rule.id, "unsafe") if conversion else []
                except CannotConvert:
                    continue
                self.suggestions += made

    def _blocked(self, document: JsonValue, base: str, rule: Rule, found: Found) -> bool:
        origin: Origin | None = self.sheet.origin(document, base + found.path)
        return origin is not None and ((rule.id, *origin) in self.blocked or (rule.id, *origin) in self.waived)

    def plan(self, path: str, findings: FileFindings) -> FilePlan:
        """Everything as one value, each violation of the Inspector with what became of it."""
        known = {(v.rule_id, v.document, v.path) for v in findings.violations}
        brought = [v for found in self.revealed.values() for key, v in found.items() if key not in known]
        resolved = self.verdicts.resolved((*findings.violations, *brought), self.units)
        return FilePlan(
            path, tuple(self.operations), tuple(self.suggestions), (*resolved, *self.losses),
            tuple(self.listeners), tuple(dict.fromkeys(self.resources)), tuple(dict.fromkeys(self.questions)),
            tuple(self.units), tuple(self.retyped),
        )  # fmt: skip


def _with_place(said: str | None, questions: tuple[Question | None, ...]) -> str | None:
    """What is said of a finding, with the group of Decisions that its question belongs to; one place for all findings alike."""
    groups = dict.fromkeys(split_decision_key(q.key)[0] for q in questions if q)
    if not groups or DECISIONS in (said or ""):
        return said
    return f"{said} Answer it under {' and '.join(groups)} in {DECISIONS}."
