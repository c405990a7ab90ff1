"""What the application asks of nodes after the fixes, with the arithmetic in sight, and the node pools that follow from it.

Source of the requests that the level Enforce sets: learn.microsoft.com/azure/aks/deployment-safeguards (2026-06).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.domain.inventory import Inventory, Item
from shared.domain.report.demand import Demand, demand, devices_of
from shared.domain.report.escape import inline
from shared.domain.report.node_disks import zone_lines
from shared.domain.report.node_sizes import MAX_PODS, ORDER, Pool
from shared.domain.report.sizing_pool import HEADROOM, Need, need_of, pool_lines
from shared.domain.run import RunSetup

SHOWN = 10
"""Containers without requests that are named."""


def sizing(setup: RunSetup, after: Inventory) -> list[str]:
    """The section; empty where nothing runs."""
    automatic = setup.target.get("mode") == "automatic"
    enforced = automatic or setup.target.get("safeguards") == "enforce"
    items = {(i.kind, i.namespace, i.name): i for i in reversed(after.running)}
    demands = [demand(item, after, enforced=enforced) for item in reversed(items.values())]
    if not demands:
        return []
    needs = [need_of(pool, demands, after) for pool in _pools(demands)]
    lines = ["## Sizing", "", *_table(demands, needs), "", *_silent(demands, enforced=enforced)]
    for need in needs:
        lines += [
            *([f"### Pool {need.pool.name}: {need.pool.title}", ""] if len(needs) > 1 else []),
            *pool_lines(need, automatic=automatic),
        ]
    return [*lines, *_zones(after), *_assumed(needs, demands, after), ""]


def _pools(demands: Iterable[Demand]) -> list[Pool]:
    """The kinds of nodes, those first that any cluster has; a DaemonSet needs none of its own unless nothing else runs."""
    demands = list(demands)
    placed = [d for d in demands if not d.is_daemon] or demands
    return sorted({d.pool.name: d.pool for d in placed}.values(), key=lambda pool: ORDER[pool.name])


def _table(demands: Sequence[Demand], needs: Sequence[Need]) -> Iterator[str]:
    several = len(needs) > 1
    spaces = {d.item.namespace for d in demands}
    columns = ["Workload", *(["Pool"] if several else []), "Pods", "CPU of one", "Memory of one", "CPU", "Memory"]
    yield _line(columns)
    yield "|" + "---|" * len(columns)
    for d in demands:
        pool = [d.pool.name] if several else []
        yield _line([_name(d.item, spaces), *pool, *_cells(d)])
    empty = [""] if several else []
    pods, cpu, memory = (sum(part) for part in zip(*((n.pods, n.cpu, n.memory) for n in needs), strict=True))
    yield _line(["Sum", *empty, str(pods), "", "", f"{cpu}m", f"{memory}Mi"])


def _line(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _name(item: Item, spaces: set[str | None]) -> str:
    """The namespace is told where there are several."""
    place = f" ({inline(item.namespace or 'no namespace')})" if len(spaces) > 1 else ""
    return f"{item.kind} {inline(item.name)}{place}"


def _cells(d: Demand) -> list[str]:
    one = [f"{d.cpu}m", f"{d.memory}Mi"]
    if d.is_daemon:
        return ["each node", *one, "", ""]
    pods = f"{d.pods} (autoscaled, from {d.least})" if d.least is not None else str(d.pods)
    return [pods, *one, f"{d.pods * d.cpu}m", f"{d.pods * d.memory}Mi"]


def _silent(demands: Sequence[Demand], *, enforced: bool) -> list[str]:
    named = [f"{inline(name)} of {d.item.kind} {inline(d.item.name)}" for d in demands for name in d.silent]
    if not named:
        return []
    shown = ", ".join(named[:SHOWN]) + (f" and {len(named) - SHOWN} more" if len(named) > SHOWN else "")
    how = "AKS sets requests for them (500m and 2048Mi where nothing is said), counted above" if enforced else "They count as nothing above"
    more = "" if enforced else "; under Deployment Safeguards Enforce, AKS would set 500m and 2048Mi for each that says nothing"
    return [f"Without a request for CPU or memory: {shown}. {how}{more}.", ""]


def _zones(after: Inventory) -> list[str]:
    tied = list(zone_lines(after))
    if not tied:
        return []
    head = "Tied to one zone: while it is down, or the pool has no node in it, these pods wait."
    ways = "See that a pool has nodes there: `--zones 2` at `az aks nodepool add` makes one in zone 2, which pods know as `REGION-2`."
    return [head, "", *tied, "", ways, ""]


def _assumed(needs: Sequence[Need], demands: Sequence[Demand], after: Inventory) -> Iterator[str]:
    yield from ("Assumed:", "")
    yield f"- {HEADROOM} leaves a fifth for rollouts and for what AKS itself runs on each node. Jobs may all run at once."
    gateway = " The pods of the Gateway itself are not counted." if after.of("Gateway") else ""
    yield f"- {MAX_PODS} pods a node (Azure CNI Overlay).{gateway}"
    if any(d.least is not None for d in demands):
        yield "- Autoscaled workloads count with the most pods that they may have; the cluster autoscaler can begin with fewer nodes."
    if any(need.disks for need in needs):
        yield "- Disks of `managed-csi` follow their pod to any zone where the cluster has zones (ZRS)."
    for d in demands:
        if d.pool.name == "special":
            wanted = inline(", ".join(devices_of(d.item)))
            yield f"- {d.item.kind} {inline(d.item.name)} asks for {wanted}: choose a size that has it, and install its device plugin."
