"""Scans infra/ with checkov, in an environment of its own that is rebuilt only when its lock file changes.

Fails where a template could not be read, where a check failed, where nothing was checked, or where a check is skipped without a reason.

Usage: python tools/scan_infra.py
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from environments import ROOT

_LOCK = ROOT / "requirements-checkov.lock"
_VENV = ROOT / ".venv-checkov"
_SCANNER = _VENV / "bin" / "checkov"
_NO_REASON = "No comment provided"
"""What checkov writes where a skip says nothing."""
_ENVIRONMENT = {"LOG_LEVEL": "CRITICAL", "BC_SKIP_MAPPING": "TRUE", "PYTHONHASHSEED": "0"}
"""It would ask its maker for guidelines and say at length that it could not; and its results hang on the order of sets."""


def main() -> int:
    """0 where everything passed."""
    _install()
    report = scan(ROOT / "infra")
    found = problems(report)
    for line in found:
        print(line)
    summary, skipped = report["summary"], len(report["results"]["skipped_checks"])
    print(f"checkov: {summary['passed']} passed, {summary['failed']} failed, {skipped} skipped with a reason, in {_count()} templates")
    return min(len(found), 1)


def scan(folder: Path) -> dict[str, Any]:
    """checkov's report on the templates of a folder. Raises CalledProcessError where it did not run."""
    command = [str(_SCANNER), "--directory", str(folder), "--framework", "bicep", "--output", "json", "--soft-fail", "--skip-download"]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, env=os.environ | _ENVIRONMENT)
    return dict(json.loads(ran.stdout))


def problems(report: dict[str, Any]) -> list[str]:
    """One line for each reason to fail."""
    results, summary = report["results"], report["summary"]
    lines = [f"{_place(check)}: {check['check_id']} {check['check_name']}" for check in results["failed_checks"]]
    lines += [
        f"{_place(check)}: {check['check_id']} is skipped without a reason"
        for check in results["skipped_checks"]
        if check["check_result"].get("suppress_comment") in (None, "", _NO_REASON)
    ]
    lines += [f"could not be read: {file}" for file in results["parsing_errors"]]
    if not summary["passed"] or summary["parsing_errors"] != len(results["parsing_errors"]):
        lines.append(f"checkov checked nothing, or not everything: {summary}")
    return lines


def _place(check: dict[str, Any]) -> str:
    return f"infra{check['file_path']}:{check['file_line_range'][0]}"


def _count() -> int:
    return sum(1 for _ in (ROOT / "infra").rglob("*.bicep"))


def _install() -> None:
    stamp, wanted = _VENV / "built-for", hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print(f"building {_VENV.name}", flush=True)
    shutil.rmtree(_VENV, ignore_errors=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(_VENV)], check=True)
    install = ["pip", "install", "--quiet", "--require-hashes", "--python", str(_VENV / "bin" / "python"), "-r", str(_LOCK)]
    subprocess.run([*uv, *install], check=True)
    stamp.write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
