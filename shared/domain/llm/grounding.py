"""Words that no schema can check must come from somewhere: the rule, a given snippet, the object itself.

A class, a label or an annotation of the model's invention quiets a rule as well as the right one does. So a new word is taken only where
one of the texts given to the model holds it; quantities and the constants of the Kubernetes API need none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from shared.domain.advice import Snippet
from shared.domain.convert.base import Op
from shared.domain.llm.case import Case
from shared.domain.llm.effect import applied, changed
from shared.domain.pointer import MISSING, JsonValue, get, split

_MAPS = frozenset({"annotations", "nodeSelector", "parameters", "limits", "requests"})
_PLAIN = re.compile(r"true|false|\d[\d.]*(?:[kKMGTPE]i?|[munsh%])?")
CONSTANTS = frozenset(
    {"Always", "Block", "Cluster", "ClusterIP", "Delete", "Filesystem", "IfNotPresent", "Immediate", "Local", "Never", "OnDelete",
     "OnFailure", "OrderedReady", "Parallel", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", "Recreate", "Retain",
     "RollingUpdate", "RuntimeDefault", "TCP", "UDP", "WaitForFirstConsumer"}
)  # fmt: skip
"""Values that fields of the Kubernetes API take (API reference, 1.35)."""


def invented(case: Case, operations: Sequence[Op]) -> list[str]:
    """The words in the result that none of the given texts holds."""
    known = " ".join([_own(case), *map(_text, case.snippets)])
    names = _new(case, operations)
    return [f"Neither the rule nor a snippet names `{n[:80]}`: names are never invented." for n in sorted(names) if not _holds(known, n)]


def grounds(case: Case, operations: Sequence[Op]) -> tuple[Snippet, ...]:
    """The snippets that new words of the result come from: with these alone, nothing in it is invented."""
    own = _own(case)
    names = [name for name in _new(case, operations) if not _holds(own, name)]
    return tuple(s for s in case.snippets if any(_holds(_text(s), name) for name in names))


def unasked(case: Case, operations: Sequence[Op]) -> list[str]:
    """Entries of maps that would go or change although the finding names them nowhere: such a map holds what many wrote."""
    places = [path for path, _ in changed(case.obj, applied(case.obj, operations)) if get(case.obj, path) is not MISSING]
    return [f"{path} is not what the finding is about." for path in places if path != case.place and not _meant(case, split(path))]


def _meant(case: Case, tokens: Sequence[str]) -> bool:
    free = _free(tokens)
    if free is None:
        return True
    domain = tokens[free + 1].rpartition("/")[0]
    of_a_vendor = tokens[free] == "nodeSelector" and bool(domain) and not f".{domain}".endswith(".kubernetes.io")
    return of_a_vendor or _holds(case.violation.message, tokens[free + 1])


def _new(case: Case, operations: Sequence[Op]) -> set[str]:
    after = applied(case.obj, operations)
    return {name for path, value in changed(case.obj, after) if value is not MISSING for name in _named(split(path), value)}


def _own(case: Case) -> str:
    """What the rule and the object say."""
    return f"{case.rule.why} {case.rule.advice} {case.violation.message} {json.dumps(case.obj, ensure_ascii=False)}"


def _text(snippet: Snippet) -> str:
    return f"{snippet.title} {snippet.text}"


def _named(tokens: Sequence[str], value: JsonValue) -> Iterator[str]:
    """The words of one changed leaf: its value, and its key in a map that takes any."""
    free = _free(tokens)
    if free is not None:
        yield tokens[free + 1]
    if isinstance(value, str) and value not in CONSTANTS and not _PLAIN.fullmatch(value):
        yield value


def _free(tokens: Sequence[str]) -> int | None:
    """Where a map that takes any key stands among a pointer's tokens."""
    return next((i for i, t in enumerate(tokens[:-1]) if t in _MAPS), None)


def _holds(known: str, name: str) -> bool:
    return name.strip() == name != "" and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", known) is not None
