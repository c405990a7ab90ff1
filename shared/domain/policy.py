"""Which policy of AKS a rule stands for, and what a target makes of it: nothing, a warning, a change on admission or a denial.

Two families: Deployment Safeguards (the Azure Policy set, a table of which is shared/policies/aks-safeguards-3.0.0.yaml) follow the
target's `safeguards`; the Pod Security Standards follow its `podSecurity`. Sources: learn.microsoft.com/azure/aks/deployment-safeguards
(2026-06-02), kubernetes.io/docs/concepts/security/pod-security-standards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Action = Literal["warned", "changed", "denied"]
Level = Literal["baseline", "restricted"]
RANKS: Mapping[str, int] = {"privileged": 0, "baseline": 1, "restricted": 2}

EXCLUDED = frozenset({"kube-system", "gatekeeper-system", "azure-arc", "aks-istio-system"})
"""Namespaces that no safeguard looks into: the set's `excludedNamespaces`, and the Istio add-on's (AKS changelog 2026-06)."""

EXCLUDED_ON_AUTOMATIC = EXCLUDED | {
    "azappconfig-system", "azureml", "dapr-system", "dataprotection-microsoft", "flux-system", "acstor", "sc-system",
    "azure-extensions-usage-system",
}  # fmt: skip
"""AKS Automatic leaves these out as well (AKS changelog 2025-10-12)."""


class Note(BaseModel):
    """What a source said at a date (YYYY-MM-DD) where the sources differ."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    text: str


class Policy(BaseModel):
    """The `policy` of a rule file.

    `safeguards` are files of the policy set; `control` is a check of k8s.io/pod-security-admission, at `level` and above; `only_on`
    means an admission policy of AKS Automatic. `since` and `until` are versions of Kubernetes. `says` is what AKS answers, word for
    word; it may name the match's fields in braces. `enforced` is what the level Enforce does, `automatic` what AKS Automatic does
    where that differs. `at` names the levels at which the rule speaks. With `alone` the rule holds on every target, at its own
    severity, and the policy can only make it graver.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    safeguards: tuple[str, ...] = ()
    control: str | None = None
    level: Level | None = None
    since: str | None = Field(default=None, pattern=r"^1\.\d+$")
    until: str | None = Field(default=None, pattern=r"^1\.\d+$")
    only_on: Literal["automatic"] | None = None
    says: str | None = None
    enforced: Action = "denied"
    automatic: Action | None = None
    at: tuple[Literal["warn", "enforce"], ...] = ("warn", "enforce")
    alone: bool = False
    notes: tuple[Note, ...] = ()

    @model_validator(mode="after")
    def _names_one(self) -> Policy:
        if not self.safeguards and self.control is None and self.only_on is None:
            raise ValueError("a policy names a safeguard, a control of the Pod Security Standards, or AKS Automatic")
        if (self.control is None) is not (self.level is None):
            raise ValueError("`control` and `level` go together")
        return self


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What a target enforces. AKS Automatic enforces safeguards and at least baseline, whatever else is said (2026-06-02)."""

    safeguards: Literal["off", "warn", "enforce"]
    pod_security: Literal["privileged", "baseline", "restricted"]
    automatic: bool
    version: tuple[int, ...]
    excluded: frozenset[str]

    def action(self, policy: Policy, namespace: str | None) -> Action | None:
        """What happens to an object of this namespace that breaks the policy; None where nothing does."""
        too_old = policy.since is not None and self.version < numbers(policy.since)
        too_new = policy.until is not None and self.version >= numbers(policy.until)
        if namespace in self.excluded or too_old or too_new:
            return None
        if policy.only_on:
            return "denied" if self.automatic else None
        return self._of_safeguard(policy) if policy.level is None else self._of_control(policy.level)

    def _of_control(self, level: Level) -> Action | None:
        if RANKS[self.pod_security] < RANKS[level]:
            return None
        return "denied" if self.safeguards == "enforce" else "warned"

    def _of_safeguard(self, policy: Policy) -> Action | None:
        if self.safeguards not in policy.at:
            return None
        if self.safeguards == "warn":
            return "warned"
        return (policy.automatic if self.automatic else None) or policy.enforced


def numbers(version: str) -> tuple[int, ...]:
    """A version of Kubernetes to compare: `1.9` is older than `1.35`."""
    return tuple(int(part) for part in version.split("."))


def sentence(policy: Policy, action: Action, *, safeguards: bool) -> str:
    """What AKS does and says, to stand behind a rule's message; "" where nobody answers (no safeguards, only the namespace's label)."""
    if not safeguards:
        return ""
    if action == "changed":
        return " AKS changes it by itself." if policy.says else ""
    does = "denies it" if action == "denied" else "warns"
    if policy.says:
        return f' AKS {does}: "{policy.says}".'
    return " AKS denies it." if action == "denied" else ""
