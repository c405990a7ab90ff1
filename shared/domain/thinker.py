"""The Thinker, rules part: Violations in, an ordered RFC 6902 patch with dispositions out.

Works on values only (a Worksheet), one fix at a time, and looks again after each: a fix may shift indices, cure
another violation or make a place for one. Text, proofs and refusals are the Patcher's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from shared.domain.boundary import off_limits
from shared.domain.checks import Found
from shared.domain.convert.base import CannotConvert, Conversion, Loss
from shared.domain.facts import Facts
from shared.domain.fragments import FOLLOWS, objects_in
from shared.domain.inspector import Fields, facts_of, firing, is_fragment, manifest_of
from shared.domain.left_open import left_open
from shared.domain.llm.case import askable
from shared.domain.manifest import Manifest, has_comment
from shared.domain.model import Disposition, PatchOperation, Question, ResourceRef, Retyping, Violation
from shared.domain.needs import AzureResource, ListenerRequest
from shared.domain.plan import FilePlan, Unit, UnitKey
from shared.domain.pointer import JsonValue, get
from shared.domain.proposals import conversion_of, resources_for, retyping_of
from shared.domain.rulebook import Rule, by_id
from shared.domain.run import FileFindings, RunSetup, SourceFile
from shared.domain.verdicts import Verdicts
from shared.domain.wording import sentence
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
    return _planned(file, findings, setup, blocked or {}).plan(file.path, findings)


def _planned(file: SourceFile, findings: FileFindings, setup: RunSetup, blocked: Mapping[UnitKey, str]) -> _Planner:
    planner = _Planner(manifest_of(file), facts_of(setup).seen_from(file.path), blocked, apply_unsafe=setup.apply_unsafe)
    planner.waived = {v.key: v.reason for v in findings.violations if v.resolution == "ignored"}
    planner.work()
    return planner


def places_left(file: SourceFile, findings: FileFindings, setup: RunSetup, blocked: Mapping[UnitKey, str]) -> dict[UnitKey, LeftPlace]:
    """The violations that still fire after the rules' fixes, in the order of the documents, each with its place by then."""
    planner = _planned(file, findings, setup, blocked)
    found: dict[UnitKey, LeftPlace] = {}
    for index, document in enumerate(planner.sheet.documents):
        for hit in planner._hits(document):
            if hit.key:
                found.setdefault(hit.key, LeftPlace(index, hit.base + hit.found.path, hit.key in planner.askable))
    return found


class LeftPlace(NamedTuple):
    """Where a violation stands after the rules' fixes: document, pointer (perhaps to an absent field), and whether a model may be asked."""

    document: int
    pointer: str
    askable: bool


