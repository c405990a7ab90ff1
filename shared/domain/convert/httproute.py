"""The parts of a Gateway API HTTPRoute (v1, standard channel) that every conversion to it builds.

Facts: guide/aks_facts_target.md 2.3. Limits are those of the HTTPRoute CRD of bundle v1.4.1.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup
from shared.domain.convert.edits import is_opaque, metadata, name_of, namespace_of
from shared.domain.convert.names import NAME_LIMIT, bounded

API_VERSION = "gateway.networking.k8s.io/v1"
DEFAULT_GATEWAY = "aks-gateway"
HOSTNAME_LIMIT, RULE_LIMIT, MATCH_LIMIT, BACKEND_LIMIT, FILTER_ITEM_LIMIT = 16, 16, 64, 16, 16
ROUTE_MATCH_LIMIT = 128
HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
FORBIDDEN_IN_PATH = ("//", "/./", "/../", "%2f", "%2F", "#")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")


def gateway_name(lookup: Lookup) -> str:
    """The shared Gateway's name in the target."""
    ingress = lookup.target.get("ingress")
    name = ingress.get("gatewayName") if isinstance(ingress, Mapping) else None
    return name if isinstance(name, str) and name else DEFAULT_GATEWAY


def hostname(host: str, path: str) -> str:
    """A host as HTTPRoute and Ingress take it: lower case, without a final dot; `${VAR}` stays. Raises CannotConvert."""
    if is_opaque(host):
        return host
    plain = host.lower().rstrip(".")
    if len(plain) > NAME_LIMIT or not HOSTNAME.fullmatch(plain) or re.fullmatch(r"[0-9.]+", plain):
        raise CannotConvert(f"{host!r} is not a host name that a Gateway accepts", path=path)
    return plain


def path_value(value: str, path: str) -> str:
    """A path as HTTPRoute takes it; `${VAR}` stays. Raises CannotConvert."""
    if is_opaque(value):
        return value
    bad = not value.startswith("/") or any(f in value for f in FORBIDDEN_IN_PATH) or value.endswith(("/.", "/.."))
    if bad or len(value) > 1024 or not PATH.fullmatch(value):
        raise CannotConvert(f"{value!r} is not a path that an HTTPRoute accepts", path=path)
    return value


def header_modifier(values: Mapping[str, str], removed: Iterable[str], path: str) -> dict[str, Any]:
    """The body of a Request- or ResponseHeaderModifier; {} where nothing is asked. Raises CannotConvert past its limits."""
    gone = list(removed)
    if any(not HEADER_NAME.fullmatch(n) for n in (*values, *gone)) or max(len(values), len(gone)) > FILTER_ITEM_LIMIT:
        raise CannotConvert("these headers do not fit a header filter of an HTTPRoute", path=path)
    names = [n.lower() for n in (*values, *gone)]
    if len(set(names)) < len(names) or any(not 0 < len(v) <= 4096 for v in values.values()):
        raise CannotConvert("a header is set twice, or to nothing, which a header filter of an HTTPRoute cannot do", path=path)
    modifier: dict[str, Any] = {}
    if values:
        modifier["set"] = [{"name": n, "value": v} for n, v in values.items()]
    if gone:
        modifier["remove"] = gone
    return modifier


def filter_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of `rules[].filters`: the type and its body under the type's own key."""
    return {"type": kind, kind[0].lower() + kind[1:] if not kind.startswith("URL") else "urlRewrite": dict(body)}


def https_redirect(status: int = 301) -> dict[str, Any]:
    """The filter that sends a client to HTTPS."""
    return filter_of("RequestRedirect", {"scheme": "https", "statusCode": status})


def backend_refs(backends: Sequence[tuple[str, int, int]]) -> list[dict[str, Any]]:
    """`backendRefs` of (service, port, weight): the weights stand where they say something, among several backends, else only 0.

    The default of the API (1) is not that of the sources.
    """
    weighted = len(backends) > 1 or backends[0][2] == 0
    return [{"name": name, "port": port} | ({"weight": share} if weighted else {}) for name, port, share in backends]


def route_spec(lookup: Lookup, sections: Sequence[str], hostnames: Sequence[str], rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`spec` of an HTTPRoute on these listeners of the shared Gateway. Raises CannotConvert past the CRD's limits."""
    if len(hostnames) > HOSTNAME_LIMIT or len(rules) > RULE_LIMIT:
        raise CannotConvert(f"more than {HOSTNAME_LIMIT} hosts or {RULE_LIMIT} rules do not fit one HTTPRoute: split the object")
    if any(len(r.get("matches", ())) > MATCH_LIMIT or len(r.get("backendRefs", ())) > BACKEND_LIMIT for r in rules):
        raise CannotConvert(f"more than {MATCH_LIMIT} matches or {BACKEND_LIMIT} backends do not fit one rule of an HTTPRoute")
    if sum(len(r.get("matches", ())) for r in rules) > ROUTE_MATCH_LIMIT:
        raise CannotConvert(f"more than {ROUTE_MATCH_LIMIT} matches do not fit one HTTPRoute: split the object")
    spec: dict[str, Any] = {"parentRefs": [{"name": gateway_name(lookup), "sectionName": s} for s in dict.fromkeys(sections)]}
    if hostnames:
        spec["hostnames"] = list(hostnames)
    return spec | {"rules": [dict(r) for r in rules]}


def sibling(obj: Mapping[str, Any], suffix: str, spec: Mapping[str, Any], lookup: Lookup, kind: str = "HTTPRoute") -> dict[str, Any]:
    """A further route beside the converted object, with its namespace and labels. Raises CannotConvert where its name is taken."""
    name = bounded(f"{name_of(obj)}-{suffix}", NAME_LIMIT)
    check_free(kind, namespace_of(obj), name, lookup)
    meta: dict[str, Any] = {"name": name}
    for field in ("namespace", "labels"):
        if metadata(obj).get(field):
            meta[field] = copy.deepcopy(metadata(obj)[field])
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta, "spec": dict(spec)}


def check_free(kind: str, namespace: str | None, name: str, lookup: Lookup) -> None:
    """Raises CannotConvert where the run already has an object of this kind and name."""
    if lookup.exists(kind, namespace, name):
        raise CannotConvert(f"{kind} {namespace + '/' if namespace else ''}{name} is already there")
