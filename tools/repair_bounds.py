"""What no change of a model may do, checked without the boundary's code: on the bytes before and after, and the operations that were taken.

For `make test-llm`, where a real model answers: places come from the rules' findings, all else from what is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from repair_judge import VERSION, at, changed, documents, foreign_lines, objects

from shared.domain.inspector import inspect
from shared.domain.model import PatchOperation, Violation
from shared.domain.paths import expand
from shared.domain.rulebook import by_id
from shared.domain.run import RunSetup, SourceFile
from shared.domain.schema import valid

UNTOUCHED = (
    "Secret",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "NetworkPolicy",
    "Namespace",
    "StorageClass",
)
NEVER = (
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "selector",
    "matchLabels",
    "labels",
    "serviceAccountName",
    "volumes",
    "hostPath",
    "secretName",
)
OPEN = ("privileged", "allowPrivilegeEscalation", "hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken")


def trespasses(before: SourceFile, after: bytes, operations: Sequence[PatchOperation], setup: RunSetup) -> list[str]:
    """Every sentence on what a model's operations did to a file and may not have; [] is the only good answer."""
    found = inspect(before, setup).violations
    said = [f"{o.rule_id} may not change {o.path}" for o in operations if not _in_place(o, found, before)]
    said += [f"{o.path} is called {o.disposition} of {o.origin}" for o in operations if (o.origin, o.disposition) != ("llm", "unsafe")]
    old, new = documents(before.path, before.data), documents(before.path, after)
    if len(old) != len(new):
        return [*said, "the number of documents changed"]
    pointers = []
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        places = changed(one, other)
        pointers += places
        said += [f"document {number}: {p} changed and no operation says so" for p in places if not _said(p, operations)]
        said += [f"document {number}: {text}" for text in _of_document(one, other, places)]
    return said + [f"another line changed: {line[:80]}" for line in foreign_lines(before.data, after, pointers)]


def _in_place(operation: PatchOperation, found: Sequence[Violation], file: SourceFile) -> bool:
    """Whether an operation lies at a finding of its rule, or where the rule's `repair.paths` lead in the finding's object."""
    number, _, rest = operation.path[1:].partition("/")
    rule = by_id()[operation.rule_id]
    patterns = rule.repair.paths if rule.repair else ()
    for violation in found:
        if (violation.rule_id, violation.document) != (operation.rule_id, int(number)):
            continue
        places = {violation.path, *_led(patterns, file, violation)}
        if any(f"/{rest}" == p or f"/{rest}".startswith(f"{p}/") for p in places):
            return True
    return False


def _led(patterns: Sequence[str], file: SourceFile, violation: Violation) -> Iterator[str]:
    for document in documents(file.path, file.data):
        for base, obj in _located(document):
            if isinstance(obj.get("metadata"), dict) and violation.path.startswith(base):
                yield from (base + p for pattern in patterns for p in expand(obj, pattern))


def _located(document: Any, base: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(document, dict):
        yield base, document
        for i, item in enumerate(document["items"] if isinstance(document.get("items"), list) else ()):
            yield from _located(item, f"{base}/items/{i}")


def _said(pointer: str, operations: Sequence[PatchOperation]) -> bool:
    """An operation's place, what is below it, or a container that it left empty."""
    places = ["/" + o.path[1:].partition("/")[2] for o in operations]
    return any(pointer == p or pointer.startswith(f"{p}/") or p.startswith(f"{pointer}/") for p in places)


def _of_document(old: Any, new: Any, pointers: Sequence[str]) -> Iterator[str]:
    for pointer in pointers:
        tokens = pointer.split("/")[1:]
        if set(tokens) & set(NEVER):
            yield f"{pointer} is never a model's"
        if tokens[-1] in OPEN and at(new, pointer) is True:
            yield f"{pointer} opens the pod"
    for one, other in zip(objects(old), objects(new), strict=True):
        if one != other and (one.get("kind") in UNTOUCHED or one.get("kind") != other.get("kind")):
            yield f"a {one.get('kind')} changed"
        if valid(other, VERSION) is False and valid(one, VERSION) is not False:
            yield f"{other.get('kind')} is invalid"
