"""Golden cases of the text editor: `editor_cases/*.yaml` hold input, operations and the exact text that must come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifest_support import judged_miss, needs_judge, operation

from shared.domain.editor import apply_operations, prove
from shared.domain.errors import EditRefused
from shared.domain.manifest import Manifest, read_manifest
from shared.domain.model import PatchOperation

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parent / "editor_cases").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def prepared(case: dict[str, Any], eol: str = "\n", mark: str = "") -> tuple[Manifest, list[PatchOperation]]:
    text = mark + case["input"].replace("\n", eol)
    operations = [
        operation(o["op"], o["path"], *([o["value"]] if "value" in o else [])) for o in map(json.loads, case["operations"].splitlines())
    ]
    return read_manifest(case.get("path", "a.yaml"), text.encode()), operations


def run(case: dict[str, Any], eol: str = "\n", mark: str = "") -> str:
    manifest, operations = prepared(case, eol, mark)
    assert manifest.status == "manifest", manifest.reason
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)
    return after.decode()


@pytest.mark.parametrize("case", CASES)
def test_case_gives_exactly_the_text(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(EditRefused) as refusal:
            run(case)
        assert case["refused"] == str(refusal.value)
        assert refusal.value.operation == 0
    else:
        assert case["expected"] == run(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.values[0].get("expected") and "\n" in c.values[0]["input"]])
def test_case_with_crlf_and_byte_order_mark_keeps_both(case: dict[str, Any]) -> None:
    assert "\ufeff" + case["expected"].replace("\n", "\r\n") == run(case, "\r\n", "\ufeff")


@needs_judge
@pytest.mark.parametrize("case", [c for c in CASES if "expected" in c.values[0]])
def test_case_is_text_preserving_for_the_judge(case: dict[str, Any]) -> None:
    manifest, operations = prepared(case)

    assert judged_miss(manifest, operations, case["expected"].encode()) is None
