"""The substitution of `oc process`: `${NAME}` and `${{NAME}}` in every string of an object, keys included.

Facts: guide/aks_facts_source.md 3.1, from openshift/library-go pkg/template/templateprocessing/template.go. There is no escape, a name that
is no parameter stays as it is (so shell variables survive), and values are not expanded again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from shared.domain.convert.base import CannotConvert
from shared.domain.pointer import JsonValue, child

REFERENCE = re.compile(r"\$\{([a-zA-Z0-9_]+?)\}")
TYPED_REFERENCE = re.compile(r"\$\{\{([a-zA-Z0-9_]+)\}\}")


def substitute(text: str, values: Mapping[str, str]) -> tuple[str, bool]:
    """The text with its references filled in, and whether it is to be read as JSON: only where it was `${{NAME}}` as a whole."""
    typed = TYPED_REFERENCE.fullmatch(text)
    if typed and typed[1] in values:
        return values[typed[1]], True
    out = text
    for match in REFERENCE.finditer(text):
        if match[1] in values:
            out = out.replace(match[0], values[match[1]], 1)
    return out, False


def fill(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    """A copy of a value with every string filled in. Raises CannotConvert where two keys of a mapping become one."""
    if isinstance(value, str):
        text, typed = substitute(value, values)
        return _parsed(text) if typed else text
    if isinstance(value, list):
        return [fill(v, values) for v in value]
    if not isinstance(value, dict):
        return value
    filled = {substitute(k, values)[0]: fill(v, values) for k, v in value.items()}
    if len(filled) != len(value):
        raise CannotConvert("two keys of an object become the same with these parameter values")
    return filled


def _parsed(text: str) -> JsonValue:
    """The JSON value of a text; the text itself where it is none (`oc process` says nothing then)."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def users(value: JsonValue) -> dict[str, list[str]]:
    """Where below a value parameters are used: pointers of strings, and of members whose key names one, by the parameter's name."""
    found: dict[str, list[str]] = {}
    for pointer, text in _texts(value, ""):
        for name in _names(text):
            found.setdefault(name, []).append(pointer)
    return found


def _texts(value: JsonValue, pointer: str) -> Iterator[tuple[str, str]]:
    """(pointer, text) of every string and of every member's key."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _texts(item, child(pointer, i))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield child(pointer, key), key
            yield from _texts(item, child(pointer, key))


def _names(text: str) -> set[str]:
    """The parameters that a text refers to."""
    if "${" not in text:
        return set()
    typed = TYPED_REFERENCE.fullmatch(text)
    return {match[1] for match in REFERENCE.finditer(text)} | ({typed[1]} if typed else set())


def without_namespace(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object as `oc process` takes it: a namespace is left out unless it holds a `${NAME}`."""
    found = obj.get("metadata")
    if not isinstance(found, Mapping) or "namespace" not in found:
        return dict(obj)
    namespace = found["namespace"]
    if isinstance(namespace, str) and REFERENCE.search(namespace):
        return dict(obj)
    return {**obj, "metadata": {k: v for k, v in found.items() if k != "namespace"}}
