"""Names of things that a manifest cannot check must come from somewhere: the rule, a given snippet, the object itself.

A class, a label or an annotation of the model's invention quiets a rule as well as the right one does, and no schema knows better. So a
changed name is taken only where one of the texts given to the model holds it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from shared.domain.convert.base import Op
from shared.domain.llm.case import Case
from shared.domain.llm.limits import applied, changed
from shared.domain.pointer import MISSING, JsonValue, split

_NAMES = re.compile(r"(?:name|class)$", re.IGNORECASE)
_MAPS = frozenset({"annotations", "nodeSelector", "parameters", "limits", "requests"})
_PLAIN = re.compile(r"true|false|[\d.]+(?:[a-zA-Z]{1,2})?|\d+(?:/\d+)?|", re.IGNORECASE)


def invented(case: Case, operations: Sequence[Op]) -> list[str]:
    """The names in the result that none of the given texts holds."""
    after = applied(case.obj, operations)
    said = f"{case.rule.why} {case.rule.advice} {case.violation.message} {json.dumps(case.obj, ensure_ascii=False)}"
    known = " ".join([said, *(f"{s.title} {s.text}" for s in case.snippets)])
    names = {name for path, value in changed(case.obj, after) if value is not MISSING for name in _named(split(path), value)}
    return [f"Neither the rule nor a snippet names `{n[:80]}`: names are never invented." for n in sorted(names) if not _holds(known, n)]


def _named(tokens: Sequence[str], value: JsonValue) -> Iterator[str]:
    """What of one changed leaf names a thing: a value under a name or class, key and value of a free map."""
    free = next((i for i, t in enumerate(tokens[:-1]) if t in _MAPS), None)
    if free is not None:
        yield tokens[free + 1]
    if isinstance(value, str) and (free is not None or _NAMES.search(tokens[-1])) and not _PLAIN.fullmatch(value):
        yield value


def _holds(known: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", known) is not None
