"""What a run costs grows with its files, not with their square: counted in calls of functions, which no busy machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from shared.domain.facts import Facts
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.inventory import as_it_is_left
from shared.domain.patcher import patch
from shared.domain.report.cutover_data import data_of
from shared.domain.report.node_disks import disks
from shared.domain.report.sizing_pool import placed
from shared.domain.reporter import finish
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-%s}
spec: {accessModes: [ReadWriteOnce], storageClassName: local-path, resources: {requests: {storage: 1Gi}}}
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%s}
spec:
  selector: {matchLabels: {app: web-%s}}
  template:
    metadata: {labels: {app: web-%s}}
    spec:
      containers: [{name: web, image: 'localhost:5000/web:1'}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data-%s}}]
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web-%s}
spec: {minAvailable: 1, selector: {matchLabels: {app: web-%s}}}
"""
ROUTE = """\
apiVersion: traefik.containo.us/v1alpha1
kind: IngressRoute
metadata: {name: web-%s}
spec:
  routes:
  - {match: Host(`a.example.com`), kind: Rule, services: [{name: web-%s, port: 80}], middlewares: [{name: strip-%s}]}
---
apiVersion: traefik.containo.us/v1alpha1
kind: Middleware
metadata: {name: strip-%s}
spec: {stripPrefix: {prefixes: [/api]}}
"""


def applications(number: int, folder: str, name: str) -> list[SourceFile]:
    """Applications of three files each; `folder` and `name` may hold the application's number in braces."""
    texts = {"claim": CLAIM, "workload": WORKLOAD, "route": ROUTE}
    return [
        SourceFile(f"{folder.format(i)}{i}-{part}.yaml", text.replace("%s", name.format(i)).encode())
        for i in range(number)
        for part, text in texts.items()
    ]


def fix_all(files: list[SourceFile]) -> None:
    """A whole run without its pages, and what these ask of every claim."""
    setup, data = plan_run(files, RunOptions("test", "k3s")), {file.path: file.data for file in files}
    done = {}
    for file in files:
        findings = inspect(file, setup)
        done[file.path] = patch(file, findings, propose(file, findings, setup), setup)
    after = finish(setup, [d.outcome for d in done.values()], lambda path: done[path].data if path in done else None, data.get).after
    data_of(as_it_is_left(setup.index, {}, Facts(setup).decision), after)
    disks(after.running, {id(item): 1 for item in after.running}, after)


def calls(function: Callable[[], object]) -> int:
    """Calls of functions that one call makes."""
    count = 0

    def called(_frame: FrameType, event: str, _value: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


LAYOUTS = {"other-names-in-a-folder": ("", "{}"), "same-names-in-a-folder": ("", "a"), "same-names-in-folders": ("{}/", "a")}


@pytest.mark.parametrize(("folder", "name"), LAYOUTS.values(), ids=LAYOUTS)
def test_four_times_the_files_cost_four_times_as_much(folder: str, name: str) -> None:
    fix_all(applications(1, folder, name))
    few, many = (calls(partial(fix_all, applications(n, folder, name))) for n in (6, 24))
    assert few * 2 < many < few * 4.6


def test_pods_of_one_size_are_placed_without_a_look_at_the_full_nodes() -> None:
    room, asked = (100, 100, 10, 0), (30, 20, 1, 0)
    assert placed(room, [(1, asked)] * 9) == 3
    assert placed(room, [(4, asked), (1, (90, 1, 0, 0)), (2, asked), (3, (10, 10, 0, 0))]) == 3
    few, many = (calls(partial(placed, room, [(1, asked)] * n)) for n in (20, 200))
    assert few * 5 < many < few * 11
