"""A smoke run on every other Python that the program supports and this machine has: `fix` gives the same bytes as here.

Builds an environment per version (again only when requirements have changed), as conformance313 does for 3.13, and runs
both samples through `aks-copilot fix` there. A version that is not installed is named in one line.

Usage: python tools/smoke.py
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from environments import ROOT, build, find_python

VERSIONS = ("3.12", "3.13")


def main() -> int:
    """Compare; 0 when nothing differs."""
    expected = results(Path(sys.executable))
    failed = 0
    for version in VERSIONS:
        python = find_python(version)
        if python is None:
            print(f"smoke: no Python {version} on this machine; not tried there")
            continue
        same = results(build(version, python)) == expected
        failed += not same
        print(f"smoke: Python {version}: {'the same results as here' if same else 'OTHER RESULTS'}", flush=True)
    return min(failed, 1)


def results(python: Path) -> dict[str, str]:
    """Relative path -> hash of everything that `fix` writes for the samples."""
    with tempfile.TemporaryDirectory() as folder:
        for sample in ("k3s-shop", "okd-portal"):
            command = [str(python), "-m", "shared.cli", "fix", str(ROOT / "samples" / sample), "--out", f"{folder}/{sample}"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1):
                return {"failed": done.stderr[-500:]}
        return {
            str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(Path(folder).rglob("*")) if p.is_file()
        }


if __name__ == "__main__":
    sys.exit(main())
