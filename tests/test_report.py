"""Report files: the contract of DESIGN 5, the golden page, SARIF against its schema, and nothing secret in any of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import report_values as values

from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome
from shared.domain.report import github_annotations, masked_diff, render_all, report_json, sarif_log, summary
from shared.domain.report.changes import Change, parse_changes
from shared.domain.report.resources import azure_resources

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return render_all(values.setup(), values.outcomes(), values.diffs(), Inventory())


@pytest.mark.parametrize("name", ["report.md", "resources.md", "patch.json", "changes.diff", "report.json"])
def test_report_files_are_the_golden_ones(files: dict[str, bytes], name: str) -> None:
    """Set AKS_UPDATE_GOLDEN=1 to write them anew, then read the difference."""
    path = GOLDEN / name
    if os.environ.get("AKS_UPDATE_GOLDEN"):
        path.write_bytes(files[name])
    assert files[name].decode() == path.read_text(encoding="utf-8")


def test_report_json_has_the_form_of_the_contract() -> None:
    report = report_json(values.setup(), values.outcomes())
    assert list(report) == ["schemaVersion", "runId", "source", "target", "files", "summary"]
    assert [f["path"] for f in report["files"]] == sorted(f["path"] for f in report["files"])
    assert {tuple(f) for f in report["files"]} == {("path", "status", "reason", "violations", "operations", "suggestions")}
    assert report["summary"] == {
        "files": 6, "documents": 3, "violations": 4, "fixed": 1, "suggested": 1, "needsHuman": 1, "refused": 1,
    }  # fmt: skip


def test_no_value_of_a_secret_is_in_any_report_file(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        assert values.PASSWORD.encode() not in data, name
        assert b"Y29ycmVjdA==" not in data, name
    operations = json.loads(files["patch.json"])["secret.yaml"]
    assert operations[0]["value"]["data"] == {"p": "***"}
    assert operations[1]["value"] == "***"
    assert operations[2]["value"] == [{"name": "DB_PASSWORD", "value": "***"}, {"name": "A", "value": "b"}]


def test_data_of_a_config_map_is_shown_and_that_of_anything_else_is_not() -> None:
    outcome = next(o for o in values.outcomes() if o.path == "secret.yaml")
    operation = replace(outcome.operations[1], path="/0/data/host", value="db")
    shown = replace(outcome, operations=(operation,))
    assert report_json(values.setup(), [shown])["files"][0]["operations"][0]["value"] == "***"
    found = values.violation("TST0501", resource=replace(values.violation("X").resource, kind="ConfigMap"))  # type: ignore[type-var]
    told = replace(shown, violations=(found,))
    assert report_json(values.setup(), [told])["files"][0]["operations"][0]["value"] == "db"


def test_report_names_that_are_no_utf8_are_still_json() -> None:
    outcome = FileOutcome("caf\udce9.yaml", "skipped", "not a manifest")
    rendered = render_all(values.setup(), [outcome], {}, Inventory())
    assert json.loads(rendered["report.json"])["files"][0]["path"] == "caf\udce9.yaml"
    assert b"caf%E9.yaml" in json.dumps(sarif_log(values.setup(), [replace(outcome, status="refused")], {})).encode()


def test_summary_of_nothing_is_all_zero() -> None:
    assert set(summary([]).values()) == {0}
    assert b"no Kubernetes manifest found" in render_all(values.setup(), [], {}, Inventory())["report.md"]


def test_sarif_is_valid(files: dict[str, bytes]) -> None:
    schema = json.loads(SCHEMA.read_text())
    log = json.loads(files["report.sarif"])
    jsonschema.Draft4Validator(schema).validate(log)
    jsonschema.Draft4Validator(schema).validate(sarif_log(values.setup(), [], {}))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate(log | {"version": "2.0.0"})


def test_sarif_says_level_place_rule_and_suppression(files: dict[str, bytes]) -> None:
    run = json.loads(files["report.sarif"])["runs"][0]
    rules = {r["id"]: r for r in run["tool"]["driver"]["rules"]}
    results = {r["ruleId"]: r for r in run["results"]}
    assert rules["TST0101"]["helpUri"] == values.STORAGE_DOC
    assert "helpUri" not in rules["TST0301"]
    assert [results[i]["level"] for i in ("TST0101", "TST0201", "TST0401")] == ["error", "warning", "note"]
    assert results["TST0101"]["locations"][0]["physicalLocation"]["region"] == {"startLine": 7, "startColumn": 3}
    assert results["TST0401"]["suppressions"][0]["justification"] == "Does no harm on AKS."
    assert "suppressions" not in results["TST0101"]
    told = [n["level"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert told == ["error", "warning"]


def test_sarif_fix_applied_to_the_original_gives_the_patched_file(files: dict[str, bytes]) -> None:
    results = {r["ruleId"]: r for r in json.loads(files["report.sarif"])["runs"][0]["results"]}
    replacement = results["TST0101"]["fixes"][0]["artifactChanges"][0]["replacements"][0]
    region = replacement["deletedRegion"]
    lines = values.CLAIM_BEFORE.decode().splitlines(keepends=True)
    lines[region["startLine"] - 1 : region["endLine"] - 1] = [replacement["insertedContent"]["text"]]
    assert "".join(lines).encode() == values.CLAIM_AFTER
    assert "fixes" not in results["TST0201"]


def test_sarif_fingerprints_survive_a_shift_of_lines_and_tell_twins_apart() -> None:
    def prints(shift: int) -> list[str]:
        twins = tuple(values.violation("TST0101", line=7 + shift + n) for n in (0, 5))
        log = sarif_log(values.setup(), [FileOutcome("a.yaml", "unchanged", None, 1, twins)], {})
        return [r["partialFingerprints"]["aksCopilotFinding/v1"] for r in log["runs"][0]["results"]]

    assert prints(0) == prints(40)
    assert len(set(prints(0))) == 2


def test_github_annotations_are_escaped_and_only_for_what_is_left() -> None:
    lines = github_annotations(values.outcomes())
    assert lines[0] == "::error file=bad%2C name.yaml,title=failed::internal error: KeyError at x.py:1"
    assert any(line.startswith("::warning file=web.yaml,line=12,col=11,title=TST0201::Image") for line in lines)
    assert not any("TST0101" in line or "TST0401" in line for line in lines)
    odd = FileOutcome("a:b.yaml", "unchanged", None, 1, (values.violation("TST0101", message="100%\nsure: yes, really"),))
    assert github_annotations([odd]) == ["::error file=a%3Ab.yaml,line=7,col=3,title=TST0101::100%25%0Asure: yes, really"]


def test_azure_resources_come_once_and_in_the_order_to_make_them() -> None:
    found = azure_resources(values.outcomes())
    assert [(r.kind, paths) for r, paths in found] == [
        ("Container registry", ["deploy/claim.yaml", "web.yaml"]),
        ("Role assignment", ["web.yaml"]),
    ]


def test_text_of_a_manifest_is_no_markup_in_the_report() -> None:
    evil = values.violation("TST0101", message="<script>alert(1)</script> [x](http://evil) | `a`\n# heading")
    page = render_all(values.setup(), [FileOutcome("a_b*.yaml", "unchanged", None, 1, (evil,))], {}, Inventory())["report.md"].decode()
    assert "\\<script\\>" in page
    assert "\\[x\\](http://evil)" in page
    assert "\n# heading" not in page
    assert "a\\_b\\*.yaml:7" in page


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", [Change(2, 1, "B\n", exact=True)]),
        ("a\nb\nc\n", "a\nb\nx\nc\n", [Change(3, 0, "x\n", exact=True)]),
        ("a\nb\nc\n", "b\nc\n", [Change(1, 1, "", exact=True)]),
        ("a\nb", "a\nB", [Change(2, 1, "B\n", exact=False)]),
        ("", "a\n", [Change(1, 0, "a\n", exact=True)]),
    ],
)
def test_changes_of_a_diff(before: str, after: str, changes: list[Change]) -> None:
    assert parse_changes(masked_diff("x", before.encode(), after.encode())) == changes


def test_changes_far_apart_are_found_at_their_lines() -> None:
    lines = [f"{n}\n" for n in range(1, 101)]
    other = [*lines[:9], "ten\n", *lines[10:89], *lines[90:]]
    found = parse_changes(masked_diff("x", "".join(lines).encode(), "".join(other).encode()))
    assert found == [Change(10, 1, "ten\n", exact=True), Change(90, 1, "", exact=True)]
