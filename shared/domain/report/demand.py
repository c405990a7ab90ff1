"""What each workload asks of nodes after the fixes: amounts of one pod, pods at most, disks, and the kind of node that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from shared.domain.inventory import Inventory, Item
from shared.domain.mutation import mutated_amounts
from shared.domain.quantities import quantity
from shared.domain.report.cutover_commands import scales
from shared.domain.report.node_disks import disks_of_one
from shared.domain.report.node_sizes import ARM64, GPU, GPUS, LINUX, OTHER, WINDOWS, Pool

MEBI = Decimal(2**20)


@dataclass(frozen=True, slots=True)
class Demand:
    """What one workload asks for: its kind of node, pods at most (0: one on every node), and for one pod m, Mi, disks and GPUs.

    `least` is where an autoscaler begins, None without one; `silent` are the containers that name no request.
    """

    item: Item
    pool: Pool
    pods: int
    least: int | None
    cpu: int
    memory: int
    disks: int
    gpus: int
    silent: tuple[str, ...]

    @property
    def is_daemon(self) -> bool:
        """Whether every node runs one."""
        return self.item.kind == "DaemonSet"


def demand(item: Item, after: Inventory, *, enforced: bool) -> Demand:
    """One workload; `enforced`: with the requests that Deployment Safeguards set."""
    containers = [_effective(c, enforced=enforced) for c in item.containers]
    whole = item.facts.get("amounts", {}).get("requests", {})
    cpu, memory, gpus = (_pod(containers, whole, name) for name in ("cpu", "memory", GPU))
    least, pods = _pods(item, after)
    return Demand(
        item, pool_of(item), pods, least, up(cpu * 1000), up(memory / MEBI), disks_of_one(item, after), up(gpus), _silent(item)
    )  # fmt: skip


def up(value: Decimal) -> int:
    """Rounded up."""
    return int(value.to_integral_value(ROUND_CEILING))


def pool_of(item: Item) -> Pool:
    """The kind of node that the pods can run on; Linux on x86-64 where they say nothing else."""
    devices = devices_of(item)
    if devices:
        return GPUS if devices == [GPU] else OTHER
    if "windows" in item.facts.get("os", ()) and "linux" not in item.facts["os"]:
        return WINDOWS
    return ARM64 if _is_arm(item) else LINUX


def devices_of(item: Item) -> list[str]:
    """Extended resources that the containers ask for."""
    return sorted({key for c in item.containers for key in requests(c) if "/" in key})


def _is_arm(item: Item) -> bool:
    arch = item.facts.get("arch", ())
    images = (str(c.get("image")) for c in item.containers)
    return "amd64" not in arch and ("arm64" in arch or any("arm64" in image for image in images))


def _silent(item: Item) -> tuple[str, ...]:
    return tuple(str(c.get("name")) for c in item.containers if not requests(c).keys() >= {"cpu", "memory"})


def _pods(item: Item, after: Inventory) -> tuple[int | None, int]:
    """Where the autoscaler begins, and the pods at most."""
    if item.kind == "DaemonSet":
        return None, 0
    given = item.facts.get("parallelism" if item.kind in ("Job", "CronJob") else "replicas", 1)
    scalers = [s for s in after.of("HorizontalPodAutoscaler", "ScaledObject") if scales(s, item)]
    least = min((int(s.facts.get("min", 1 if s.kind != "ScaledObject" else 0)) for s in scalers), default=None)
    return least, max([int(given), *(int(s.facts.get("max", 100 if s.kind == "ScaledObject" else 0)) for s in scalers)])


def requests(container: Mapping[str, Any]) -> dict[str, Any]:
    """Requests; where one is left out, Kubernetes takes the limit."""
    return {**container.get("limits", {}), **container.get("requests", {})}


def _effective(container: Mapping[str, Any], *, enforced: bool) -> dict[str, Any]:
    amounts = requests(container)
    if enforced:
        given = {part: container.get(part, {}) for part in ("requests", "limits")}
        amounts |= {name: value for part, name, value in mutated_amounts(given) if part == "requests"}
    return {"role": container.get("role"), **amounts}


def _pod(containers: Sequence[Mapping[str, Any]], whole: Mapping[str, Any], name: str) -> Decimal:
    """The request of a pod: containers and sidecars together, or the largest init container with the sidecars before it."""
    own = quantity(whole.get(name))
    if own is not None:
        return own
    amounts = [(c["role"], quantity(c.get(name)) or Decimal(0)) for c in containers]
    apps = sum((amount for role, amount in amounts if role != "init"), Decimal(0))
    return max([apps, *_peaks(amounts)])


def _peaks(amounts: Iterable[tuple[str | None, Decimal]]) -> Iterable[Decimal]:
    sidecars = Decimal(0)
    for role, amount in amounts:
        sidecars += amount if role == "sidecar" else 0
        if role == "init":
            yield sidecars + amount
