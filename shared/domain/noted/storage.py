"""What claims, volumes and storage classes say of the data and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.noted.values import Noted, items, text
from shared.domain.pointer import get

ZONE_KEYS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
TOPOLOGY_KEYS = (*ZONE_KEYS, "topology.disk.csi.azure.com/zone")
NO_SOURCE = ("capacity", "claimRef", "nodeAffinity")
"""Mappings of a PersistentVolume's spec that are no volume source."""


def claim(obj: Mapping[str, Any]) -> Noted:
    """`name`, `class` (`static`: asked for none), `modes`, `size`, the `volume` it is bound to, whether it is a `block` device."""
    modes = get(obj, "/spec/accessModes")
    storage = get(obj, "/spec/storageClassName")
    return {
        "name": text(get(obj, "/metadata/name")),
        "class": storage if isinstance(storage, str) else None,
        "static": storage == "" or None,
        "modes": [m for m in modes if isinstance(m, str)] if isinstance(modes, list) else None,
        "size": text(get(obj, "/spec/resources/requests/storage")),
        "volume": text(get(obj, "/spec/volumeName")),
        "block": get(obj, "/spec/volumeMode") == "Block" or None,
    }


def volume(obj: Mapping[str, Any]) -> Noted:
    """`class`, the volume `source` and `where` it lies, the `claim` it is kept for, and its `zones`."""
    spec = obj.get("spec")
    sources = [k for k, v in spec.items() if isinstance(v, dict) and k not in NO_SOURCE] if isinstance(spec, dict) else []
    source = sources[0] if sources else None
    named = spec[source] if isinstance(spec, dict) and source else {}
    return {
        "class": text(get(obj, "/spec/storageClassName")),
        "source": source,
        "where": [str(named[k]) for k in ("driver", "server", "path", "volumeHandle", "diskURI", "shareName", "volumeID") if k in named],
        "claim": text(get(obj, "/spec/claimRef/name")),
        "zones": _zones(obj, "/spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*"),
    }


def storage_class(obj: Mapping[str, Any]) -> Noted:
    """`provisioner`, Azure's `sku` under either of its names, and `zones`."""
    given = obj.get("parameters")
    named = {str(k).lower(): v for k, v in given.items()} if isinstance(given, dict) else {}
    sku = text(named.get("skuname", named.get("storageaccounttype")))
    allowed = _zones(obj, "/allowedTopologies/*/matchLabelExpressions/*")
    return {"provisioner": text(obj.get("provisioner")), "sku": sku, "zones": allowed}


def _zones(obj: Mapping[str, Any], pattern: str) -> list[str]:
    """The zones that terms on node labels allow."""
    terms = (t for t in items(obj, pattern) if t.get("key") in TOPOLOGY_KEYS and isinstance(t.get("values"), list))
    return sorted({v for t in terms for v in t["values"] if isinstance(v, str)})
