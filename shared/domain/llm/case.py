"""One violation made ready for a model: its object, the places that may change, what is asked of a human. Or the reason why none is asked.

What no answer could get through the boundary is not sent at all: a field that is never guessed, an object that no model may touch, a
violation that a rule's own fix already mends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.advice import Snippet
from shared.domain.checks import Found
from shared.domain.convert.base import CannotConvert
from shared.domain.errors import ValidationError
from shared.domain.facts import Facts
from shared.domain.fragments import Sparse, objects_in
from shared.domain.inspector import facts_of, firing, is_fragment, manifest_of
from shared.domain.left_open import Left, left_open
from shared.domain.llm.limits import GUESSES, IDENTITY, NEVER_BELOW, out_of_reach, steers, too_wide, within
from shared.domain.manifest import Document
from shared.domain.model import Question, Violation
from shared.domain.paths import expand
from shared.domain.pointer import JsonValue, get, nearest, split
from shared.domain.proposals import conversion_of
from shared.domain.rulebook import Rule
from shared.domain.run import RunSetup, SourceFile


@dataclass(frozen=True, slots=True)
class Case:
    """What a model is asked about one violation. Pointers in `allowed` are inside `obj`, which stands at `base` of its document.

    With `questions` the answer is a human's: the model drafts it and proposes no operations.
    """

    violation: Violation
    rule: Rule
    obj: Mapping[str, Any]
    base: str
    place: str
    allowed: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    documents: tuple[JsonValue, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What turns a pointer inside the object into one over the file's documents."""
        return f"/{self.violation.document}{self.base}"


def open_case(file: SourceFile, violation: Violation, setup: RunSetup, snippets: Sequence[Snippet] = (), hosts: Sequence[str] = ()) -> Case:
    """The case of a violation of a file as it is now. Raises ValidationError where no model is asked, with the reason."""
    manifest, facts = manifest_of(file), facts_of(setup).seen_from(file.path)
    if violation.resolution == "ignored":
        raise ValidationError("The finding is accepted or harmless: nothing is to be done.")
    if manifest.status != "manifest" or violation.document >= len(manifest.documents):
        raise ValidationError("The file holds no object that could be changed.")
    document = manifest.documents[violation.document]
    if is_fragment(manifest, document, facts):
        raise ValidationError("A patch of a kustomization is left to people: it follows the object that it patches.")
    base, obj, rule, found = _located(file.path, document, violation, facts)
    reason = out_of_reach(obj)
    if reason:
        raise ValidationError(reason)
    questions = tuple(dict.fromkeys(_left(rule, found, obj, facts).questions))
    allowed = () if questions else _allowed(rule, found, obj)
    values = tuple(d.value for d in manifest.documents)
    return Case(violation, rule, obj, base, found.path, allowed, questions, values, tuple(snippets), tuple(hosts))


def askable(rule: Rule, found: Found, obj: Mapping[str, Any], left: Left) -> bool:
    """Whether a model may be asked of what the rules leave open at a place of an object; open_case looks at the file too."""
    if left.resolution != "needs-human" or isinstance(obj, Sparse) or out_of_reach(obj):
        return False
    try:
        return bool(left.questions or _allowed(rule, found, obj))
    except ValidationError:
        return False


def _located(path: str, document: Document, violation: Violation, facts: Facts) -> tuple[str, dict[str, Any], Rule, Found]:
    for base, obj in objects_in(path, document.value, facts):
        if isinstance(obj, Sparse) or get(document.value, base) is not obj:
            continue
        for rule, found in firing(obj, facts):
            if rule.id == violation.rule_id and nearest(document.value, base + found.path) == violation.path:
                return base, obj, rule, found
    raise ValidationError("The rule does not fire at this place of an object of its own.")


def _left(rule: Rule, found: Found, obj: Mapping[str, Any], facts: Facts) -> Left:
    """What the rules leave open at the place. Raises ValidationError where they leave nothing."""
    reason = None
    try:
        if conversion_of(rule, found, obj, facts) is not None:
            raise ValidationError("The rule has a fix of its own.")
    except CannotConvert as cannot:
        reason = cannot
    left = left_open(rule, found, obj, reason, facts)
    if left.resolution != "needs-human":
        raise ValidationError("The finding is decided or harmless: nothing is to be done.")
    if reason is not None and not left.questions:
        raise ValidationError(f"The rule's own fix stops here, and what stops it is for a person: {reason}")
    return left


def _allowed(rule: Rule, found: Found, obj: Mapping[str, Any]) -> tuple[str, ...]:
    """The place of the violation, and those that the rule names for a repair. Raises ValidationError where nothing may change."""
    named = [p for pattern in rule.repair.paths for p in expand(obj, pattern)] if rule.repair else []
    places = tuple(dict.fromkeys(p for p in (found.path, *named) if not too_wide(p) and p not in IDENTITY and not within(p, NEVER_BELOW)))
    if not places:
        raise ValidationError("The finding is about more than a field: what mends it is left to people.")
    known = tuple(p for p in places if not GUESSES.intersection(split(p)))
    if not known:
        field = next(t for t in split(places[0]) if t in GUESSES)
        raise ValidationError(f"What belongs into `{field}` is never guessed by a model.")
    open_places = tuple(p for p in known if p in named or "annotations" not in split(p))
    if all(steers(split(p)) for p in open_places):
        raise ValidationError(
            "What an annotation asked for must come in another way, which is left to people: taking it out would only hide it."
        )
    return open_places
