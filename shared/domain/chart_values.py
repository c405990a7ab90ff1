"""The Helm values inside HelmChart, HelmRelease and Argo CD objects: where they lie, what their leaves are called, how to change one.

Values are a tree in the object (`spec.values`, `helmCharts` of a kustomization), a YAML text in a scalar (`spec.valuesContent`), or
single settings with a dotted name (`spec.set`, Argo's `parameters`): guide/aks_facts_source.md 5.1 and 5.6. A text is edited with the
program's own editor, so that the comments in it stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.domain.convert.base import Conversion, Op
from shared.domain.manifest import read_manifest
from shared.domain.paths import expand
from shared.domain.pointer import child, get
from shared.domain.text_edits import edited_text

TREES = ("/spec/values", "/spec/source/helm/valuesObject", "/spec/sources/*/helm/valuesObject", "/helmCharts/*/valuesInline")
TEXTS = ("/spec/valuesContent", "/spec/source/helm/values", "/spec/sources/*/helm/values")
PARAMETERS = ("/spec/source/helm/parameters/*", "/spec/sources/*/helm/parameters/*")
APPLICATION_SET = "/spec/template"
"""An ApplicationSet holds an Application there."""

_DOT = re.compile(r"(?<!\\)\.")


@dataclass(frozen=True, slots=True)
class Root:
    """Values at a pointer of the object. `text`: the scalar there is YAML text. `names`: the dotted name of a single setting."""

    pointer: str
    value: Any
    text: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of a mapping inside values. `path` is the root's pointer and the pointer inside, also where the root is a text.

    `off`: a mapping around it says `enabled: false`, by which charts leave out what the section is about.
    """

    path: str
    names: tuple[str, ...]
    value: Any
    siblings: Mapping[str, Any]
    off: bool = False

    @property
    def name(self) -> str:
        return self.names[-1]


def roots_of(obj: Mapping[str, Any]) -> Iterator[Root]:
    """Every place of an object that holds Helm values; a text that cannot be read has the value None."""
    for base in (APPLICATION_SET, "") if obj.get("kind") == "ApplicationSet" else ("",):
        yield from (Root(p, get(obj, p)) for t in TREES for p in expand(obj, base + t) if isinstance(get(obj, p), dict))
        for path in (p for t in TEXTS for p in expand(obj, base + t)):
            text = get(obj, path)
            if isinstance(text, str) and text.strip():
                yield Root(path, _parsed(text), text=True)
        yield from _settings(obj, base)


def _settings(obj: Mapping[str, Any], base: str) -> Iterator[Root]:
    """`spec.set` of a HelmChart and `parameters` of an Application."""
    given = get(obj, f"{base}/spec/set")
    for name, value in given.items() if isinstance(given, dict) else ():
        yield Root(child(f"{base}/spec/set", name), value, names=tuple(_DOT.split(name)))
    for path in (p for t in PARAMETERS for p in expand(obj, base + t)):
        item = get(obj, path)
        if isinstance(item, dict) and isinstance(item.get("name"), str) and "value" in item:
            yield Root(f"{path}/value", item["value"], names=tuple(_DOT.split(item["name"])))


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    manifest = read_manifest("values.yaml", text.encode("utf-8", "replace"))
    if manifest.status == "refused" or len(manifest.documents) != 1 or not isinstance(manifest.documents[0].value, dict):
        return None
    return manifest.documents[0].value


def leaves(obj: Mapping[str, Any]) -> Iterator[Leaf]:
    """Every entry of every mapping inside the object's values, outer ones first."""
    for root in roots_of(obj):
        if root.names:
            yield Leaf(root.pointer, tuple(n.replace("\\.", ".") for n in root.names), root.value, {})
        else:
            yield from _walk(root.value, root.pointer, ())


def _walk(value: Any, at: str, names: tuple[str, ...], *, off: bool = False) -> Iterator[Leaf]:
    if isinstance(value, dict):
        off = off or value.get("enabled") is False
        for key, inner in value.items():
            yield Leaf(child(at, key), (*names, key), inner, value, off)
            yield from _walk(inner, child(at, key), (*names, key), off=off)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _walk(inner, child(at, i), names, off=off)


def changed(obj: Mapping[str, Any], operations: Sequence[Op]) -> Conversion:
    """Operations at the paths of leaves, all of one root, as operations on the object. Raises CannotConvert where a text resists."""
    root = next(r for r in roots_of(obj) if f"{operations[0].path}/".startswith(f"{r.pointer}/"))
    if not root.text:
        return Conversion(tuple(operations))
    inner = [Op(o.op, "/0" + o.path.removeprefix(root.pointer), o.value) for o in operations]
    return Conversion((Op("replace", root.pointer, edited_text(get(obj, root.pointer), inner, root.pointer)),))
