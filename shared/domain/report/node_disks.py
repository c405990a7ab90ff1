"""Managed disks of a run: which claims are one, how many a node must hold, and which tie their pods to one zone.

Sources (read 2026-11): learn.microsoft.com/azure/aks concepts-storage (built-in classes; ZRS where the cluster has zones, Premium SSD v2
never), create-volume-azure-disk (static volumes; an LRS disk is in one zone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.domain.inventory import Inventory, Item, grouped
from shared.domain.report.cutover_data import Claim, claims, claims_by_name, volume_of
from shared.domain.report.escape import inline

DRIVER = "disk.csi.azure.com"
ZONAL_CLASS = "managed-csi-premium-v2"


def disks(items: Iterable[Item], pods: Mapping[int, int], after: Inventory) -> int:
    """The disks that the pods of these workloads mount together; `pods` are numbers by id of the item."""
    items = list(items)
    known = grouped(items, _place)
    held = [c for c in claims(after) if any(user in known.get(_place(user), ()) for user in c.users) and is_disk(c, after)]
    return len(held) + sum(pods[id(item)] * _ephemeral(item, after) for item in items)


def disks_of_one(item: Item, after: Inventory) -> int:
    """The disks that one pod mounts."""
    mine = dict.fromkeys(item.facts.get("claims", ()))
    named = [c for name in mine for c in claims_by_name(after).get(name, ()) if item in c.users]
    templates = [Claim("", item.namespace, item.file, t, ()) for t in item.facts.get("templates", ())]
    return sum(is_disk(c, after) for c in (*named, *templates)) + _ephemeral(item, after)


def _place(item: Item) -> tuple[str, str, str]:
    return item.file, item.kind, item.name


def _ephemeral(item: Item, after: Inventory) -> int:
    found = (Claim("", item.namespace, item.file, t, ()) for t in item.facts.get("ephemeral", ()))
    return sum(is_disk(claim, after) for claim in found)


def is_disk(claim: Claim, after: Inventory) -> bool:
    """Whether a claim is, or gets, a managed disk: by its volume, its class's driver, else its class's name; the default class is one."""
    volume = volume_of(claim, after)
    if volume is not None:
        return _is_static(volume)
    name = str(claim.facts.get("class", ""))
    own = next((c for c in after.of("StorageClass") if c.name == name), None)
    driver = own.facts.get("provisioner") if own else None
    return driver == DRIVER if driver else not claim.facts.get("static") and (not name or name.startswith(("managed", "default")))


def _is_static(volume: Item) -> bool:
    return volume.facts.get("source") == "azureDisk" or DRIVER in volume.facts.get("where", ())


def zone_lines(after: Inventory) -> Iterator[str]:
    """What can run in one zone only, each with its reason."""
    for item in after.running:
        if item.facts.get("zone"):
            yield f"- {item.kind} {inline(item.name)} asks for {_zones(item.facts['zone'])}."
    for claim in (c for c in claims(after) if c.users and is_disk(c, after)):
        why = _tied(claim, after)
        if why:
            users = ", ".join(dict.fromkeys(f"{user.kind} {inline(user.name)}" for user in claim.users))
            yield f"- Claim {inline(claim.name)} ({users}): {why}"


def _tied(claim: Claim, after: Inventory) -> str:
    volume = volume_of(claim, after)
    if volume is not None:
        where = _zones(volume.facts["zones"]) if volume.facts.get("zones") else "the zone that it was made in, unless it is zone-redundant"
        return f"volume {inline(volume.name)} is one disk, in {where}."
    name = str(claim.facts.get("class", ""))
    own = next((c for c in after.of("StorageClass") if c.name == name), None)
    if own is not None and own.facts.get("zones"):
        return f"StorageClass {inline(name)} makes disks in {_zones(own.facts['zones'])} only."
    zonal = str(own.facts.get("sku", "")).endswith("_LRS") if own is not None else name == ZONAL_CLASS
    return f"disks of {inline(name)} stay in the zone where they are made." if zonal else ""


def _zones(zones: Any) -> str:
    named = [inline(str(zone)) for zone in zones]
    return f"zone {named[0]}" if len(named) == 1 else f"the zones {', '.join(named)}"
