"""Amounts as Kubernetes writes them (`500m`, `1.5`, `2048Mi`, `1e3`): read exactly, to compare them."""

from __future__ import annotations

import re
from decimal import Decimal

SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(10**3), "M": Decimal(10**6),
    "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10), "Mi": Decimal(2**20),
    "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
"""k8s.io/apimachinery/pkg/api/resource: decimal and binary suffixes."""

QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def quantity(value: object) -> Decimal | None:
    """The amount, or None where the value is none (a `${VAR}`, say)."""
    match = QUANTITY.fullmatch(str(value).strip()) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    return Decimal(number + (exponent or "")) * SUFFIXES[suffix or ""]
