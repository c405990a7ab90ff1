"""Short cuts against the plain way: answers of rules that are kept for a value, and patterns that are taken apart once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_support import mended

from shared.domain import inspector
from shared.domain.checks import CHECKS, Found
from shared.domain.facts import VIEWS, Facts
from shared.domain.inspector import every_object, facts_of, firing, manifest_of, params_of
from shared.domain.intake import plan_run
from shared.domain.paths import expand
from shared.domain.pointer import MISSING, child, get, split
from shared.domain.rulebook import Rule, built_in
from shared.domain.run import RunOptions, SourceFile
from shared.domain.standing import in_force

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostNetwork: true
  containers:
  - {name: web, image: nginx}
"""

BUDGET = """\
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: a}
spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}
"""


def view(text: str) -> tuple[Facts, dict[str, Any]]:
    """The facts of a run of one file as it asks, and its first object."""
    file = SourceFile("app.yaml", text.encode())
    facts = facts_of(plan_run([file], RunOptions("test", "k3s"))).seen_from(file.path)
    return facts, next(obj for _, obj in every_object(manifest_of(file).documents[0], facts))


def plain(obj: dict[str, Any], facts: Facts) -> list[tuple[str, str, dict[str, str]]]:
    """The rules that fire, with nothing kept."""
    return [(rule.id, found.path, dict(found.fields)) for rule, found in inspector._firing(obj, facts, fragment=False)]


def kept(obj: dict[str, Any], facts: Facts) -> list[tuple[str, str, dict[str, str]]]:
    """The rules that fire, as the stages ask for them."""
    return [(rule.id, found.path, dict(found.fields)) for rule, found in firing(obj, facts)]


@pytest.mark.parametrize("rule", [r for r in built_in() if not r.deprecated][::3], ids=lambda r: r.id)
def test_a_kept_answer_is_the_one_that_a_fresh_look_gives(rule: Rule) -> None:
    for example in rule.examples:
        facts, obj = view(example.bad or example.good or "")
        assert kept(obj, facts) == plain(obj, facts) == kept(json.loads(json.dumps(obj)), facts)
        obj.get("metadata", {}).pop("annotations", None)
        obj.pop("spec", None)
        assert kept(obj, facts) == plain(obj, facts)


def without_short_cut(obj: dict[str, Any], facts: Facts) -> list[tuple[str, str, dict[str, str]]]:
    """The rules that fire, every check asked."""
    rules = facts.knowledge.rulebook.for_kind(obj["apiVersion"], obj["kind"])
    asked = [r for r in rules if in_force(r, obj, facts.enforcement) and {"any", facts.profile.name} & set(r.sources)]
    return [(r.id, f.path, dict(f.fields)) for r in asked for f in CHECKS[r.match.check].find(obj, params_of(r), facts)]


@pytest.mark.parametrize("rule", [r for r in built_in() if CHECKS[r.match.check].keys and not r.deprecated], ids=lambda r: r.id)
def test_a_check_that_is_not_asked_for_want_of_keys_would_find_nothing(rule: Rule) -> None:
    for example in rule.examples:
        facts, obj = view(example.bad or example.good or "")
        found = without_short_cut(obj, facts)
        assert plain(obj, facts) == found
        assert example.bad is None or example.files or example.target or found


def test_a_value_that_differs_only_in_its_type_or_its_order_is_looked_at_anew() -> None:
    facts, obj = view(POD)
    assert any(path == "/spec/hostNetwork" for _, path, _ in kept(obj, facts))
    obj["spec"]["hostNetwork"] = 1
    assert kept(obj, facts) == plain(obj, facts)
    obj["spec"] = dict(reversed(obj["spec"].items()))
    assert kept(obj, facts) == plain(obj, facts)
    assert len(facts.fired) == 3


def test_each_file_has_its_own_answers_and_only_the_last_files_keep_theirs() -> None:
    facts, obj = view(POD)
    firing(obj, facts)
    other = facts.seen_from("other.yaml")
    assert facts.seen_from("app.yaml") is facts
    assert facts.fired
    assert not other.fired
    for number in range(VIEWS):
        facts.seen_from(f"{number}.yaml")
    assert facts.seen_from("app.yaml").fired == {}


def test_a_run_asks_the_rules_once_for_each_form_of_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    plainly = inspector._firing

    def counted(obj: dict[str, Any], facts: Facts, *, fragment: bool) -> Iterator[tuple[Rule, Found]]:
        asked[repr(obj)] += 1
        return plainly(obj, facts, fragment=fragment)

    monkeypatch.setattr(inspector, "_firing", counted)
    others = [POD.replace("web", f"web-{n}") for n in range(20)]
    patched = mended("---\n".join([BUDGET, *others]), source="k3s")
    assert b"policy/v1\n" in (patched.data or b"")
    assert set(asked.values()) == {1}
    assert len(asked) == 20 + 2


KEYS = st.sampled_from(["a", "ab", "a/b", "a~b", "0", "1", "spec"])
VALUES = st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
STEPS = st.lists(KEYS | st.sampled_from(["*", "a*", "s*"]), max_size=4)


def named(value: Any, at: str, steps: list[str]) -> Iterator[str]:
    """What a pattern means, step by step over every place."""
    if not steps:
        yield at
        return
    step, rest = steps[0], steps[1:]
    places = list(value) if isinstance(value, dict) else [str(i) for i in range(len(value))] if isinstance(value, list) else []
    if step.endswith("*"):
        chosen = [p for p in places if step == "*" or (isinstance(value, dict) and p.startswith(step[:-1]))]
    else:
        chosen = [step] if step in places or (isinstance(value, dict) and not rest) else []
    for place in chosen:
        yield from named(get(value, child("", place)), child(at, place), rest)


@given(VALUES, STEPS)
def test_a_pattern_names_what_its_steps_lead_to(value: Any, steps: list[str]) -> None:
    pattern = "".join(child("", step) for step in steps)
    found = expand({"v": value}, "/v" + pattern)
    assert found == list(named({"v": value}, "", ["v", *steps]))
    assert all(get({"v": value}, p) is not MISSING for p in found if split(p)[:-1] and steps[-1:] == ["*"])
