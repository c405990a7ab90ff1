"""Reports over real repositories: SARIF is valid, and a fix that it offers is the change that `fix` makes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from cli_process import aks_copilot

CORPUS = Path(os.environ.get("AKS_CORPUS") or Path(__file__).parents[1].parent / "shared" / "corpus")
SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json"


def fixed_alone(results: list[dict[str, Any]], report: dict[str, Any]) -> list[dict[str, Any]]:
    """The results with a fix in files of one operation: the fix is then the whole change of the file."""
    single = {f["path"] for f in report["files"] if f["status"] == "patched" and len(f["operations"]) == 1}
    return [r for r in results if "fixes" in r and unquote(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) in single]


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"needs the corpus of real repositories ({CORPUS})")
@pytest.mark.parametrize("repository", ["k3s/wrmilling__k3s-gitops", "okd/migtools__crane"])
def test_sarif_of_a_real_repository_is_valid_and_its_fixes_are_exact(tmp_path: Path, repository: str) -> None:
    done = aks_copilot("fix", CORPUS / repository, "--out", tmp_path / "out", "--report-dir", tmp_path, "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    sarif = json.loads((tmp_path / "report.sarif").read_bytes())
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(sarif)
    report = json.loads(done.stdout)
    results = sarif["runs"][0]["results"]
    assert len(results) == report["summary"]["violations"] > 10
    fixes = fixed_alone(results, report)
    assert fixes
    for result in fixes:
        change = result["fixes"][0]["artifactChanges"][0]
        path = unquote(change["artifactLocation"]["uri"])
        region, inserted = (change["replacements"][0][k] for k in ("deletedRegion", "insertedContent"))
        lines = (CORPUS / repository / path).read_bytes().decode().split("\n")
        before, after = lines[: region["startLine"] - 1], lines[region["endLine"] - 1 :]
        changed = "\n".join(before) + ("\n" if before else "") + inserted["text"] + "\n".join(after)
        assert changed == (tmp_path / "out" / path).read_bytes().decode(), path
