"""What the application asks of nodes after the fixes, with the arithmetic in sight, and the node pool that follows from it.

Sources (read 2026-11): learn.microsoft.com/azure/virtual-machines (Dsv5 series: vCPU, memory, data disks), learn.microsoft.com/azure/aks
node-resource-reservations (AKS 1.29 and later), deployment-safeguards (requests that the level Enforce sets).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from shared.domain.inventory import Inventory, Item
from shared.domain.mutation import mutated_amounts
from shared.domain.quantities import quantity
from shared.domain.report.cutover_data import claims
from shared.domain.report.cutover_step import fenced
from shared.domain.report.escape import inline
from shared.domain.run import RunSetup

MEBI = Decimal(2**20)
HEADROOM = Decimal("1.2")
MAX_PODS = 250
"""The default of Azure CNI Overlay."""
EVICTION = 100
"""Mi that a node keeps free."""


@dataclass(frozen=True, slots=True)
class Size:
    """A VM size: cores, memory in GiB, the most data disks, and the CPU in m that AKS reserves."""

    name: str
    cores: int
    memory: int
    disks: int
    reserved: int

    @property
    def cpu(self) -> int:
        """m for pods."""
        return self.cores * 1000 - self.reserved

    @property
    def held(self) -> int:
        """Mi that AKS reserves: 20 Mi for each possible pod and 50 Mi, at most a quarter."""
        return min(20 * MAX_PODS + 50, self.memory * 256)

    @property
    def mebi(self) -> int:
        """Mi for pods."""
        return self.memory * 1024 - self.held - EVICTION


SIZES = (Size("Standard_D2s_v5", 2, 8, 4, 100), Size("Standard_D4s_v5", 4, 16, 8, 140), Size("Standard_D8s_v5", 8, 32, 16, 180))


@dataclass(frozen=True, slots=True)
class Demand:
    """What one workload asks for: m and Mi of one pod, its pods at most (0: one on every node), containers that name no request."""

    item: Item
    pods: int
    cpu: int
    memory: int
    silent: tuple[str, ...]


def sizing(setup: RunSetup, after: Inventory) -> list[str]:
    """The section; empty where nothing runs."""
    enforced = setup.target.get("mode") == "automatic" or setup.target.get("safeguards") == "enforce"
    demands = [demand(item, after, enforced=enforced) for item in after.running]
    if not demands:
        return []
    disks = sum(_is_disk(c.facts, after) for c in claims(after) if c.users)
    lines = ["## Sizing", "", "| Workload | Pods | CPU of one | Memory of one | CPU | Memory |", "|---|---|---|---|---|---|"]
    lines += [_row(d) for d in demands]
    cpu, memory, pods = _sums(demands)
    lines += [f"| Sum | {pods} | | | {cpu}m | {memory}Mi |", "", *_silent(demands, enforced=enforced)]
    lines += [*_pool(demands, cpu, memory, pods, disks, setup), *_notes(after, disks)]
    return [*lines, ""]


def _sums(demands: Sequence[Demand]) -> tuple[int, int, int]:
    return sum(d.pods * d.cpu for d in demands), sum(d.pods * d.memory for d in demands), sum(d.pods for d in demands)


def demand(item: Item, after: Inventory, *, enforced: bool) -> Demand:
    """One workload, at the most pods that its autoscaler allows."""
    containers = [_effective(c, enforced=enforced) for c in item.containers]
    silent = tuple(str(c.get("name")) for c in item.containers if not _requests(c).keys() >= {"cpu", "memory"})
    whole = item.facts.get("amounts", {}).get("requests", {})
    cpu, memory = (_pod(containers, whole, name) for name in ("cpu", "memory"))
    return Demand(item, _pods(item, after), _up(cpu * 1000), _up(memory / MEBI), silent)


def _pods(item: Item, after: Inventory) -> int:
    if item.kind == "DaemonSet":
        return 0
    scalers = [s for s in after.of("HorizontalPodAutoscaler", "ScaledObject") if s.facts.get("target") == item.name]
    fit = [s for s in scalers if s.facts.get("targetKind") == item.kind and s.namespace == item.namespace]
    given = item.facts.get("parallelism" if item.kind in ("Job", "CronJob") else "replicas", 1)
    return max([int(given), *(int(s.facts.get("max", 0)) for s in fit)])


def _requests(container: Mapping[str, Any]) -> dict[str, Any]:
    """Requests; where one is left out, Kubernetes takes the limit."""
    return {**container.get("limits", {}), **container.get("requests", {})}


def _effective(container: Mapping[str, Any], *, enforced: bool) -> dict[str, Any]:
    amounts = _requests(container)
    if enforced:
        given = {part: container.get(part, {}) for part in ("requests", "limits")}
        amounts |= {name: value for part, name, value in mutated_amounts(given) if part == "requests"}
    return {"role": container.get("role"), **amounts}


def _pod(containers: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], name: str) -> Decimal:
    """The request of a pod: containers and sidecars together, or the largest init container with the sidecars before it."""
    own = quantity(whole.get(name))
    if own is not None:
        return own
    sidecars, peak, apps = Decimal(0), Decimal(0), Decimal(0)
    for container in containers:
        amount = quantity(container.get(name)) or Decimal(0)
        if container["role"] == "sidecar":
            sidecars += amount
        elif container["role"] == "init":
            peak = max(peak, sidecars + amount)
        else:
            apps += amount
    return max(peak, sidecars + apps)


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


def _row(d: Demand) -> str:
    pods, total = ("each node", ("", "")) if d.item.kind == "DaemonSet" else (str(d.pods), (f"{d.pods * d.cpu}m", f"{d.pods * d.memory}Mi"))
    return f"| {d.item.kind} {inline(d.item.name)} | {pods} | {d.cpu}m | {d.memory}Mi | {total[0]} | {total[1]} |"


def _silent(demands: Sequence[Demand], *, enforced: bool) -> list[str]:
    named = [f"{inline(name)} of {d.item.kind} {inline(d.item.name)}" for d in demands for name in d.silent]
    if not named:
        return []
    shown = ", ".join(named[:10]) + (f" and {len(named) - 10} more" if len(named) > 10 else "")
    how = "AKS sets requests for them (500m and 2048Mi where nothing is said), counted above" if enforced else "They count as nothing above"
    more = "" if enforced else "; under Deployment Safeguards Enforce, AKS would set 500m and 2048Mi for each that says nothing"
    return [f"Without a request for CPU or memory: {shown}. {how}{more}.", ""]


def _pool(demands: Sequence[Demand], cpu: int, memory: int, pods: int, disks: int, setup: RunSetup) -> Iterator[str]:
    each = [d for d in demands if d.item.kind == "DaemonSet"]
    own = (sum(d.cpu for d in each), sum(d.memory for d in each))
    largest = (max(d.cpu for d in demands), max(d.memory for d in demands))
    yield "| Size | CPU for pods | Memory for pods | Nodes by CPU | by memory | by disks | by pods | Nodes |"
    yield "|---|---|---|---|---|---|---|---|"
    found = []
    for size in SIZES:
        room = (size.cpu - own[0], size.mebi - own[1])
        start = f"| {size.name} | {size.cores * 1000}m - {size.reserved}m = {size.cpu}m | {size.memory * 1024}Mi - {size.held}Mi - {EVICTION}Mi = {size.mebi}Mi |"  # noqa: E501 (a sentence of the page)
        if room[0] < max(largest[0], 1) or room[1] < max(largest[1], 1):
            yield f"{start} | | | | the largest pod does not fit |"
            continue
        need = [
            _up(HEADROOM * cpu / room[0]),
            _up(HEADROOM * memory / room[1]),
            _up(Decimal(disks) / size.disks),
            _up(Decimal(pods) / (MAX_PODS - len(each))),
        ]
        nodes = max(2, *need)
        found.append((nodes * size.cores, nodes, size))
        yield f"{start} {need[0]} | {need[1]} | {need[2]} | {need[3]} | {nodes} |"
    yield from (
        "",
        f"Nodes by CPU: {HEADROOM} x {cpu}m / (CPU for pods - {own[0]}m of DaemonSets), rounded up; memory alike with {memory}Mi",
    )
    yield from (
        f"and {own[1]}Mi; {disks} disks; {pods} pods at most {MAX_PODS} a node. Never fewer than 2, so that one can be upgraded.",
        "",
    )
    yield from _proposal(found, automatic=setup.target.get("mode") == "automatic")


def _proposal(found: Sequence[tuple[int, int, Size]], *, automatic: bool) -> list[str]:
    if not found:
        return ["No size of the table holds the largest pod: take a larger one, and add up again.", ""]
    cores, nodes, size = min(found, key=lambda row: row[:2])
    if automatic:
        return [
            f"AKS Automatic makes the nodes itself. Have a quota of {cores + size.cores} vCPU ready, one node for upgrades included.",
            "",
        ]
    words = f"az aks nodepool add --resource-group RG --cluster-name CLUSTER --name POOL --node-count {nodes} --node-vm-size {size.name}"
    return [
        f"Proposed: {nodes} nodes of {size.name}, the fewest vCPU ({cores}). Upgrades take one more node for a while: check the quota.",
        "",
        *fenced(words),
    ]


def _is_disk(facts: Mapping[str, Any], after: Inventory) -> bool:
    """Whether a claim gets a managed disk: by the class's driver, else by its name; the default class is one."""
    name = str(facts.get("class", ""))
    own = next((c for c in after.of("StorageClass") if c.name == name), None)
    driver = own.facts.get("provisioner") if own else None
    return driver == "disk.csi.azure.com" if driver else not facts.get("static") and (not name or name.startswith(("managed", "default")))


