"""The fixes that rule files name. Importing this package registers them all."""

from shared.domain.fixes import (
    access,
    basic,
    chart_values,
    identity,
    images,
    objects,
    operators,
    probes,
    resources,
    scheduling,
    security,
    services,
    storage,
    traefik,
    vault,
)
from shared.domain.fixes.base import FIXES, FixMechanism

__all__ = [
    "FIXES",
    "FixMechanism",
    "access",
    "basic",
    "chart_values",
    "identity",
    "images",
    "objects",
    "operators",
    "probes",
    "resources",
    "scheduling",
    "security",
    "services",
    "storage",
    "traefik",
    "vault",
]
