"""Storage classes: a disk for one node, a file share for many, decided by the claim's access modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import CLASS_ANNOTATION, Nothing
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.pointer import get, parent
from shared.domain.storage_classes import class_shape

SMB = (
    "Azure Files over SMB keeps no owners and permissions of single files; a program that calls chown, and a database, need a disk "
    "or an NFS share."
)
SHARED_MODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})


@fix("storage-class", Nothing)
def storage_class(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Name the target's class; raises CannotConvert where the claim does not say enough or the class is unknown."""
    name = get(obj, found.path)
    decided = facts.decision(decision_key("storageClasses", name))
    if isinstance(decided, str):
        return Conversion((Op("replace", found.path, decided),))
    shape = class_shape(name, facts)
    modes, block = _claim(obj, found.path)
    storage = facts.typed_target.storage
    if shape is None:
        raise CannotConvert(f"Nothing says what kind of storage the class {name} was.", ask_class(name))
    if shape == "disk" or (shape == "by-access-mode" and modes and not modes & SHARED_MODES):
        return _disk(found, modes, storage.disk)
    if shape == "file" or (shape == "by-access-mode" and modes & SHARED_MODES):
        if block:
            raise CannotConvert(
                "A raw block volume for several nodes needs a class of its own with maxShares.", ask_class(name), found.path
            )
        return Conversion((Op("replace", found.path, storage.file),), losses=smb_losses(found.path, storage.file))
    raise CannotConvert("The claim names no access mode that decides between a disk and a file share.", ask_class(name), found.path)


def _disk(found: Found, modes: frozenset[str], disk: str) -> Conversion:
    if modes & SHARED_MODES:
        raise CannotConvert(
            "The class was a disk, which AKS attaches to one node only, and the claim wants several.",
            ask_class(found.fields["value"]),
            found.path,
        )
    return Conversion((Op("replace", found.path, disk),))


def ask_class(name: str) -> Question:
    """The Decision for a class that no table knows."""
    return Question(decision_key("storageClasses", name), f"Which storage class of the AKS cluster replaces {name}?", "managed-csi")


def _claim(obj: Mapping[str, Any], path: str) -> tuple[frozenset[str], bool]:
    """(access modes, raw block?) of the claim that a class name stands in."""
    spec = get(obj, "/spec") if path == CLASS_ANNOTATION else get(obj, parent(path))
    modes = spec.get("accessModes") if isinstance(spec, dict) else None
    block = isinstance(spec, dict) and spec.get("volumeMode") == "Block"
    return frozenset(m for m in modes if isinstance(m, str)) if isinstance(modes, list) else frozenset(), block


@fix("shared-storage-class", Nothing)
def shared_storage_class(_: Mapping[str, Any], found: Found, __: Nothing, facts: Facts) -> Conversion:
    """Name the target's class for several nodes in a claim that names none."""
    name = facts.typed_target.storage.file
    return Conversion((Op("add", found.path, name),), losses=smb_losses(parent(found.path), name))


def smb_losses(path: str, name: str) -> tuple[Loss, ...]:
    """What a claim loses on an SMB share, where `name` is one of the built-in SMB classes."""
    return (Loss(path, SMB),) if name.startswith("azurefile") else ()