def _notes(after: Inventory, disks: int) -> Iterator[str]:
    yield from (
        "Assumed:",
        "",
        f"- {HEADROOM} leaves a fifth for rollouts and for what AKS itself runs on each node. Jobs may all run at once.",
    )
    yield f"- {MAX_PODS} pods a node (Azure CNI Overlay). The pods of the Gateway itself are not counted."
    if disks:
        yield "- Disks of `managed-csi` can follow their pod to any zone where the cluster has zones (ZRS); `managed-csi-premium-v2` cannot."  # noqa: E501 (a sentence of the page)
    for item in after.of("StorageClass"):
        if str(item.facts.get("sku", "")).endswith("_LRS") and item.facts.get("provisioner") == "disk.csi.azure.com":
            yield f"- StorageClass {inline(item.name)}: its disks stay in one zone, and so do their pods."
    for item in after.running:
        if "arm64" in item.facts.get("arch", ()) or any("arm64" in str(c.get("image")) for c in item.containers):
            yield f"- {item.kind} {inline(item.name)} is for Arm64: it needs a pool of its own (a Dpsv5 size), counted above as if it did not."  # noqa: E501 (a sentence of the page)
        devices = sorted({key for c in item.containers for key in _requests(c) if "/" in key})
        if devices:
            yield f"- {item.kind} {inline(item.name)} asks for {inline(', '.join(devices))}: it needs a pool with that device, counted above as if it did not."  # noqa: E501 (a sentence of the page)
