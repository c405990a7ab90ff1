"""Properties of resources are names that their types have: of others the compiler only warns, and Azure forgets them or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from bicep_support import ROOT, body, created

_READ: dict[str, str] = yaml.safe_load((ROOT / "tests/data/azure_properties.yaml").read_text())
KNOWN = {place: set(names.split()) for place, names in _READ.items()}
UNREAD = ("Microsoft.Network/", "Microsoft.Insights/metricAlerts", "Microsoft.Insights/diagnosticSettings", "Microsoft.Authorization/")
"""Types whose pages were not read; tests/data/azure_properties.yaml says why."""
FEW = {
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.EventGrid/systemTopics",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
}
"""Types with a handful of properties, whose pages were not read to the end."""


def objects(place: str, value: Any) -> Iterator[tuple[str, set[str]]]:
    """(place, names) of an object and of those within it; expressions, loops and lists are left out."""
    if isinstance(value, dict) and not {"operator", "function", "loop_type"} & set(value):
        yield place, set(value)
        for name, inner in value.items():
            yield from objects(f"{place}.{name}", inner)


def unknown(kind: str, properties: Any) -> list[str]:
    """Places and names that the type does not have."""
    return [f"{place}.{name}" for place, names in objects(kind, properties) for name in sorted(names - KNOWN.get(place, names))]


def given() -> list[tuple[str, Any]]:
    return [(resource["type"], body(resource)["properties"]) for _, _, resource in created() if "properties" in body(resource)]


def test_properties_are_ones_that_their_types_have() -> None:
    assert [line for kind, properties in given() for line in unknown(kind, properties)] == []


def test_every_type_is_either_known_or_named_as_unread() -> None:
    assert {kind for kind, _ in given() if not kind.startswith(UNREAD)} - set(KNOWN) == FEW
    assert {place for kind, properties in given() for place, _ in objects(kind, properties)} >= set(KNOWN)


def test_a_name_that_is_misspelt_or_of_another_version_is_found() -> None:
    site = {"siteConfig": {"minTlsVerison": "1.2"}, "functionAppConfig": {"runtime": {"name": "python", "release": "3.12"}}}
    assert unknown("Microsoft.Web/sites", site) == [
        "Microsoft.Web/sites.siteConfig.minTlsVerison",
        "Microsoft.Web/sites.functionAppConfig.runtime.release",
    ]
