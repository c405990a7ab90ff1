"""docs/azure.md names what infra/ makes, with its cost, and every parameter; and says that nobody has tried it."""

from __future__ import annotations

import json
import re

from bicep_support import INFRA, ROOT, created, templates

PAGE = (ROOT / "docs/azure.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its header."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_every_resource_type_has_its_row_with_what_drives_its_cost() -> None:
    table = rows("Resources and their cost")
    named = [row[0].strip("`") for row in table]
    assert sorted(named) == sorted({resource["type"] for _, _, resource in created()})
    assert [row for row in table if len(row) != 5 or not all(row)] == []


def test_an_idle_cost_begins_with_a_number_of_dollars() -> None:
    for row in rows("Resources and their cost"):
        for cell in row[3:]:
            assert re.match(r"(under )?\d+|the same", cell), row


def test_the_sums_are_those_of_the_rows() -> None:
    """The lower bounds of what a plain installation has: no Container Apps, registry or search; production with the private network."""
    left_out = ("Microsoft.App/", "Microsoft.ContainerRegistry/", "Microsoft.Search/")
    plain = [row for row in rows("Resources and their cost") if not row[0].strip("`").startswith(left_out)]
    lowest = [sum(int(found[0]) for row in plain if (found := re.match(r"\d+", row[column]))) for column in (3, 4)]
    stated = [int(number) for number in re.search(r"Together about (\d+) to \d+ dollars idle in development, and (\d+) to", PAGE).groups()]  # type: ignore[union-attr]
    assert lowest[0] == stated[0]
    assert abs(lowest[1] - stated[1]) <= 10


def test_every_parameter_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows("Deploy with azd"))))
    assert set(templates()["main.bicep"].parameters) <= explained


def test_the_variables_of_azd_are_named() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    variables = {re.match(r"\$\{([A-Z_]+)", entry["value"])[1] for entry in given.values()}  # type: ignore[index]
    assert [name for name in variables if f"`{name}`" not in PAGE] == []


def test_every_alert_is_explained() -> None:
    explained = {row[0].strip("`") for row in rows("Alerts")}
    alerts = templates()["alerts.bicep"]
    named = {alert["name"] for group in ("logAlerts", "givenUp") for alert in alerts.variable(group)}
    assert named | {"the budget"} == explained
    assert set(alerts.resources) == {"people", "logAlert", "undelivered", "workbook", "budget"}


def test_the_page_claims_no_deployment() -> None:
    assert "**It has never been deployed**" in PAGE
    assert "nothing was looked up on the day or billed" in PAGE
