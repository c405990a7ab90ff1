"""docs/security.md says what is true: its tests exist, and no way into the app, route or role is missing from it."""

from __future__ import annotations

import ast
import json
import re
import runpy

import pytest
from action_support import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def rows(name: str) -> list[list[str]]:
    """Cells of a section's table, without its head."""
    lines = [line for line in section(name).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = TEST.findall(PAGE)
    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if not (ROOT / "tests" / file).is_file() or name not in functions_of(file)] == []


@pytest.mark.parametrize("name", ["Threats", "Identities and their least rights"])
def test_every_row_names_a_test_that_holds_it(name: str) -> None:
    table = rows(name)
    assert len(table) > 3
    assert [row[0] for row in table if len(row) != 3 or not TEST.search(row[2])] == []


def test_every_way_into_the_app_is_among_the_entry_points() -> None:
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    entries = {name for row in rows("Entry points") for name in re.findall(r"`(\w+)`", row[1])}
    assert {function.get_function_name() for function in app.get_functions()} == entries


def test_every_route_is_among_the_entry_points_with_what_it_asks_for() -> None:
    from functions.runs_api import create_app

    routes = {f"{method} {route.path}" for route in create_app().routes for method in getattr(route, "methods", ()) if method != "HEAD"}
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    bindings = [json.loads(function.get_raw_bindings()[0]) for function in app.get_functions()]
    asks = {row[0]: row[2] for row in rows("Entry points")}
    told = {route: who for names, who in asks.items() for route in re.findall(r"`((?:GET|POST) [^`]+)`", names)}
    open_routes = {f"{b['methods'][0]} /{b['route']}" for b in bindings if b["type"] == "httpTrigger" and b["authLevel"] == "ANONYMOUS"}

    assert set(told) == routes | open_routes
    assert {route for route, who in told.items() if who == "everybody"} == open_routes
    assert {who for route, who in told.items() if route in routes} == {"a function key"}


def test_what_needs_no_sign_in_is_what_needs_no_key_and_the_door_of_event_grid() -> None:
    opened = set(re.findall(r"^  '(/[\w/]+)'$", (ROOT / "infra/signin.bicep").read_text(), re.MULTILINE))
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    bindings = [json.loads(function.get_raw_bindings()[0]) for function in app.get_functions()]
    routes = {f"/{b['route']}" for b in bindings if b["type"] == "httpTrigger" and b["authLevel"] == "ANONYMOUS"}
    assert opened == routes | {"/runtime/webhooks/blobs"}


def test_every_role_of_the_templates_has_somebody_who_needs_it() -> None:
    assigned = set(re.findall(r"^ +name: '([A-Z][A-Za-z ]+)'$", (ROOT / "infra/rbac.bicep").read_text(), re.MULTILINE))
    assert len(assigned) > 5
    assert [role for role in assigned if role not in section("Identities and their least rights")] == []


def test_requests_from_outside_are_bounded_before_they_are_read() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    tree = ast.parse((ROOT / "functions/runs_api.py").read_text())
    readers = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and "request.body()" in ast.unparse(node)]

    assert host["extensions"]["http"]["routePrefix"] == ""
    assert len(readers) == 3
    for node in readers:
        text = ast.unparse(node)
        assert -1 < text.find("_check_length(") < text.find("request.body()"), node.name
