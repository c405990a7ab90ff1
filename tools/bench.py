"""`make bench`: speed and memory as ratios within one run, so that the machine does not matter.

Each line gives a number, what it is compared with, and the ratio. Seconds are those of the processor, the least of a few tries, so that
what else the machine does hardly counts. Nothing here passes or fails.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
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


def cost(function: Callable[[], object]) -> float:
    """Processor seconds of one call and of the processes that it waits for, the least of a few tries."""
    times = []
    for _ in range(TRIES):
        started = os.times()
        function()
        times.append(sum(os.times()[:4]) - sum(started[:4]))
    return min(times)


def imports() -> None:
    """What a cold worker pays before the first message."""

    def seconds(module: str) -> float:
        return cost(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True))

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
    ours = cost(lambda: read_manifest("a.yaml", data))
    line("read a file of 200 documents", ours, "yaml.safe_load_all", cost(lambda: list(yaml.safe_load_all(text))), "s")
    line("", ours, "yaml.CSafeLoader", cost(lambda: list(yaml.load_all(text, Loader=yaml.CSafeLoader))), "s")


def fix_all(files: list[SourceFile]) -> None:
    """The four steps of a run over files."""
    setup = plan_run(files, RunOptions("bench"))
    for file in files:
        findings = inspect(file, setup)
        patch(file, findings, propose(file, findings, setup), setup)


def application(number: int, folder: str) -> list[SourceFile]:
    """A Deployment and its claim in two files; in a folder of its own it has the names that all others have."""
    text = (ROOT / "tools" / "bench_document.yaml").read_text(encoding="utf-8").replace("NUMBER", "0" if folder else str(number))
    return [SourceFile(f"{folder}{number}-{part}.yaml", document.encode()) for part, document in enumerate(text.split("---\n"))]


def mending() -> None:
    """How the whole way grows with the number of files: 1.0 is linear."""
    for what, folder in (("in one folder", ""), ("in folders, with the same names", "team-{0}/app-{0}/")):
        many = [file for number in range(200) for file in application(number, folder.format(number))]
        small = cost(lambda some=many[:40]: fix_all(some))  # type: ignore[misc]
        line(f"fix 400 files {what}", cost(lambda some=many: fix_all(some)), "ten times 40 of them", 10 * small, "s")  # type: ignore[misc]
    single = [SourceFile(f"{i}.yaml", workload(1)) for i in range(100)]
    large = cost(lambda: fix_all(single))
    line(
        "inspect, plan, patch and prove 100 files",
        large,
        "reading them",
        cost(lambda: [read_manifest(f.path, f.data) for f in single]),
        "s",
    )
    together = [SourceFile("all.yaml", workload(100))]
    line("the same objects in one file", cost(lambda: fix_all(together)), "in 100 files", large, "s")


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
