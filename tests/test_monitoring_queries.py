"""Queries of the workbook and of the alerts in infra/ ask for lines, fields and functions that the code has."""

from __future__ import annotations

import ast
import json
import re
from functools import cache

import pytest
from bicep_support import INFRA, ROOT, body, templates

from shared.telemetry import METRICS

TABLES = {"traces", "requests", "customMetrics", "dependencies", "exceptions"}
"""Of Application Insights; https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete (2026-11)."""


def workbook() -> dict[str, str]:
    """Query by the name of its part."""
    items = json.loads((INFRA / "workbook.json").read_text())["items"]
    return {item["name"]: item["content"]["query"] for item in items if item["type"] == 3}


def alerts() -> dict[str, str]:
    return {alert["name"]: alert["query"] for alert in templates()["alerts.bicep"].variable("logAlerts")}


QUERIES = {f"workbook {name}": query for name, query in workbook().items()} | {f"alert {name}": query for name, query in alerts().items()}


@cache
def logged() -> tuple[frozenset[str], frozenset[str]]:
    """(texts of lines, names of fields) that the code can log."""
    texts, fields = set[str](), {"message", "level", "time", "errorClass", "error", "at", "durationMs"}
    for file in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").glob("*.py")]:
        source = file.read_text()
        if "logs." not in source and file.name != "logs.py":
            continue
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"event", "failure", "timed", "bound"}
            ):
                texts |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
                fields |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return frozenset(texts), frozenset(fields)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_a_table_that_exists(name: str) -> None:
    assert QUERIES[name].split(" ", 1)[0] in TABLES


@pytest.mark.parametrize("name", QUERIES)
def test_lines_and_fields_are_ones_that_the_code_logs(name: str) -> None:
    texts, fields = logged()
    query = QUERIES[name]
    assert set(re.findall(r"\bline\.(\w+)", query)) <= fields
    assert compared(query) <= texts
    assert compared(query) or not re.search(r'\btext (==|in) ["(]', query)


def compared(query: str) -> set[str]:
    """The texts of lines that a query looks for."""
    lists = re.findall(r"\btext in \(([^)]*)\)", query)
    return {*re.findall(r'\btext == "([^"]+)"', query), *(text for one in lists for text in re.findall(r'"([^"]+)"', one))}


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if "customMetrics" in query])
def test_metrics_and_their_attributes_are_ones_that_the_code_measures(name: str) -> None:
    known = {metric.name: metric for metric in METRICS}
    asked = set(re.findall(r'"(aks_copilot\.[a-z._]+)"', QUERIES[name]))
    assert asked
    assert asked <= set(known)
    attributes = {attribute for metric in asked for attribute in known[metric].attributes}
    assert set(re.findall(r"customDimensions\.(\w+)", QUERIES[name])) <= attributes


def test_stages_end_with_the_line_that_the_workbook_looks_for() -> None:
    assert 'logs.timed(f"{stage} finished")' in (ROOT / "shared/pipeline/delivery.py").read_text()
    assert 'text == strcat(stage, " finished")' in workbook()["stages"]


def test_poison_is_seen_by_the_names_of_its_functions() -> None:
    handlers = re.findall(r'function_name\("(\w+)"\)', (ROOT / "functions/poison.py").read_text())
    assert len(handlers) >= 5
    assert all(handler.endswith("_poison") for handler in handlers)
    assert 'name endswith "_poison"' in alerts()["poison"]


def test_alerts_tell_somebody_and_say_what_they_mean() -> None:
    rules = templates()["alerts.bicep"].variable("logAlerts")
    assert all(rule["says"].endswith(".") and rule["severity"] in range(5) for rule in rules)
    told = body(templates()["alerts.bicep"].resources["logAlert"])["properties"]["actions"]["actionGroups"]
    assert told == [{"operator": {"type": "property_accessor", "operands": {"operand_1": "people", "operand_2": "id"}}}]


def test_every_part_of_the_workbook_follows_the_time_that_is_chosen() -> None:
    items = json.loads((INFRA / "workbook.json").read_text())["items"]
    (parameters,) = [item["content"]["parameters"] for item in items if item["type"] == 9]
    assert {parameter["name"] for parameter in parameters} == {"Time", "Run"}
    assert {item["content"]["timeContextFromParameter"] for item in items if item["type"] == 3} == {"Time"}
    assert len({item["name"] for item in items}) == len(items)
