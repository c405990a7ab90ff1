"""resources.md: the Azure resources that the findings call for, in the order in which to make them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.model import FileOutcome
from shared.domain.needs import AzureResource
from shared.domain.report.credentials import redact
from shared.domain.report.data_copy import data_copy
from shared.domain.report.escape import code_block, inline
from shared.domain.run import RunSetup

_ORDER = (
    "resourcegroup", "identity", "network", "subnet", "registry", "keyvault", "secret", "storageaccount", "fileshare", "disk", "publicip",
    "dns", "cluster", "aks", "nodepool", "addon", "extension", "role", "federated",
)  # fmt: skip
"""What must exist before what: words inside a resource's kind; others come last."""


def resources_md(setup: RunSetup, outcomes: Iterable[FileOutcome]) -> str:
    """The page; it says so where nothing is called for."""
    outcomes = list(outcomes)
    wanted, copies = azure_resources(outcomes), data_copy(setup, outcomes)
    lines = [f"# Azure resources for {inline(setup.app)}", ""]
    if not wanted:
        return "\n".join([*lines, "The findings call for no Azure resource beyond the cluster itself.", "", *copies])
    lines += ["Made in this order. Names in capitals are yours to fill in; nothing here was run.", ""]
    for number, (resource, paths) in enumerate(wanted, 1):
        lines += [f"## {number}. {inline(resource.kind)}: {inline(resource.name)}", "", inline(resource.why), ""]
        lines += [f"Called for by {', '.join(inline(p) for p in paths)}.", "", *code_block(redact(resource.command), "sh"), ""]
    return "\n".join([*lines, *copies])


def azure_resources(outcomes: Iterable[FileOutcome]) -> list[tuple[AzureResource, list[str]]]:
    """Each resource once, with the files that call for it, in the order to make them."""
    found: dict[tuple[str, str, str], tuple[AzureResource, list[str]]] = {}
    for outcome in sorted(outcomes, key=lambda o: o.path):
        for resource in outcome.resources:
            _, paths = found.setdefault((resource.kind, resource.name, resource.command), (resource, []))
            if outcome.path not in paths:
                paths.append(outcome.path)
    return sorted(found.values(), key=lambda row: (_rank(row[0].kind), row[0].kind, row[0].name))


def _rank(kind: str) -> int:
    word = "".join(c for c in kind.lower() if c.isalnum())
    return next((n for n, part in enumerate(_ORDER) if part in word), len(_ORDER))
