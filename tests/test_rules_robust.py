"""No damaged object breaks a rule: whatever stands at a place, checks find or do not, fixes propose or say why not."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from shared.domain.convert.base import CannotConvert, Conversion
from shared.domain.facts import Facts
from shared.domain.inspector import firing
from shared.domain.intake import plan_run
from shared.domain.proposals import conversion_of
from shared.domain.rulebook import Rule, built_in
from shared.domain.run import RunOptions, SourceFile

JUNK = (None, "", "x", 7, True, [], [None], ["x"], [7], [{}], {}, {"x": None})


STRICT = "podSecurity: restricted, safeguards: enforce, allowedImages: '^acme/'"

OF_THE_RUN = {"AKS0344", "AKS0751", "AKS0754"}
"""Rules that fire by what other objects of the run say."""


def facts(rule: Rule, target: str = "safeguards: warn") -> Facts:
    """The facts of a run that holds the rule's examples, on the flavour of AKS that the rule is about; `target` are keys of a mapping."""
    mode = rule.policy.only_on if rule.policy and rule.policy.only_on else "standard"
    files = [SourceFile(f"{n}.yaml", (e.bad or "").encode()) for n, e in enumerate(rule.examples)]
    if rule.id in OF_THE_RUN:
        files += [SourceFile(f"{n}-{path}", text.encode()) for n, e in enumerate(rule.examples) for path, text in e.files.items()]
    return Facts(plan_run(files, RunOptions("test", "okd", f"{{mode: {mode}, {target}}}")))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every place below a value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def damaged(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with junk at each place in turn, and with each place missing; apiVersion and kind stay readable."""
    for container, key in places(document):
        if container is document and key in ("apiVersion", "kind"):
            continue
        kept = container[key]
        for junk in JUNK:
            container[key] = junk
            yield copy.deepcopy(document)
        container[key] = kept


@pytest.mark.parametrize("rule", [r for r in built_in() if any(e.bad for e in r.examples)], ids=lambda r: r.id)
def test_no_damaged_example_breaks_any_rule(rule: Rule) -> None:
    assert tried(rule, facts(rule))


@pytest.mark.parametrize("rule", [r for r in built_in() if r.policy and not r.policy.alone], ids=lambda r: r.id)
def test_no_damaged_example_breaks_a_policy_where_all_are_enforced(rule: Rule) -> None:
    assert tried(rule, facts(rule, STRICT))


def tried(rule: Rule, known: Facts) -> int:
    """How often rules fired on the rule's examples with one place damaged at a time."""
    fired = 0
    documents = [d for e in rule.examples if e.bad for d in yaml.safe_load_all(e.bad)]
    for document in (d for whole in documents for d in damaged(whole)):
        for other, found in firing(document, known):
            fired += 1
            with contextlib.suppress(CannotConvert):
                assert isinstance(conversion_of(other, found, document, known), Conversion | None)
    return fired
