"""What tools/scan_infra.py takes for a reason to fail; the scan itself is `make infra`."""

from __future__ import annotations

from typing import Any

import pytest
from scan_infra import problems


def report(passed: int = 3, **results: list[Any]) -> dict[str, Any]:
    """checkov's report; `results` are failed_checks, skipped_checks and parsing_errors."""
    whole: dict[str, list[Any]] = {"failed_checks": [], "skipped_checks": [], "parsing_errors": []} | results
    return {
        "results": whole,
        "summary": {"passed": passed, "failed": len(whole["failed_checks"]), "parsing_errors": len(whole["parsing_errors"])},
    }


def check(reason: str | None = None) -> dict[str, Any]:
    return {
        "check_id": "CKV_AZURE_1",
        "check_name": "Ensure something",
        "file_path": "/vault.bicep",
        "file_line_range": [7, 9],
        "check_result": {"suppress_comment": reason},
    }


def test_a_clean_report_has_no_problem() -> None:
    assert problems(report(skipped_checks=[check("callers have no certificate")])) == []


def test_a_failed_check_is_told_with_its_place() -> None:
    assert problems(report(failed_checks=[check()])) == ["infra/vault.bicep:7: CKV_AZURE_1 Ensure something"]


@pytest.mark.parametrize("reason", [None, "", "No comment provided"])
def test_a_skip_needs_a_reason(reason: str | None) -> None:
    assert problems(report(skipped_checks=[check(reason)])) == ["infra/vault.bicep:7: CKV_AZURE_1 is skipped without a reason"]


def test_a_template_that_was_not_read_is_a_problem() -> None:
    assert problems(report(parsing_errors=["/main.bicep"])) == ["could not be read: /main.bicep"]


def test_a_scan_of_nothing_is_a_problem() -> None:
    (line,) = problems(report(passed=0))
    assert line.startswith("checkov checked nothing, or not everything")
