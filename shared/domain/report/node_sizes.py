"""VM sizes that the sizing table chooses from, by what a pool is for, and what AKS leaves of each for pods.

Sources (read 2026-11): learn.microsoft.com/azure/virtual-machines (Dsv5, Dpsv5 and NCasT4_v3 series: vCPU, memory, data disks, GPUs) and
learn.microsoft.com/azure/aks/node-resource-reservations (AKS 1.29 and later).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_PODS = 250
"""The default of Azure CNI Overlay."""
EVICTION = 100
"""Mi that a node keeps free."""
RESERVED = {2: 100, 4: 140, 8: 180, 16: 260, 64: 740}
"""m that AKS reserves, by cores."""


@dataclass(frozen=True, slots=True)
class Size:
    """A VM size: cores, memory in GiB, the most data disks, GPUs."""

    name: str
    cores: int
    memory: int
    disks: int
    gpus: int = 0

    @property
    def reserved(self) -> int:
        """m that AKS reserves."""
        return RESERVED[self.cores]

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


@dataclass(frozen=True, slots=True)
class Pool:
    """A kind of node pool: `name` as AKS takes it (lower case, for Windows at most 6 letters), `flags` for `az aks nodepool add`."""

    name: str
    title: str
    sizes: tuple[Size, ...] = ()
    flags: str = ""


def _d(cores: int, memory: int, disks: int, family: str = "s_v5") -> Size:
    return Size(f"Standard_D{cores}{family}", cores, memory, disks)


X86 = (_d(2, 8, 4), _d(4, 16, 8), _d(8, 32, 16))
ARM = (_d(2, 8, 4, "ps_v5"), _d(4, 16, 8, "ps_v5"), _d(8, 32, 16, "ps_v5"))
T4 = (
    Size("Standard_NC4as_T4_v3", 4, 28, 8, 1), Size("Standard_NC8as_T4_v3", 8, 56, 16, 1),
    Size("Standard_NC16as_T4_v3", 16, 110, 32, 1), Size("Standard_NC64as_T4_v3", 64, 440, 32, 4),
)  # fmt: skip
GPU = "nvidia.com/gpu"
LINUX, ARM64, WINDOWS, GPUS, OTHER = (
    Pool("apps", "Linux on x86-64", X86),
    Pool("arm", "Linux on Arm64", ARM),
    Pool("win", "Windows", X86[1:], " --os-type Windows"),
    Pool("gpu", "Linux with NVIDIA GPUs", T4),
    Pool("special", "nodes with other devices"),
)
ORDER: Mapping[str, int] = {pool.name: n for n, pool in enumerate((LINUX, ARM64, WINDOWS, GPUS, OTHER))}
