"""The general checks: an object at all, a value, an absent field, a key of a mapping."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from shared.domain.checks.base import Found, check, opaque
from shared.domain.facts import Facts
from shared.domain.paths import container_of, expand, plain_steps
from shared.domain.pointer import MISSING, child, get, parent, split
from shared.domain.rulebook import Closed


class When(Closed):
    """Conditions on the same object: pointer -> globs. The value must match one of `when`'s and none of `unless`'s."""

    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def holds(self, obj: Mapping[str, Any]) -> bool:
        """Whether every condition is met; an absent field matches no glob."""
        return all(_matches(get(obj, pointer), globs) for pointer, globs in self.when.items()) and not any(
            _matches(get(obj, pointer), globs) for pointer, globs in self.unless.items()
        )


class ValueParams(When):
    """`any_of` globs the value must match one of (none: any value), `none_of` those it must not; `ignore_case` holds for both."""

    paths: tuple[str, ...] = Field(min_length=1)
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    ignore_case: bool = False

    def fires_at(self, value: object) -> bool:
        """Whether a value that stands there is one of those that are looked for; what is filled in later is none."""
        if self.any_of and (opaque(value) or not _matches(value, self.any_of, ignore_case=self.ignore_case)):
            return False
        return not _matches(value, self.none_of, ignore_case=self.ignore_case)


class PathParams(When):
    """Where to look."""

    paths: tuple[str, ...] = Field(min_length=1)


def keys_on_the_way(params: Any) -> tuple[frozenset[str], ...]:
    """For each path of parameters with `paths` and `when`: the keys without which nothing can stand there, or the conditions not hold."""
    asked = {token for pointer in params.when for token in split(pointer)}
    return tuple(frozenset(t for t in {*plain_steps(pattern), *asked} if not t.isdigit()) for pattern in params.paths)


class KeyParams(PathParams):
    """`paths` name mappings; `keys` are the globs of the keys that fire; `together` makes one finding of all of an object's keys."""

    keys: tuple[str, ...] = Field(min_length=1)
    none_of: tuple[str, ...] = ()
    together: bool = False

    @model_validator(mode="after")
    def _narrow(self) -> KeyParams:
        if "*" in self.keys:
            raise ValueError("a key glob of `*` fires on everything")
        return self


def _matches(value: object, globs: tuple[str, ...], *, ignore_case: bool = False) -> bool:
    if value is MISSING or isinstance(value, (dict, list)):
        return False
    fold = str.lower if ignore_case else str
    return any(fnmatch.fnmatchcase(fold(text_of(value)), fold(g)) for g in globs)


def text_of(value: object) -> str:
    """A scalar as a user would write it in YAML."""
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)


@check("object", When)
def object_of_kind(obj: Mapping[str, Any], params: When, _: Facts) -> Iterator[Found]:
    """Fires once per object of the rule's kinds, at its kind."""
    if params.holds(obj):
        yield Found("/kind")


@check("value", ValueParams, keys=keys_on_the_way)
def value(obj: Mapping[str, Any], params: ValueParams, _: Facts) -> Iterator[Found]:
    """Fires where a value stands that matches; opaque `${VAR}` values only where no `any_of` is asked for."""
    if not params.holds(obj):
        return
    for pattern in params.paths:
        for path in expand(obj, pattern):
            found = get(obj, path)
            if found is MISSING or not params.fires_at(found):
                continue
            shown = "" if isinstance(found, (dict, list)) else text_of(found)
            yield Found(path, {"value": shown, "field": split(path)[-1], "holder": container_of(obj, path) or "the pod"})


@check("absent", PathParams, needs_whole=True)
def absent(obj: Mapping[str, Any], params: PathParams, _: Facts) -> Iterator[Found]:
    """Fires where the last token of a path is absent and everything before it exists."""
    if params.holds(obj):
        for pattern in params.paths:
            yield from (Found(p, {"field": split(p)[-1]}) for p in expand(obj, pattern) if get(obj, p) is MISSING)


@check("key", KeyParams, keys=keys_on_the_way)
def key(obj: Mapping[str, Any], params: KeyParams, _: Facts) -> Iterator[Found]:
    """Fires at keys of a mapping (annotations, labels, nodeSelector) that match a glob."""
    if not params.holds(obj):
        return
    places = (p for pattern in params.paths for p in expand(obj, pattern) if isinstance(get(obj, p), dict))
    found = [child(place, name) for place in places for name in get(obj, place) if _key_matches(name, params)]
    if params.together and found:
        names = dict.fromkeys(split(p)[-1] for p in found)
        yield Found(parent(found[0]), {"value": ", ".join(names), "field": split(parent(found[0]))[-1]})
    elif not params.together:
        for path in found:
            inner = get(obj, path)
            yield Found(path, {"value": "" if isinstance(inner, (dict, list)) else text_of(inner), "field": split(path)[-1]})


def _key_matches(name: str, params: KeyParams) -> bool:
    return any(fnmatch.fnmatchcase(name, g) for g in params.keys) and not any(fnmatch.fnmatchcase(name, g) for g in params.none_of)
