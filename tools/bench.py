"""`make bench`: speed and memory as ratios within one run, so that the machine does not matter.

Each line gives a number, what it is compared with, and the ratio. Nothing here passes or fails.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.manifest import read_manifest
from shared.domain.patcher import patch
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose

ROOT = Path(__file__).parents[1]
TRIES = 5


def main() -> None:
    """Print every comparison."""
    imports()
    reading()
    mending()
    memory()


def line(what: str, value: float, than: str, base: float, unit: str) -> None:
    """One comparison."""
    print(f"{what:<44} {value:10.3f} {unit:<4} = {value / base:6.2f} x {than} ({base:.3f} {unit})")


def median(function: Callable[[], object]) -> float:
    """Seconds of one call, the median of a few."""
    times = []
    for _ in range(TRIES):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def imports() -> None:
    """What a cold worker pays before the first message."""

    def seconds(module: str) -> float:
        return median(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True))

    nothing = seconds("sys")
    line("import function_app", seconds("function_app") - nothing, "import azure.functions", seconds("azure.functions") - nothing, "s")


def workload(documents: int) -> bytes:
    """A file of many Deployments and claims of which every claim needs a fix."""
    text = (ROOT / "tools" / "bench_document.yaml").read_text(encoding="utf-8")
    return "---\n".join(text.replace("NUMBER", str(i)) for i in range(documents)).encode()


def reading() -> None:
    """Reading with places and kubectl's meaning, beside PyYAML's plain loaders."""
    data = workload(100)
    text = data.decode()
    ours = median(lambda: read_manifest("a.yaml", data))
    line("read a file of 200 documents", ours, "yaml.safe_load_all", median(lambda: list(yaml.safe_load_all(text))), "s")
    line("", ours, "yaml.CSafeLoader", median(lambda: list(yaml.load_all(text, Loader=yaml.CSafeLoader))), "s")


def fix_all(files: list[SourceFile]) -> None:
    """The four steps of a run over files."""
    setup = plan_run(files, RunOptions("bench"))
    for file in files:
        findings = inspect(file, setup)
        patch(file, findings, propose(file, findings, setup), setup)


def mending() -> None:
    """How the whole way grows with the number of files: 1.0 is linear."""
    few = [SourceFile(f"{i}.yaml", workload(1)) for i in range(10)]
    many = [SourceFile(f"{i}.yaml", workload(1)) for i in range(100)]
    small, large = median(lambda: fix_all(few)), median(lambda: fix_all(many))
    line("inspect, plan, patch and prove 100 files", large, "ten times that of 10 files", 10 * small, "s")
    line("", large, "reading them", median(lambda: [read_manifest(file.path, file.data) for file in many]), "s")
    together = [SourceFile("all.yaml", workload(100))]
    line("the same objects in one file", median(lambda: fix_all(together)), "in 100 files", large, "s")


def memory() -> None:
    """Peak memory of `aks-copilot fix`, beside a Python that only imported yaml."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(200):
            (Path(folder) / f"{i}.yaml").write_bytes(workload(1))
        command = [sys.executable, "-m", "shared.cli", "fix", folder, "--out", folder + "-out", "--format", "json"]
        ours = peak(command)
    line("peak memory of fix, 200 files", ours, "python -c 'import yaml'", peak([sys.executable, "-c", "import yaml"]), "MB")


def peak(command: list[str]) -> float:
    """Megabytes of a child at its largest."""
    pid = os.spawnve(os.P_NOWAIT, "/bin/sh", ["sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *command], dict(os.environ))  # noqa: S606
    _, _, usage = os.wait4(pid, 0)
    return float(usage.ru_maxrss) / 1024 if isinstance(usage, resource.struct_rusage) else 0.0


if __name__ == "__main__":
    main()
