"""A rule's examples are its tests: bad fires, fixed is what the program makes of bad byte for byte, good is silent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import yaml

from shared.domain.decisions import FILE_NAME
from shared.domain.fragments import is_kustomization
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.patcher import patch
from shared.domain.rulebook import Example, Rule, try_rules
from shared.domain.run import RunOptions, RunSetup, SourceFile
from shared.domain.thinker import propose
from shared.domain.usable import problems_of


def check_examples(rule: Rule) -> list[str]:
    """What is wrong with a rule's examples, one line each; [] where every example holds."""
    unusable = problems_of(rule)
    if unusable:
        return unusable
    problems = [f"example {n}: {p}" for n, example in enumerate(rule.examples, 1) for p in _problems(rule, example)]
    if rule.fix and rule.fix.disposition == "safe" and not any(e.fixed is not None for e in rule.examples):
        problems.append("the rule has a safe fix, but no example shows it (`fixed`)")
    if not any(e.good is not None for e in rule.examples):
        problems.append("no example shows where the rule stays silent (`good`)")
    return problems


@contextmanager
def tried(rules: Iterable[Rule]) -> Iterator[None]:
    """Inside the block these rules work beside the built-in ones: a user's files have examples too."""
    _try(rules)
    try:
        yield
    finally:
        _try(())


def _try(rules: Iterable[Rule]) -> None:
    try_rules(rules)


def _problems(rule: Rule, example: Example) -> list[str]:
    file = SourceFile("example.yaml", (example.bad if example.bad is not None else example.good or "").encode())
    setup = _setup(rule, example, file)
    findings = inspect(file, setup)
    fired = [v for v in findings.violations if v.rule_id == rule.id]
    if findings.status != "unchanged" and not is_kustomization(file.path, yaml.safe_load(file.data)):
        return [f"not readable: {findings.reason}"]
    if example.good is not None:
        return [f"fires on `good` at {v.path}" for v in fired]
    if not fired:
        return ["does not fire on `bad`"]
    if example.fixed is None:
        return []
    patched = patch(file, findings, propose(file, findings, setup), setup)
    text = (patched.data or b"").decode()
    if text != example.fixed:
        refused = [v.reason for v in patched.outcome.violations if v.rule_id == rule.id and v.resolution != "fixed"]
        return [f"`fixed` is not what the fix gives{f' ({refused[0]})' if refused else ''}:\n{text}"]
    return []


def _setup(rule: Rule, example: Example, file: SourceFile) -> RunSetup:
    files = [file, *(SourceFile(path, text.encode()) for path, text in example.files.items())]
    if example.decisions is not None:
        files.append(SourceFile(FILE_NAME, example.decisions.encode()))
    source = next((s for s in rule.sources if s != "any"), "generic")
    target = json.dumps(example.target) if example.target else None
    return plan_run(files, RunOptions("example", source, target, apply_unsafe=bool(rule.fix and rule.fix.disposition == "unsafe")))
