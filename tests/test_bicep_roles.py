"""Who may do what in Azure: one file, the narrowest scopes, every role by its right id, and an adapter that needs it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bicep_support import ROOT, body, created, templates

ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Cognitive Services OpenAI User": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Search Index Data Contributor": "8ebe5a00-799e-43f5-93ac-243d3dce84a7",
    "Search Service Contributor": "7ca78c08-252a-4471-8644-bb5ff32d4ba0",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles (2026-11)."""
NEEDED_BY = {
    "Storage Blob Data Owner": ("shared/adapters/storage.py", ".upload_blob"),
    "Storage Queue Data Contributor": ("shared/adapters/storage.py", "create_queue("),
    "Key Vault Secrets User": ("shared/adapters/secrets.py", "get_secret("),
    "Monitoring Metrics Publisher": ("infra/settings.bicep", "Authorization=AAD"),
    "Cognitive Services OpenAI User": ("shared/adapters/model_key.py", "cognitiveservices.azure.com/.default"),
    "Search Index Data Contributor": ("shared/adapters/knowledge/search.py", "SearchClient"),
    "Search Service Contributor": ("shared/adapters/knowledge/search.py", "SearchIndexClient"),
    "AcrPull": ("infra/container.bicep", "identity: identityId"),
}
"""Role of the app's identity -> what would fail without it."""
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"


def rows(*variables: str) -> list[dict[str, str]]:
    roles = templates()["rbac.bicep"]
    found: list[dict[str, str]] = []
    for variable in variables:
        value: Any = roles.variable(variable)
        found += value if isinstance(value, list) else [value]
    return found


def app_roles() -> list[dict[str, str]]:
    return rows("onStorage", "onVault", "onInsights", "onOpenAi", "onSearch", "onRegistry")


def test_roles_are_assigned_in_one_file_but_for_the_cluster() -> None:
    files = {template.name for template, _, resource in created() if resource["type"] == ASSIGNMENT}
    assert files == {"rbac.bicep", "aks/acr-pull.bicep"}


def test_every_role_has_its_name_its_id_and_a_reason() -> None:
    found = [*rows(*templates()["rbac.bicep"].tree["variables"]), templates()["aks/acr-pull.bicep"].variable("role")]
    assert {row["name"]: row["id"] for row in found} == ROLES
    assert all(len(row["reason"].split()) >= 5 for row in found)


def test_every_id_in_the_file_stands_in_a_row() -> None:
    ids = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", templates()["rbac.bicep"].text)
    assert sorted(ids) == sorted(row["id"] for row in rows(*templates()["rbac.bicep"].tree["variables"]))


@pytest.mark.parametrize("role", [row["name"] for row in app_roles()])
def test_a_role_of_the_app_is_needed_by_something(role: str) -> None:
    file, use = NEEDED_BY[role]
    assert use in (ROOT / file).read_text()


def test_scopes_are_single_resources() -> None:
    template = templates()["rbac.bicep"]
    assignments = {symbol: body(resource) for symbol, resource in template.resources.items() if resource["type"] == ASSIGNMENT}
    assert len(assignments) == 9
    for symbol, assignment in assignments.items():
        assert template.resources[assignment["scope"]]["existing"], symbol
        assert assignment["properties"]["description"] in (
            "${role.name}: ${role.reason}",
            "${ofTopic.name}: ${ofTopic.reason}",
            "${ofOperatorOnVault.name}: ${ofOperatorOnVault.reason}",
        )
    assert template.resources[assignments["topicOnDeadLetters"]["scope"]]["type"].endswith("/containers")


def test_the_program_only_reads_secrets() -> None:
    (vault,) = rows("onVault")
    assert vault["name"] == "Key Vault Secrets User"
    assert {row["name"] for row in app_roles()}.isdisjoint(
        {"Owner", "Contributor", "User Access Administrator", "Key Vault Secrets Officer"}
    )


def test_people_get_roles_only_where_somebody_is_named() -> None:
    template = templates()["rbac.bicep"]
    for symbol in ("operatorOnStorage", "operatorOnVault"):
        condition = template.resources[symbol]["config"]["condition"]
        assert condition == {
            "operator": {
                "type": "not",
                "operands": {"bool_value": {"function": {"type": "empty", "parameters": {"item_to_test": "operatorPrincipalId"}}}},
            }
        }


def test_services_that_are_not_there_get_no_assignment() -> None:
    template = templates()["rbac.bicep"]
    for symbol, name in (("appOnOpenAi", "openAiName"), ("appOnSearch", "searchName"), ("appOnRegistry", "registryName")):
        assert f"= [for role in {symbol.replace('appOn', 'on')}: if (!empty({name}))" in template.text


def test_the_page_names_every_role() -> None:
    page = (ROOT / "docs/azure.md").read_text()
    assert [name for name in ROLES if name not in page] == []
