"""The families of rules, by the first two digits of their ids: chapters of docs/rules.md, and one commit each in a pull request."""

from __future__ import annotations

from collections.abc import Mapping

FAMILIES: Mapping[str, str] = {
    "00": "General",
    "01": "Storage",
    "02": "Ingress, routes and gateways",
    "03": "OpenShift objects",
    "04": "Removed API versions",
    "05": "Scheduling",
    "06": "Services and load balancers",
    "07": "Images",
    "08": "Pods, security and resources",
    "09": "Operators and custom resources",
    "10": "Deployment Safeguards and Pod Security",
}


def family_of(rule_id: str) -> str:
    """The family of a rule; a team's own rule with an id of another form, or of no known family, is General."""
    found = rule_id[3:5] if rule_id.startswith("AKS") else ""
    return found if found in FAMILIES else "00"
