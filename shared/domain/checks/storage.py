"""What a storage class, a claim's size and a volume of the old network mean on AKS.

Facts: guide/aks_facts_target.md 1 (every built-in class deletes its volume with the claim; sizes of disks and premium shares) and the
parameters of the drivers' own documentation (Longhorn, aws-ebs-csi-driver, gcp-compute-persistent-disk-csi-driver, ceph-csi).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import Field

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import ProvisionerParams
from shared.domain.facts import Facts
from shared.domain.paths import expand
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

CLAIMS = ("/spec", "/spec/volumeClaimTemplates/*/spec", "$pod/volumes/*/ephemeral/volumeClaimTemplate/spec")
TELLING = (
    "*kmskey*", "*kms-key*", "*encrypt*", "iops*", "provisioned-iops*", "throughput", "provisioned-throughput*", "*fstype",
    "replication-type", "recurringjob*", "frombackup", "directoryperms", "uid", "gid", "archiveondelete", "nfsoptions", "mountoptions",
)  # fmt: skip
"""Parameters that say something about the data or its speed which a class of AKS does not say by itself (lower case)."""

ENCRYPTED_ANYWAY = {"encrypted": ("true", "false")}
"""Azure encrypts every disk and share at rest; only a key of one's own is a setting."""

SHORT = 20
"""A longer value is not printed."""

QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([kKMGTPE]i?)?")
POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


class SizeParams(Closed):
    """Claims of one of `classes` that ask for more than `above`, or less than `below` (quantities such as 32Ti)."""

    classes: tuple[str, ...] = Field(min_length=1)
    above: str | None = None
    below: str | None = None


@check("storage-class-settings", ProvisionerParams)
def storage_class_settings(obj: Mapping[str, Any], params: ProvisionerParams, facts: Facts) -> Iterator[Found]:
    """Fires once at a StorageClass of a driver that the target does not run, with the settings that no class of the target has."""
    provisioner = obj.get("provisioner")
    if not isinstance(provisioner, str) or provisioner in (*facts.typed_target.provisioners, *params.except_provisioners):
        return
    settings = [*_settings(obj.get("parameters")), *_own_settings(obj)]
    if settings:
        yield Found("/parameters" if isinstance(obj.get("parameters"), dict) else "/provisioner", {"settings": ", ".join(settings)})


def _settings(parameters: object) -> Iterator[str]:
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        plain = name.rpartition("/")[2].lower()
        telling = any(fnmatch.fnmatchcase(plain, glob) for glob in TELLING)
        if telling and str(value).lower() not in ENCRYPTED_ANYWAY.get(plain, ()) and str(value).lower() != "ext4":
            yield f"{name} {value}" if isinstance(value, (str, int)) and len(str(value)) <= SHORT else name


def _own_settings(obj: Mapping[str, Any]) -> Iterator[str]:
    if obj.get("reclaimPolicy") == "Retain":
        yield "reclaimPolicy Retain"
    if obj.get("mountOptions"):
        yield "mountOptions"


@check("claim-size", SizeParams)
def claim_size(obj: Mapping[str, Any], params: SizeParams, _: Facts) -> Iterator[Found]:
    """Fires at the size of a claim that a class cannot give."""
    for place in (p for pattern in CLAIMS for p in expand(obj, pattern)):
        path, name = f"{place}/resources/requests/storage", get(obj, f"{place}/storageClassName")
        if name in params.classes and _outside(get(obj, path), params):
            yield Found(path, {"value": str(get(obj, path)), "class": str(name)})


def _outside(size: object, params: SizeParams) -> bool:
    wanted, above, below = _bytes(size), _bytes(params.above), _bytes(params.below)
    return wanted is not None and ((above is not None and wanted > above) or (below is not None and wanted < below))


def _bytes(quantity: object) -> Decimal | None:
    found = QUANTITY.fullmatch(quantity) if isinstance(quantity, str) and not opaque(quantity) else None
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        return Decimal(quantity)
    if found is None:
        return None
    unit = found[2] or ""
    return Decimal(found[1]) * Decimal(1024 if unit.endswith("i") else 1000) ** POWERS[unit.rstrip("i")]
