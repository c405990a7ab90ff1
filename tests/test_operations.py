"""docs/operations.md: its queries ask for lines, fields, spans and metrics that the code has; its tables leave none of them out."""

from __future__ import annotations

import ast
import json
import re
from functools import cache

import pytest
from bicep_support import ROOT
from test_monitoring_queries import TABLES, alerts, compared, logged
from test_security import functions_of

from shared.telemetry import METRICS

PAGE = (ROOT / "docs/operations.md").read_text()
QUERIES = {
    f"{heading} {n}": " ".join(query.split())
    for heading, text in re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE)
    for n, query in enumerate(re.findall(r"(?s)```kql\n(.*?)```", text))
}
COLUMNS = {"customDimensions", "operation_Id", "operation_ParentId"}


@cache
def measured() -> tuple[frozenset[str], frozenset[str]]:
    """(names of spans, names of their attributes) in the code; a name that is made there ends with its fixed part."""
    names, attributes = set[str](), set[str]()
    for file in (ROOT / "shared/pipeline").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("span", "of_run"):
                texts = [arg for arg in node.args if isinstance(arg, ast.Constant | ast.JoinedStr)]
                names |= {str(t.value) if isinstance(t, ast.Constant) else str(t.values[0].value) for t in texts}  # type: ignore[attr-defined]
            if node.func.attr in ("span", "set"):
                attributes |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return frozenset(names), frozenset(attributes - {"kind", "parent", "links"})


def test_there_is_a_query_for_whatever_may_go_wrong() -> None:
    assert len(QUERIES) > 15


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_tables_that_exist(name: str) -> None:
    asked = QUERIES[name].partition("|")[0].removeprefix("union ").split(",")
    assert {table.strip() for table in asked} <= {*TABLES, "Usage"}


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if query.startswith("traces")])
def test_lines_and_fields_are_ones_that_the_code_logs(name: str) -> None:
    texts, fields = logged()
    asked = set(re.findall(r"\bline\.(\w+)", QUERIES[name]))
    assert asked
    assert asked <= fields | {"traceId"}
    assert compared(QUERIES[name]) <= texts


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if query.startswith("customMetrics")])
def test_metrics_are_ones_that_the_code_measures(name: str) -> None:
    known = {metric.name: set(metric.attributes) for metric in METRICS}
    asked = re.findall(r'"(aks_copilot[^"]+)"', QUERIES[name])
    assert asked
    assert set(re.findall(r"customDimensions\.(\w+)", QUERIES[name])) <= set().union(*(known[metric] for metric in asked))


@pytest.mark.parametrize("name", [name for name, query in QUERIES.items() if query.startswith(("requests", "dependencies", "union"))])
def test_spans_and_functions_are_those_of_the_app(name: str) -> None:
    spans, attributes = measured()
    functions = {match for file in (ROOT / "functions").glob("*.py") for match in re.findall(r'function_name\("(\w+)"\)', file.read_text())}
    assert set(re.findall(r"customDimensions\.(\w+)", QUERIES[name])) <= attributes
    lists = re.findall(r'\bname (?:in \(([^)]*)\)|== ("[^"]*"))', QUERIES[name])
    assert {text for pair in lists for one in pair for text in re.findall(r'"([^"]+)"', one)} <= spans | functions


def test_every_metric_and_every_span_is_told() -> None:
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
    metrics = {row[0]: row for row in rows if row[0].startswith("aks_copilot.")}
    assert set(metrics) == {metric.name for metric in METRICS}
    assert [
        m.name for m in METRICS if metrics[m.name][3] != m.description or set(re.findall(r"\w+", metrics[m.name][2])) != set(m.attributes)
    ] == []
    told = {name.strip("` ") for row in rows if row[1] in ("requests", "dependencies") for name in row[0].split(",")}
    assert {re.sub(r"<\w+>", "", name) for name in told} == measured()[0]


def test_every_alert_has_a_place_on_the_page() -> None:
    named = set(re.findall(r"Alerts? `([\w-]+)`|\(alert `([\w-]+)`\)", PAGE))
    assert {name for pair in named for name in pair if name} == {*alerts(), "undelivered", "dropped"}


def test_the_host_writes_requests_and_lines_and_keeps_them_all() -> None:
    """With telemetryMode its requests for queues would be gone; without it the app must not send lines itself."""
    host = json.loads((ROOT / "host.json").read_text())
    assert "telemetryMode" not in host
    assert {"Request", "Trace"} <= set(host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";"))
    assert '"OTEL_LOGS_EXPORTER": "none"' in (ROOT / "shared/adapters/telemetry.py").read_text()
    assert "test_a_run_arrives_as_one_tree_and_nothing_else_does" in functions_of("test_telemetry_host.py")