class _Hit(NamedTuple):
    """A rule that fires on an object (at `base` of a document); `key` names the place in the original, None where it is new."""

    document: JsonValue
    base: str
    obj: dict[str, Any]
    rule: Rule
    found: Found
    key: UnitKey | None


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
        self.askable: set[UnitKey] = set()

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
        for hit in self._hits(document):
            place = (id(document), hit.base, hit.rule.id, hit.found.path)
            if place not in self.settled:
                self.settled.add(place)
                if self._handle(hit):
                    return True
        return False

    def _hits(self, document: JsonValue) -> Iterator[_Hit]:
        """What fires in a document as it is now; nothing where it has gone."""
        if self.sheet.index_of(document) is None:
            return
        for base, obj in objects_in(self.manifest.path, document, self.facts):
            for rule, found in firing(obj, self.facts, fragment=self.fragment):
                origin = self.sheet.origin(document, base + found.path)
                yield _Hit(document, base, obj, rule, found, (rule.id, *origin) if origin else None)

    def _handle(self, hit: _Hit) -> bool:
        """Mend one place where that is due; True where something was applied. What becomes of the violation is noted."""
        place = (id(hit.document), hit.base + hit.found.path)
        if hit.key and place in self.revealed:
            self.revealed[place].setdefault(hit.key, self._seen(hit, hit.key))
        if hit.key in self.waived:
            self.verdicts.say(hit.key, "ignored", self.waived[hit.key])
            return False
        self.resources += resources_for(hit.rule, hit.found, hit.obj)
        if self.fragment and hit.rule.fix is not None and hit.rule.fix.how == "convert":
            self.verdicts.say(hit.key, "needs-human", FOLLOWS)
            return False
        try:
            conversion = self._conversion(hit) if hit.key not in self.blocked else None
        except CannotConvert as reason:
            self._leave(hit, reason)
            return False
        return self._dispose(hit, conversion)

    def _conversion(self, hit: _Hit) -> Conversion | None:
        """Raises CannotConvert also where a kustomize patch has no place for it."""
        conversion = conversion_of(hit.rule, hit.found, hit.obj, self.facts)
        if conversion and self.fragment:
            self.sheet.located(hit.document, hit.base, conversion, hit.rule.id, "unsafe")
        return conversion

    def _dispose(self, hit: _Hit, conversion: Conversion | None) -> bool:
        """Apply a conversion, or say why not; None: the place was blocked before, or no fix mends it."""
        retyping = retyping_of(hit.obj, conversion) if conversion else None
        hindrance = self.blocked.get(hit.key) if hit.key else None
        hindrance = hindrance or (off_limits(hit.obj) if conversion else None) or self._blocker(conversion, retyping)
        if conversion is None and hindrance is None:
            self._leave(hit, None)
        elif conversion is None or hindrance is not None:
            self.verdicts.say(hit.key, "needs-human", hindrance)
        elif self._only_suggested(hit.rule):
            self.verdicts.say(hit.key, "suggested", SUGGESTED)
        elif self._may_try(hit):
            self._apply(hit, conversion)
            self.retyped += [retyping] if retyping else []
            return True
        return False

    def _leave(self, hit: _Hit, reason: CannotConvert | None) -> None:
        left = left_open(hit.rule, hit.found, hit.obj, reason, self.facts)
        self.questions += left.questions
        whole = not self.fragment and get(hit.document, hit.base) is hit.obj
        if hit.key and whole and (reason is None or left.questions) and askable(hit.rule, hit.found, hit.obj, left):
            self.askable.add(hit.key)
        self.verdicts.say(hit.key, left.resolution, left.reason)

    def _seen(self, hit: _Hit, key: UnitKey) -> Violation:
        """A violation at a value that a conversion has brought to light."""
        message = hit.rule.message.format_map(Fields(hit.found, hit.obj))
        return self._violation(hit.rule, (key[1], key[2]), hit.obj, message, hit.rule.links)

    def _violation(self, rule: Rule, place: Origin, obj: Mapping[str, Any], message: str, links: tuple[str, ...]) -> Violation:
        line, column = self.manifest.documents[place[0]].position(place[1])
        return Violation(rule.id, rule.title, rule.severity, *place, line, column, ResourceRef.of(obj), message, links)

    def _only_suggested(self, rule: Rule) -> bool:
        return rule.fix is not None and rule.fix.disposition == "unsafe" and not self.apply_unsafe

    def _may_try(self, hit: _Hit) -> bool:
        place = (hit.rule.id, id(hit.document), hit.base + hit.found.path)
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

    def _apply(self, hit: _Hit, conversion: Conversion) -> None:
        document, rule = hit.document, hit.rule
        disposition: Disposition = rule.fix.disposition if rule.fix else "unsafe"
        self._lose(hit, (*conversion.losses, *self._comments(document, conversion)))
        made = self.sheet.apply(document, hit.base, conversion, rule.id, disposition)
        self.operations += made
        self.units.append(Unit(*(hit.key or (rule.id, -1, "")), len(made)))
        self.listeners += [replace(x, rule_id=rule.id) for x in conversion.listeners]
        self.resources += conversion.resources
        self.questions += conversion.questions
        self.verdicts.say(hit.key, "fixed", None)
        self.revealed |= {(id(document), hit.base + p): {} for p in conversion.reveals}
        self.queue += [self.sheet.documents[int(o.path[1:])] for o in made if o.op != "remove" and o.path.count("/") == 1]
        self.settled = {s for s in self.settled if s[0] != id(document)}

    def _comments(self, document: JsonValue, conversion: Conversion) -> tuple[Loss, ...]:
        """A document that others take the place of takes its comments along."""
        origin = self.sheet.origin(document, "") if conversion.in_place else None
        return (Loss("", COMMENTS_GO),) if origin and has_comment(self.manifest.documents[origin[0]]) else ()

    def _lose(self, hit: _Hit, losses: tuple[Loss, ...]) -> None:
        """Each loss is a finding, with the pages of the rule whose fix loses it."""
        for loss in losses:
            place = self.sheet.origin(hit.document, hit.base + loss.path)
            if place is not None:
                self.losses.append(self._violation(by_id()[LOSS_RULE], place, hit.obj, sentence(loss.message), hit.rule.links))

    def _suggest(self, document: JsonValue) -> None:
        """The unsafe fixes, each against the documents as the safe ones leave them."""
        for hit in self._hits(document):
            if not self._only_suggested(hit.rule) or off_limits(hit.obj) or hit.key in self.blocked or hit.key in self.waived:
                continue
            try:
                conversion = conversion_of(hit.rule, hit.found, hit.obj, self.facts)
                made = self.sheet.located(document, hit.base, conversion, hit.rule.id, "unsafe") if conversion else []
            except CannotConvert:
                continue
            self.suggestions += made

    def plan(self, path: str, findings: FileFindings) -> FilePlan:
        """Everything as one value, each violation of the Inspector with what became of it."""
        known = {v.key for v in findings.violations}
        brought = [v for found in self.revealed.values() for key, v in found.items() if key not in known]
        resolved = tuple(self.verdicts.resolved((*findings.violations, *brought), self.units))
        return FilePlan(
            path, tuple(self.operations), tuple(self.suggestions), (*resolved, *self.losses),
            tuple(self.listeners), tuple(dict.fromkeys(self.resources)), tuple(dict.fromkeys(self.questions)),
            tuple(self.units), tuple(self.retyped),
            askable=len({v.key for v in resolved if v.resolution == "needs-human"} & self.askable),
        )  # fmt: skip
