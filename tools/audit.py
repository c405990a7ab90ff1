"""Asks for known vulnerabilities of every package in requirements-dev.lock (pip-audit, which asks PyPI).

pip-audit calls a package that its database does not know *skipped* and ends well; where the database cannot be reached at all, that is
every package. So its answer is judged here: found is 1; nothing could be asked is 0 with the reason, or 1 where AUDIT_REQUIRED is set, as
it is in the workflow on GitHub.

Usage: python tools/audit.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from environments import ROOT

PIP_AUDIT = "pip-audit==2.10.1"
"""Runs in an environment of its own: it needs thirty packages that nothing else here needs."""


def main() -> int:
    """Ask, judge, print; 0 where nothing is known against any package."""
    run = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit"]
    options = ["--requirement", str(ROOT / "requirements-dev.lock"), "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run([*run, *options, "--format", "json"], capture_output=True, text=True, check=False, timeout=500)
    code, lines = judge(done.stdout, done.stderr, required=bool(os.environ.get("AUDIT_REQUIRED")))
    print("\n".join(lines))
    return code


def judge(answer: str, errors: str, *, required: bool) -> tuple[int, list[str]]:
    """The exit code and what to say, of pip-audit's JSON (empty where it broke off) and its error output."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        last = (errors.strip().splitlines() or ["no answer"])[-1]
        return int(required), [f"audit: nothing was asked, since pip-audit ended with: {last}"]
    found = [_said(p["name"], p["version"], v) for p in packages for v in p.get("vulns", [])]
    unknown = [p["name"] for p in packages if "skip_reason" in p]
    if found:
        return 1, found
    if len(unknown) == len(packages):
        return int(required), [
            f"audit: skipped, since the database of vulnerabilities knows none of {len(packages)} packages: it is out of reach here"
        ]
    if unknown:
        return int(required), [f"audit: not known to the database, so not audited: {', '.join(unknown)}"]
    return 0, [f"audit: nothing is known against {len(packages)} packages"]


def _said(name: str, version: str, vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
    return f"{name} {version}: {vulnerability['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
