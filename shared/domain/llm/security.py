"""What no answer of a model may weaken: security settings, capabilities, how a Service is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.domain.llm.effect import lists, same
from shared.domain.pointer import MISSING, JsonValue, get, split

TIGHT: Mapping[str, JsonValue] = {
    "privileged": False, "allowPrivilegeEscalation": False, "hostNetwork": False, "hostPID": False, "hostIPC": False,
    "runAsNonRoot": True, "readOnlyRootFilesystem": True, "automountServiceAccountToken": False, "hostUsers": False,
    "shareProcessNamespace": False, "hostProcess": False,
}  # fmt: skip
"""Security settings by field: the only value that a model may give them, and not take away (Pod Security Standards)."""

SANDBOXES = ("gvisor", "runsc", "kata", "firecracker")
"""How the names of runtime classes begin that keep a pod away from the node's kernel (their projects' installation guides)."""


def weakened(path: str, tokens: Sequence[str], old: JsonValue, new: JsonValue) -> bool:
    """Whether the change of one leaf weakens the security of its object."""
    last = tokens[-1]
    loose = last in TIGHT and not (same(new, TIGHT[last]) or (new is MISSING and not same(old, TIGHT[last])))
    rooted = last in ("runAsUser", "runAsGroup", "fsGroup") and (new is MISSING or same(new, 0))
    opened = last == "hostPort" and new is not MISSING
    exposed = path == "/spec/type" and new is not MISSING and new != "ClusterIP"
    profile = {"seccompProfile", "appArmorProfile", "seLinuxOptions", "procMount"} & set(tokens)
    unconfined = bool(profile) and (new is MISSING or new in ("Unconfined", "Unmasked", "unconfined"))
    bare = last == "runtimeClassName" and str(old).startswith(SANDBOXES) and not str(new).startswith(SANDBOXES)
    no_list = list(tokens[-2:]) == ["capabilities", "add"] and new is not MISSING and new != []
    return loose or rooted or opened or exposed or unconfined or bare or no_list


def capabilities_gained(before: JsonValue, after: JsonValue) -> Iterator[str]:
    """Pointers of lists that grant a capability more or drop one less. As sets: an item that slides into another's place adds nothing."""
    places = dict.fromkeys(p for value in (before, after) for p, _ in lists(value) if list(split(p)[-2:-1]) == ["capabilities"])
    for place in places:
        old, new = (value if isinstance(value := get(whole, place), list) else [] for whole in (before, after))
        one, other = (new, old) if place.endswith("/add") else (old, new)
        if any(item not in other for item in one):
            yield place


def node_ports_left(after: Mapping[str, Any]) -> bool:
    """Whether a Service of type ClusterIP would keep ports of the nodes, which the API server refuses (Service, `nodePort`)."""
    if after.get("kind") != "Service" or get(after, "/spec/type") not in (MISSING, "ClusterIP"):
        return False
    ports = get(after, "/spec/ports")
    kept = any(isinstance(p, dict) and p.get("nodePort") for p in (ports if isinstance(ports, list) else ()))
    return kept or get(after, "/spec/externalTrafficPolicy") is not MISSING
