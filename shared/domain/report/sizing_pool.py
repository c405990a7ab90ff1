"""One node pool: the sum of what its workloads ask for, held against each size, and the pool that needs the fewest cores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.domain.inventory import Inventory
from shared.domain.report.cutover_step import fenced
from shared.domain.report.demand import Demand, up
from shared.domain.report.node_disks import disks
from shared.domain.report.node_sizes import ARM64, EVICTION, GPUS, LINUX, MAX_PODS, OTHER, WINDOWS, Pool, Size

HEADROOM = Decimal("1.2")
LEAST = 2
PLACED = 500
"""Pods of one workload that are placed one by one; beyond it the sums say enough."""
HEAD = "| Size | CPU for pods | Memory for pods | Nodes by CPU | by memory | by disks | by pods |{gpus} by placement | Nodes |"


Amounts = tuple[int, int, int, int]
"""m, Mi, disks and GPUs of one pod or one node."""


@dataclass(frozen=True, slots=True)
class Need:
    """The sums of one pool; `each` are pods by number and amounts, `daemons` what DaemonSets take of a node: m, Mi, pods."""

    pool: Pool
    pods: int
    cpu: int
    memory: int
    disks: int
    gpus: int
    each: tuple[tuple[int, Amounts], ...]
    largest: Amounts
    daemons: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Fit:
    """A size with the nodes that each limit alone would take."""

    size: Size
    by: tuple[int, ...]

    @property
    def nodes(self) -> int:
        """Never fewer than 2, so that one can be upgraded."""
        return max(LEAST, *self.by)

    @property
    def cores(self) -> int:
        """Of all nodes."""
        return self.nodes * self.size.cores


def need_of(pool: Pool, demands: Iterable[Demand], after: Inventory) -> Need:
    """What the workloads of a pool ask for, and the DaemonSets that run on its nodes too."""
    demands = list(demands)
    own = [d for d in demands if d.pool == pool and not d.is_daemon]
    each = [d for d in demands if d.is_daemon and _runs_on(d.pool, pool)]
    held = disks((d.item for d in own), {id(d.item): d.pods for d in own}, after)
    return Need(
        pool,
        sum(d.pods for d in own),
        sum(d.pods * d.cpu for d in own),
        sum(d.pods * d.memory for d in own),
        held,
        sum(d.pods * d.gpus for d in own),
        tuple((d.pods, _amounts(d)) for d in own),
        _largest([*own, *each]),
        (sum(d.cpu for d in each), sum(d.memory for d in each), len(each)),
    )


def _runs_on(daemon: Pool, pool: Pool) -> bool:
    """A DaemonSet that names no kind of node runs on every Linux node."""
    return daemon == pool or (daemon == LINUX and pool in (ARM64, GPUS, OTHER))


def _amounts(d: Demand) -> Amounts:
    return d.cpu, d.memory, d.disks, d.gpus


def _largest(demands: Sequence[Demand]) -> Amounts:
    cpu, memory, disks, gpus = (max(part) for part in zip((0, 0, 0, 0), *map(_amounts, demands), strict=True))
    return cpu, memory, disks, gpus


def pool_lines(need: Need, *, automatic: bool) -> Iterator[str]:
    """The table of sizes, its arithmetic, and the proposal; one sentence where no size is known."""
    if not need.pool.sizes:
        yield from (f"{need.cpu}m and {need.memory}Mi for {_many(need.pods, 'pod')}, on a size that has the device.", "")
        return
    rows = list(_rows(need))
    yield from (HEAD.format(gpus=" by GPUs |" if need.gpus else ""), "|" + "---|" * (10 if need.gpus else 9))
    yield from (_row(size, fit, 6 if need.gpus else 5) for size, fit in rows)
    yield from ("", *_arithmetic(need), "")
    yield from _proposal([fit for _, fit in rows if fit], need, automatic=automatic)


def _rows(need: Need) -> Iterator[tuple[Size, Fit | None]]:
    """The sizes up to the first of which two nodes are enough: a larger one is only dearer."""
    for size in need.pool.sizes:
        fit = _fit(size, need)
        yield size, fit
        if fit and fit.nodes == LEAST:
            return


def _fit(size: Size, need: Need) -> Fit | None:
    """None where the largest pod does not fit on a node."""
    cpu, memory, count = size.cpu - need.daemons[0], size.mebi - need.daemons[1], MAX_PODS - need.daemons[2]
    room = (cpu, memory, size.disks, size.gpus)
    if min(cpu, memory, count) < 1 or not _holds(room, need.largest):
        return None
    by = [up(HEADROOM * need.cpu / cpu), up(HEADROOM * need.memory / memory), up(Decimal(need.disks) / size.disks)]
    by += [up(Decimal(need.pods) / count), *([up(Decimal(need.gpus) / size.gpus)] if need.gpus else [])]
    return Fit(size, (*by, placed(room, need.each)))


def placed(room: Amounts, each: Iterable[tuple[int, Amounts]]) -> int:
    """Nodes of this room that the pods take, the largest first, each on the first node that still holds it; any pod fits a node."""
    nodes: list[Amounts] = []
    free, last = 0, None
    for pods, asked in sorted(each, key=lambda row: row[1], reverse=True):
        free, last = free if asked == last else 0, asked  # what held no pod of this size before holds none now
        for _ in range(min(pods, PLACED)):
            free = next((n for n in range(free, len(nodes)) if _holds(nodes[n], asked)), len(nodes))
            nodes += [room] if free == len(nodes) else []
            nodes[free] = _less(nodes[free], asked)
    return len(nodes)


def _holds(room: Amounts, asked: Amounts) -> bool:
    return all(a >= b for a, b in zip(room, asked, strict=True))


def _less(room: Amounts, asked: Amounts) -> Amounts:
    cpu, memory, disks, gpus = (a - b for a, b in zip(room, asked, strict=True))
    return cpu, memory, disks, gpus


def _row(size: Size, fit: Fit | None, limits: int) -> str:
    cpu = f"{size.cores * 1000}m - {size.reserved}m = {size.cpu}m"
    start = f"| {size.name} | {cpu} | {size.memory * 1024}Mi - {size.held}Mi - {EVICTION}Mi = {size.mebi}Mi |"
    if fit is None:
        return f"{start}{' |' * limits} the largest pod does not fit |"
    return f"{start} {' | '.join(map(str, fit.by))} | {fit.nodes} |"


def _arithmetic(need: Need) -> Iterator[str]:
    cpu, memory, count = need.daemons
    less = f" less the {cpu}m and {memory}Mi of {_many(count, 'DaemonSet')}" if count else ""
    yield f"Nodes by CPU: {HEADROOM} x {need.cpu}m / CPU for pods{less}, rounded up; by memory alike with {need.memory}Mi."
    if need.disks:
        limits = ", ".join(str(size.disks) for size, _ in _rows(need))
        yield f"By disks: {_many(need.disks, 'disk')} / {limits}, the most that a node of each size attaches."
    yield "By placement: the largest pod first, each on the first node that has room; disks and GPUs count too."
    yield f"By pods: {_many(need.pods, 'pod')}, at most {MAX_PODS} a node. Never fewer than 2 nodes, so that one can be upgraded."


def _proposal(fits: Sequence[Fit], need: Need, *, automatic: bool) -> list[str]:
    if not fits:
        return ["No size of the table holds the largest pod: take a larger one, and add up again.", ""]
    best = min(fits, key=lambda fit: (fit.cores, fit.nodes))
    if automatic:
        more = best.cores + best.size.cores
        return [f"AKS Automatic makes the nodes itself. Have a quota of {more} vCPU ready, one node for upgrades included.", ""]
    pool, size = need.pool, best.size.name
    words = f"az aks nodepool add --resource-group RG --cluster-name CLUSTER --name {pool.name}{pool.flags} --node-count {best.nodes} --node-vm-size {size}"  # noqa: E501 (a command of the page)
    said = (
        f"Proposed: {best.nodes} nodes of {size}, the fewest vCPU ({best.cores}). Upgrades take one more node for a while: check the quota."
    )
    return [said, "", *fenced(words), *_hints(pool)]


def _hints(pool: Pool) -> list[str]:
    hints = {
        ARM64.name: "Other pods may come here too: images that are not for Arm64 need `kubernetes.io/arch: amd64`, or the pool a taint.",
        GPUS.name: "The GPU quota of a subscription is 0 at first: ask for it early. Only a taint keeps other pods away.",
        WINDOWS.name: "Windows itself takes about 2048Mi of each node, not counted here. The cluster keeps a Linux pool beside it.",
    }
    return [hints[pool.name], ""] if pool.name in hints else []


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
