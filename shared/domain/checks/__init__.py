"""The checks that rule files name. Importing this package registers them all."""

from shared.domain.checks import (
    basic,
    chart_values,
    claims,
    cluster,
    identity,
    images,
    openshift,
    pods,
    rbac,
    scheduling,
    services,
    streams,
    text,
    traefik,
)
from shared.domain.checks.base import CHECKS, Check, Found

__all__ = [
    "CHECKS",
    "Check",
    "Found",
    "basic",
    "chart_values",
    "claims",
    "cluster",
    "identity",
    "images",
    "openshift",
    "pods",
    "rbac",
    "scheduling",
    "services",
    "streams",
    "text",
    "traefik",
]
