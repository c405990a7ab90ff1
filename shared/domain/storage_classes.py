"""Which storage classes the target has, and what kind of storage a source's class was."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Mapping
from typing import Any

from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.pointer import MISSING, get

IN_TREE = frozenset({"kubernetes.io/azure-disk", "kubernetes.io/azure-file"})
"""Provisioners that are mended in place (rule AKS0104), so that their classes exist on the target."""

SHARED_MODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""Access modes of a file system that several nodes mount, which a disk cannot be."""

SHARE_WORDS = re.compile("nfs|cephfs|rwx|shared|smb|cifs|gluster", re.IGNORECASE)
"""What names of classes for shares have in them."""


def class_exists(name: str, facts: Facts) -> bool:
    """Whether a claim of this class can be provisioned on the target."""
    if name in facts.typed_target.storage.known:
        return True
    own = facts.find("StorageClass", None, name)
    return own is not None and own.get("provisioner") in IN_TREE.union(facts.typed_target.provisioners)


def names_a_volume(name: str, facts: Facts) -> bool:
    """Whether the run brings a PersistentVolume of this class: the name then only ties claim and volume, no class is needed."""
    return any(get(volume, "/spec/storageClassName") == name for volume in facts.of_kind("PersistentVolume"))


REACHED_OVER_THE_NETWORK = ("nfs", "iscsi", "fc")
NETWORK_DRIVERS = ("nfs.csi.k8s.io", "smb.csi.k8s.io")
"""Volumes of these forms work on AKS where their server is reachable: what they hold is not made anew."""


def stays(volume: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a PersistentVolume of the run can be mounted on the target, so that its claims keep waiting for it."""
    driver = get(volume, "/spec/csi/driver")
    network = any(isinstance(get(volume, f"/spec/{form}"), dict) for form in REACHED_OVER_THE_NETWORK)
    return network or driver in (*NETWORK_DRIVERS, *facts.typed_target.provisioners)


def tied_volume(claim: Mapping[str, Any], name: str, facts: Facts) -> Mapping[str, Any] | None:
    """The PersistentVolume of the run that a claim of this class is meant for: by its name, or by a class that nothing provisions."""
    wanted = claim.get("volumeName")
    if isinstance(wanted, str) and wanted:
        return facts.find("PersistentVolume", None, wanted)
    volumes = [v for v in facts.of_kind("PersistentVolume") if get(v, "/spec/storageClassName") == name and stays(v, facts)]
    return volumes[0] if volumes and facts.find("StorageClass", None, name) is None else None


def target_class(shape: str, name: str, facts: Facts) -> str:
    """The target's class for a source class of this shape (`disk` or `file`): a premium one where the source's was a fast one."""
    storage = facts.typed_target.storage
    usual, fast = (storage.file, storage.premium_file) if shape == "file" else (storage.disk, storage.premium_disk)
    return fast if fast in storage.known and _fast(name, facts) else usual


def _fast(name: str, facts: Facts) -> bool:
    profiles = facts.knowledge.profiles.values()
    kind = get(facts.find("StorageClass", None, name) or {}, "/parameters/type")
    return any(kind in p.premium_types or any(fnmatch.fnmatchcase(name, glob) for glob in p.premium_classes) for p in profiles)


def class_shape(name: str, facts: Facts) -> str | None:
    """What a class was (`disk`, `file`, `by-access-mode`, or `decided` by a human); None where nothing says.

    A StorageClass of the run tells by its driver. By name, the source's own profile is asked before the others:
    `standard` is not the same thing everywhere.
    """
    if isinstance(facts.decision(decision_key("storageClasses", name)), str):
        return "decided"
    ordered = (facts.profile, *facts.knowledge.profiles.values())
    own = facts.find("StorageClass", None, name)
    driver = own.get("provisioner") if own else None
    by_driver = (shape for p in ordered for pattern, shape in p.provisioners.items() if fnmatch.fnmatchcase(str(driver), pattern))
    by_name = (shape for p in ordered for pattern, shape in p.storage_classes.items() if fnmatch.fnmatchcase(name, pattern))
    return next(by_driver, None) if own else next(by_name, None)


def sample_class(name: str, modes: Collection[str], facts: Facts) -> str:
    """The answer that a question about a class shows: a share where the claim is for several nodes or the name speaks of one."""
    storage = facts.typed_target.storage
    return storage.file if SHARED_MODES.intersection(modes) or SHARE_WORDS.search(name) else storage.disk


def access_modes(spec: object) -> frozenset[str]:
    """The access modes that a claim's spec names, whatever its shape."""
    modes = spec.get("accessModes") if isinstance(spec, dict) else None
    return frozenset(m for m in modes if isinstance(m, str)) if isinstance(modes, list) else frozenset()


SHARES = ("azurefile*", "azureblob*")
"""The built-in classes that are no disks (learn.microsoft.com/azure/aks/concepts-storage)."""


def becomes_a_disk(claim: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a claim for one node gets a disk on the target; False too where a volume that exists, or nobody yet, decides."""
    name = get(claim, "/spec/storageClassName")
    if name is MISSING or name is None:
        return True
    decided = facts.decision(decision_key("storageClasses", str(name)))
    name = decided if isinstance(decided, str) else name
    if not isinstance(name, str) or not name or names_a_volume(name, facts):
        return False
    own = facts.find("StorageClass", None, name)
    driver = str(own.get("provisioner")) if own else ""
    if driver in IN_TREE.union(facts.typed_target.provisioners):
        return driver in ("disk.csi.azure.com", "kubernetes.io/azure-disk")
    if name in facts.typed_target.storage.known:
        return not any(fnmatch.fnmatchcase(name, share) for share in SHARES)
    return class_shape(name, facts) in ("disk", "by-access-mode")
