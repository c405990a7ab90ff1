"""Operators that OpenShift's catalogue installs: which of them AKS replaces by what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from shared.domain.checks.base import Found, Wording, check, opaque
from shared.domain.facts import Facts
from shared.domain.operators import operator_of_package
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

PACKAGE_PATHS = ("/spec/name", "/spec/source/catalog/packageName", "/spec/packageName")
"""The package in a Subscription, and in a ClusterExtension of OLM v1 as it is and as it was (operator-framework.github.io)."""


NAMELESS = "an operator"


class PackageParams(Closed):
    """`of`: packages that something replaces, that AKS needs nothing for, or that the table does not know."""

    of: Literal["replaced", "needless", "unknown"]


@check("operator-package", PackageParams)
def operator_package(obj: Mapping[str, Any], params: PackageParams, _: Facts) -> Iterator[Found]:
    """Fires at an object of OLM that installs such a package. Fields: `package`, `operator`, `instead`."""
    package = next((v for p in PACKAGE_PATHS if isinstance(v := get(obj, p), str) and v), "")
    known = None if opaque(package) else operator_of_package(package)
    kind = "unknown" if known is None else "needless" if known.way == "nothing" else "replaced"
    if kind == params.of:
        fields = {"operator": known.name, "instead": Wording(known.instead)} if known else {}
        yield Found("/kind", {"package": package or NAMELESS, **fields})
