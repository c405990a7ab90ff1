"""A tree on several processes gives what it gives on one, in the same order, also where a worker dies."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from cli_process import CLAIM, PROJECT, SERVICE, write

from shared.cli import local, parallel
from shared.cli.tree import Tree, read_tree
from shared.domain.run import PatchedFile, RunOptions, RunSetup, SourceFile

MAIN = os.getpid()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    files = {f"part{n}__claim{n}_yaml": CLAIM.replace("data", f"data{n}") + f"# {'x' * 9000}\n" for n in range(20)}
    return read_tree([write(tmp_path / "app", **files, template_yaml=SERVICE.replace("web", "{{ name }}"))])


@pytest.fixture
def two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT), str(Path(__file__).parent)]))
    monkeypatch.setattr(parallel, "WORTH_IT_BYTES", 0)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 2)


def parts(run: local.LocalRun) -> tuple[object, ...]:
    """A run as values: an inventory equals only itself."""
    return (run.setup, run.outcomes, run.changed, run.diffs, run.removed, run.after.items, run.after.unnamed)


def test_two_processes_give_what_one_gives(tree: Tree, request: pytest.FixtureRequest) -> None:
    options = RunOptions("app")
    alone = local.fix_tree(tree, options), local.inspect_tree(tree, options)
    request.getfixturevalue("two_workers")
    together = local.fix_tree(tree, options), local.inspect_tree(tree, options)
    assert [parts(run) for run in together] == [parts(run) for run in alone]
    assert len(alone[0].changed) == 21
    assert alone[0].outcomes[-1].status == "refused"


def where(file: SourceFile, setup: RunSetup) -> PatchedFile:
    done = local.patched_file(file, setup)
    return PatchedFile(done.outcome, str(os.getpid()).encode())


def dies(file: SourceFile, setup: RunSetup) -> PatchedFile:
    if multiprocessing.parent_process() is not None and file.path.endswith("claim7.yaml"):
        os._exit(9)
    return where(file, setup)


def test_files_are_worked_on_elsewhere_and_come_back_in_order(tree: Tree, two_workers: None) -> None:
    files = tree.read()[0]
    setup = local.plan_run(files, RunOptions("app"))
    results = parallel.each(files, setup, where)
    assert str(MAIN).encode() not in {r.data for r in results}
    assert [r.outcome.path for r in results] == [f.path for f in files]


def test_a_small_tree_starts_no_process(tree: Tree) -> None:
    files = tree.read()[0]
    results = parallel.each(files, local.plan_run(files, RunOptions("app")), where)
    assert {r.data for r in results} == {str(MAIN).encode()}


def test_a_dead_worker_costs_time_only(tree: Tree, two_workers: None) -> None:
    files = tree.read()[0]
    setup = local.plan_run(files, RunOptions("app"))
    results = parallel.each(files, setup, dies)
    assert [r.outcome.path for r in results] == [f.path for f in files]
    assert {r.data for r in results} == {str(MAIN).encode()}
