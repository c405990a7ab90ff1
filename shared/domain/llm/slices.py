"""The smallest part of an object that a model needs to mend one place: its identity, the way to the place, and what stands beside it.

Values go out as JSON, never as the file's text: comments do not leave, and a string cannot end the block that it stands in. Everything on
the way keeps its key or index, so that a pointer into the slice is a pointer into the object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import ValidationError
from shared.domain.pointer import JsonValue, split

ELIDED = "(not shown)"
"""Stands for what the slice leaves out; no answer may write it."""
LIMIT = 12_000
"""Characters of JSON: a few thousand tokens."""
BESIDE = 120
"""Longest neighbour of the place that is shown, in characters of JSON: a list of containers or of variables is not."""
SETTINGS = frozenset({"args", "command", "data", "env"})
"""What programs are started with. No answer may change it and passwords stand in it: around a place, names and plain numbers are shown."""
_PLAIN = re.compile(
    r"(?:-{0,2}[A-Za-z][\w.-]*=)?(?:true|false|\d+(?:\.\d+)?(?:[kKMGTPE]i?|m|s|ms|h|%)?)|-Xm[sx]\d+[kKmMgG]?|--[a-z][a-z-]*"
)


def slice_of(obj: Mapping[str, Any], path: str) -> JsonValue:
    """The slice around a pointer that may be absent yet. Raises ValidationError where even that is over LIMIT characters."""
    meta = obj.get("metadata")
    named = {k: v for k, v in meta.items() if k in ("name", "namespace")} if isinstance(meta, dict) else {}
    identity = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": named}
    shown = _around(dict(obj), split(path))
    whole = {k: shown[k] if split(path)[:1] == (k,) else identity.get(k, ELIDED) for k in obj} if split(path) else identity
    if len(json.dumps(whole)) > LIMIT:
        raise ValidationError("the part of the object that a model would need is too large")
    return whole


def _around(value: Any, tokens: tuple[str, ...]) -> Any:
    """A value with only the way to a place, and there what stands beside it in full."""
    if not tokens:
        return _lean(value)
    if isinstance(value, dict):
        near = len(tokens) == 1
        return {k: _around(v, tokens[1:]) if k == tokens[0] else _aside(k, v, near=near) for k, v in value.items()}
    if isinstance(value, list):
        return [_around(v, tokens[1:]) if str(i) == tokens[0] else _stub(v) for i, v in enumerate(value)]
    return value


def _aside(key: str, value: Any, *, near: bool) -> Any:
    """What stands beside the place is shown where it is short; farther away only names are."""
    value = _lean(value, settings=key in SETTINGS)
    short = near and len(json.dumps(value)) <= BESIDE
    return value if short or (key == "name" and isinstance(value, str)) else ELIDED


def _stub(value: Any) -> Any:
    return {"name": value["name"]} if isinstance(value, dict) and isinstance(value.get("name"), str) else ELIDED


def _lean(value: Any, *, settings: bool = False) -> Any:
    """A value without the texts of what programs are started with."""
    if isinstance(value, dict):
        return {k: _lean(v, settings=k in SETTINGS or (settings and k not in ("name", "valueFrom"))) for k, v in value.items()}
    if isinstance(value, list):
        return [_lean(v, settings=settings) for v in value]
    hidden = settings and isinstance(value, str) and not _PLAIN.fullmatch(value)
    return ELIDED if hidden else value
