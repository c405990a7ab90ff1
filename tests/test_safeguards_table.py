"""The rules and the dated table of AKS's policy set say the same: neither can change without the other."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from shared.domain.policy import EXCLUDED
from shared.domain.rulebook import built_in, by_id

ROOT = Path(__file__).parents[1]
TABLE = yaml.safe_load((ROOT / "shared" / "policies" / "aks-safeguards-3.0.0.yaml").read_text(encoding="utf-8"))
GUIDE = ROOT.parent / "shared" / "guide" / "peers.md"


def rules_by_safeguard() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for rule in built_in():
        for name in rule.policy.safeguards if rule.policy else ():
            found[name].append(rule.id)
    return found


def test_the_table_has_every_policy_once_with_its_version_and_kinds() -> None:
    assert [p["number"] for p in TABLE["policies"]] == list(range(1, 28))
    assert len({p["file"] for p in TABLE["policies"]}) == 27
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-preview)?", p["version"]) and p["kinds"] for p in TABLE["policies"])
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", TABLE["read"])
    assert set(TABLE["excludedNamespaces"]) <= EXCLUDED


@pytest.mark.parametrize("policy", TABLE["policies"], ids=lambda p: p["file"])
def test_each_policy_names_the_rules_that_stand_for_it_or_why_there_is_none(policy: dict) -> None:
    assert policy["rules"] == rules_by_safeguard().get(policy["file"], [])
    assert bool(policy["rules"]) is not bool(policy.get("none")), "rules, or the reason why there is none"


def test_no_rule_stands_for_a_policy_that_is_not_in_the_table() -> None:
    assert set(rules_by_safeguard()) <= {p["file"] for p in TABLE["policies"]}


@pytest.mark.parametrize("policy", TABLE["policies"], ids=lambda p: p["file"])
def test_each_rule_looks_at_the_kinds_that_the_policy_matches(policy: dict) -> None:
    groups = {"Pod": "v1", "Node": "v1", "Service": "v1", "ReplicationController": "v1", "StorageClass": "storage.k8s.io/v1"}
    looked_at = {k for r in policy["rules"] for k in policy["kinds"] if by_id()[r].applies_to(groups.get(k, "apps/v1"), k)}
    assert looked_at == set(policy["kinds"] if policy["rules"] else ())


def test_the_table_is_that_of_the_guide() -> None:
    if not GUIDE.is_file():
        pytest.skip("../shared/guide is not here")
    rows = re.findall(r"^\| (\d+) \| (\w+) \(([\w.-]+)\) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(str(p["number"]), p["file"], p["version"]) for p in TABLE["policies"]] == rows


def test_every_control_of_the_pod_security_standards_has_a_rule() -> None:
    controls = {r.policy.control for r in built_in() if r.policy and r.policy.control}
    assert controls == {
        "hostNamespaces", "privileged", "capabilities_baseline", "hostPathVolumes", "hostPorts", "appArmorProfile", "seLinuxOptions",
        "procMount", "seccompProfile_baseline", "sysctls", "windowsHostProcess", "hostProbesAndHostLifecycle", "restrictedVolumes",
        "allowPrivilegeEscalation", "runAsNonRoot", "runAsUser", "seccompProfile_restricted", "capabilities_restricted",
    }  # fmt: skip


def test_what_microsoft_says_differently_is_dated() -> None:
    differing = {"AKS0806", "AKS1001", "AKS1005", "AKS1007", "AKS1015", "AKS1030", "AKS1031", "AKS1037"}
    noted = {r.id for r in built_in() if r.policy and r.policy.notes}
    assert differing <= noted
