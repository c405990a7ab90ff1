"""The proofs of DESIGN 6.2 that need the rules and the schema; the text's own proof is the editor's."""

from __future__ import annotations

from collections import Counter

from shared.domain.errors import ProofFailed
from shared.domain.facts import Facts
from shared.domain.inspector import violations
from shared.domain.manifest import Manifest, resources
from shared.domain.model import Violation
from shared.domain.schema import flaw, valid


def prove_schema(before: Manifest, after: Manifest, version: str) -> None:
    """No object is invalid for the target that was valid before. Raises ProofFailed."""
    invalid = Counter(_identity(o) for _, o in _objects(before) if valid(o, version) is False)
    for _, obj in _objects(after):
        if valid(obj, version) is False:
            if not invalid[_identity(obj)]:
                raise ProofFailed(
                    f"{obj['kind']} would not be valid for Kubernetes {version} at {flaw(obj, version)}"
                    f" (name: {_identity(obj)[1]}); where the file says so already, mend it there first."
                )
            invalid[_identity(obj)] -= 1


def prove_quiet(findings: tuple[Violation, ...], resolved: tuple[Violation, ...], after: Manifest, facts: Facts) -> None:
    """Every rule that was mended is quiet at its place, and no rule fires more often than it did. Raises ProofFailed.

    A rule that only says that nothing is to do may fire on what a fix adds, and so may a policy for which AKS denies nothing.
    """
    fixed = Counter(v.rule_id for v in resolved if v.resolution == "fixed")
    allowed = Counter(v.rule_id for v in findings)
    now = list(violations(after, facts))
    denied = {v.rule_id for v in now if v.severity == "error"}
    rules = {rule.id: rule for rule in facts.knowledge.rulebook.rules}
    for rule, count in Counter(v.rule_id for v in now).items():
        tolerated = rules[rule].harmless or (rules[rule].policy and rule not in denied and not fixed[rule])
        if count > allowed[rule] - fixed[rule] and not tolerated:
            word = "still fires" if fixed[rule] else "would fire"
            raise ProofFailed(f"{rule} ({rules[rule].title}) {word} after the change.")


def _objects(manifest: Manifest) -> list[tuple[str, dict[str, object]]]:
    return [(base, obj) for document in manifest.documents for base, obj in resources(document)]


def _identity(obj: dict[str, object]) -> tuple[str, str | None]:
    """What stays when a conversion changes the kind: the name (and nothing else for certain)."""
    meta = obj.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    return "object", name if isinstance(name, str) else None
