"""The black-box judge of `aks-copilot fix`, run over the corpus of real manifests where both are present."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("AKS_CORPUS", Path(__file__).parents[2] / "shared" / "corpus")).parent
JUDGE = SHARED / "checks" / "check_fix.py"


@pytest.mark.skipif(not JUDGE.is_file(), reason=f"the judge and the corpus are not at {SHARED}")
@pytest.mark.parametrize("folder", ["k3s", "okd", "other"])
def test_no_miss_on_real_repositories(folder: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m shared.cli"
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(JUDGE), str(SHARED / "corpus" / folder), "--cmd", command, "--json", str(result)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert set(json.loads(result.read_text())["misses"].values()) == {0}
