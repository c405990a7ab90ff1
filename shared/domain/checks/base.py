"""What a check is: a function that finds places in one object, with a closed model of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from shared.domain.facts import Facts
from shared.domain.manifest import KUSTOMIZATION_NAMES
from shared.domain.rulebook import Closed


class Wording(str):
    """A field in the program's own words, out of one of its tables: messages show it whole, where they cut what manifests say."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule fires. `fields` fill the braces of the rule's message and question; `path` may be absent yet."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A named mechanism. `find` gets the object, the validated parameters and the facts of the run."""

    params: type[Closed]
    find: Callable[[Mapping[str, Any], Any, Facts], Iterator[Found]]
    needs_whole: bool = False
    """True where it looks for what is missing: a fragment (a kustomize patch) leaves out what its base has."""
    keys: Callable[[Any], tuple[frozenset[str], ...]] | None = None
    """Sets of keys, by the parameters: it finds nothing in an object that has not, anywhere, all keys of one set. None: it may."""


CHECKS: dict[str, Check] = {}


def check(
    name: str, params: type[Closed], *, needs_whole: bool = False, keys: Callable[[Any], tuple[frozenset[str], ...]] | None = None
) -> Callable[[Callable[..., Iterator[Found]]], Callable[..., Iterator[Found]]]:
    """Register a function as the check of this name."""

    def register(function: Callable[..., Iterator[Found]]) -> Callable[..., Iterator[Found]]:
        CHECKS[name] = Check(params, function, needs_whole, keys)
        return function

    return register


def patching(facts: Facts) -> bool:
    """Whether the object is a patch of a kustomization: what it leaves out may stand in its base."""
    asking = facts.asking
    return asking is not None and (asking in facts.patch_files or PurePosixPath(asking).name in KUSTOMIZATION_NAMES)


def opaque(value: object) -> bool:
    """Whether a value is filled in later (Flux `${VAR}`, k3s `%{VAR}%`, OpenShift `${{VAR}}`) and says nothing now."""
    return isinstance(value, str) and ("${" in value or "%{" in value)
