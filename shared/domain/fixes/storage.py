"""Storage classes: a disk for one node, a file share for many, decided by the claim's access modes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import CLASS_ANNOTATION, Nothing
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question, ResourceRef
from shared.domain.pointer import get, parent
from shared.domain.storage_classes import SHARED_MODES, access_modes, class_shape, sample_class, target_class, tied_volume

SMB = (
    "Azure Files over SMB keeps no owners and permissions of single files; a program that calls chown, and a database, need a disk "
    "or an NFS share."
)


@fix("storage-class", Nothing)
def storage_class(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Name the target's class; raises CannotConvert where the claim does not say enough or the class is unknown."""
    name = get(obj, found.path)
    decided = facts.decision(decision_key("storageClasses", name))
    if isinstance(decided, str):
        return Conversion((Op("replace", found.path, decided),))
    shape = class_shape(name, facts)
    modes, block = _claim(obj, found.path, facts)
    _check_unbound(obj, found.path, str(name), facts)
    if shape is None:
        raise CannotConvert(f"Nothing says what kind of storage the class {name} was.", ask_class(name, modes, facts))
    if shape == "disk" or (shape == "by-access-mode" and modes and not modes & SHARED_MODES):
        return _disk(found, modes, target_class("disk", name, facts), facts)
    if shape == "file" or (shape == "by-access-mode" and modes & SHARED_MODES):
        if block:
            raise CannotConvert(
                "A raw block volume for several nodes needs a class of its own with maxShares.", ask_class(name, (), facts), found.path
            )
        new = target_class("file", name, facts)
        return Conversion((Op("replace", found.path, new),), losses=smb_losses(found.path, new))
    undecided = "The claim names no access mode that decides between a disk and a file share."
    raise CannotConvert(undecided, ask_class(name, modes, facts), found.path)


def _check_unbound(obj: Mapping[str, Any], path: str, name: str, facts: Facts) -> None:
    """Raises CannotConvert where the claim is bound to a volume of the run: the two must keep one class, and the volume cannot stay."""
    claim = get(obj, "/spec" if path == CLASS_ANNOTATION else parent(path))
    volume = tied_volume(claim, name, facts) if isinstance(claim, dict) else None
    if volume is not None:
        wanted = get(volume, "/metadata/name")
        raise CannotConvert(
            f"The claim is bound to PersistentVolume {wanted} of these manifests: decide what becomes of the volume first.", path=path
        )


def _disk(found: Found, modes: frozenset[str], disk: str, facts: Facts) -> Conversion:
    if modes & SHARED_MODES:
        raise CannotConvert(
            "The class was a disk, which AKS attaches to one node only, and the claim wants several.",
            ask_class(found.fields["value"], modes, facts),
            found.path,
        )
    return Conversion((Op("replace", found.path, disk),))


def ask_class(name: str, modes: Collection[str], facts: Facts) -> Question:
    """The Decision for a class that no table knows."""
    sample = sample_class(name, modes, facts)
    return Question(decision_key("storageClasses", name), f"Which storage class of the AKS cluster replaces {name}?", sample)


def _claim(obj: Mapping[str, Any], path: str, facts: Facts) -> tuple[frozenset[str], bool]:
    """(access modes, raw block?) of the claim that a class name stands in; a patch that leaves the modes out has those of its claim."""
    spec = get(obj, "/spec") if path == CLASS_ANNOTATION else get(obj, parent(path))
    modes = access_modes(spec)
    block = isinstance(spec, dict) and spec.get("volumeMode") == "Block"
    if obj.get("kind") == "PersistentVolumeClaim":
        modes = modes or _modes_of_claim(get(obj, "/metadata/name"), facts)
        patched = [m for m in map(_modes_of_patch, facts.kustomizations.patches_on(facts.asking, ResourceRef.of(obj))) if m]
        if any(bool(m & SHARED_MODES) != bool(modes & SHARED_MODES) for m in patched):
            raise CannotConvert(
                "A patch of a kustomization gives the claim other access modes: a disk here and a share there.",
                ask_class(str(get(obj, path)), modes, facts), path,
            )  # fmt: skip
    return modes, block


def _modes_of_claim(name: object, facts: Facts) -> frozenset[str]:
    """What all claims of this name in the run say, as far as they say it; nothing where they differ."""
    said = {m for c in facts.of_kind("PersistentVolumeClaim") if get(c, "/metadata/name") == name and (m := access_modes(c.get("spec")))}
    return said.pop() if len(said) == 1 else frozenset()


def _modes_of_patch(body: object) -> frozenset[str]:
    """The access modes that a patch gives a claim without giving it a class too."""
    if isinstance(body, list):
        written = {o.get("path"): o.get("value") for o in body if isinstance(o, dict)}
        return frozenset() if "/spec/storageClassName" in written else access_modes({"accessModes": written.get("/spec/accessModes")})
    spec = get(body, "/spec")
    return frozenset() if isinstance(spec, dict) and "storageClassName" in spec else access_modes(spec)


@fix("shared-storage-class", Nothing)
def shared_storage_class(_: Mapping[str, Any], found: Found, __: Nothing, facts: Facts) -> Conversion:
    """Name the target's class for several nodes in a claim that names none."""
    name = facts.typed_target.storage.file
    return Conversion((Op("add", found.path, name),), losses=smb_losses(parent(found.path), name))


def smb_losses(path: str, name: str) -> tuple[Loss, ...]:
    """What a claim loses on an SMB share, where `name` is one of the built-in SMB classes."""
    return (Loss(path, SMB),) if name.startswith("azurefile") else ()
