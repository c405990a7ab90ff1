"""A rule as it holds for one object on one target: its own, graver or milder by the policy that it stands for, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.model import SEVERITIES, Severity
from shared.domain.pointer import get
from shared.domain.policy import EXCLUDED, EXCLUDED_ON_AUTOMATIC, Action, Enforcement, numbers, sentence
from shared.domain.rulebook import Rule
from shared.domain.target import Target


def enforcement_of(target: Target) -> Enforcement:
    """What a target enforces. On AKS Automatic neither level can be lowered, so a file that does is read as what the cluster does."""
    automatic = target.mode == "automatic"
    level = "baseline" if automatic and target.pod_security == "privileged" else target.pod_security
    excluded = (EXCLUDED_ON_AUTOMATIC if automatic else EXCLUDED) | set(target.excluded_namespaces)
    safeguards = "enforce" if automatic else target.safeguards
    return Enforcement(safeguards, level, automatic, numbers(target.kubernetes_version), frozenset(excluded))


def in_force(rule: Rule, obj: Mapping[str, Any], enforcement: Enforcement) -> Rule | None:
    """The rule with the severity and the message that hold; None where the target does not ask for what it stands for."""
    if rule.policy is None:
        return rule
    namespace = get(obj, "/metadata/namespace")
    action = enforcement.action(rule.policy, namespace if isinstance(namespace, str) else None)
    if action is None:
        return rule if rule.policy.alone else None
    return _as(rule, action, enforcement.safeguards != "off")


def _as(rule: Rule, action: Action, answers: bool) -> Rule:  # noqa: FBT001 (private)
    key = (rule.id, action, answers)
    held = _HELD.get(key)
    if held is None or held[0] is not rule:
        assert rule.policy is not None  # noqa: S101 (for the type checker)
        severity = rule.severity if action == "changed" else GRAVITY[action]
        if rule.policy.alone:
            severity = max(severity, rule.severity, key=SEVERITIES.index)
        message = rule.message + sentence(rule.policy, action, safeguards=answers)
        held = _HELD[key] = (rule, rule.model_copy(update={"severity": severity, "message": message}))
    return held[1]


GRAVITY: Mapping[Action, Severity] = {"warned": "warning", "denied": "error"}
"""How grave an action is; what AKS changes by itself is as grave as the rule's file says."""

_HELD: dict[tuple[str, Action, bool], tuple[Rule, Rule]] = {}
"""The variants of each rule, made once."""
