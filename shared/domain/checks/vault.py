"""Logins to HashiCorp Vault that only the old cluster's tokens open: a mount of its Kubernetes auth method trusts one cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.basic import When
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.paths import expand, pod_metadata
from shared.domain.pointer import MISSING, get

GROUP = "vaultMounts"
"""The Decisions that name the mount for AKS in the place of the old cluster's."""

KEEP = "keep"
DEFAULT = "kubernetes"
PREFIXES = ("/v1/auth/", "v1/auth/", "auth/")
"""How the API's own path of a mount begins (cert-manager and the agent's annotation write it, stores do not)."""

AGENT = "vault.hashicorp.com/"
BANK_VAULTS = "vault.security.banzaicloud.io/"


class MountParams(When):
    """`paths` are fields that name a mount; those of `defaulted` mean the mount `kubernetes` where they are absent."""

    paths: tuple[str, ...] = ()
    defaulted: tuple[str, ...] = ()


def mount_of(value: str) -> tuple[str, str]:
    """(what stands before the mount's name, the name)."""
    before = next((p for p in PREFIXES if value.startswith(p)), "")
    return before, value.removeprefix(before).strip("/")


@check("auth-mount", MountParams)
def auth_mount(obj: Mapping[str, Any], params: MountParams, facts: Facts) -> Iterator[Found]:
    """Fires at each mount of Vault's Kubernetes auth method that no answer settles. Fields: `value` and the `key` of the Decision."""
    if not params.holds(obj):
        return
    given = facts.setup.decisions.get(GROUP)
    settled = {v for v in given.values() if isinstance(v, str)} if isinstance(given, dict) else set()
    for path in (p for pattern in (*params.paths, *params.defaulted) for p in expand(obj, pattern)):
        value = get(obj, path)
        if value is MISSING and any(path in expand(obj, pattern) for pattern in params.defaulted):
            value = DEFAULT
        if not isinstance(value, str) or opaque(value):
            continue
        mount = mount_of(value)[1]
        key = decision_key("vaultMounts", mount)
        if mount and mount not in settled and facts.decision(key) != KEEP:
            yield Found(path, {"value": mount, "key": key})


@check("vault-agent", Nothing)
def vault_agent(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at pods into which Vault's agent is put with the mount that its installation names. Field: the `role` it logs in as."""
    place = f"{pod_metadata(obj) or ''}/annotations"
    given = get(obj, place)
    if not isinstance(given, dict):
        return
    agent = str(given.get(f"{AGENT}agent-inject")).lower() == "true" and f"{AGENT}auth-path" not in given
    other = given.get(f"{AGENT}auth-type", DEFAULT) != DEFAULT
    role = given.get(f"{AGENT}role") if agent and not other else given.get(f"{BANK_VAULTS}vault-role")
    bank = f"{BANK_VAULTS}vault-role" in given and f"{BANK_VAULTS}vault-path" not in given
    if (agent and not other) or bank:
        yield Found(place, {"role": role if isinstance(role, str) else "of the agent"})
