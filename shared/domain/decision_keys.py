"""The groups of `.aks-copilot.yaml`: what each answers, and which form an answer has. docs/decisions.md shows every one.

A test holds this table against the keys that the code and the rules ask for, so that no answer is ever called unknown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.rulebook import Rule

Form = Literal["text", "number", "port", "user", "exposure", "passthrough", "subject", "values"]
FORMS: Mapping[Form, str] = {
    "text": "text (quote what is a number otherwise)",
    "number": "a whole number",
    "port": "a port's number or name",
    "user": "a user's number, or image",
    "exposure": "public or internal",
    "passthrough": "gateway, public or internal",
    "subject": "an object id of Entra ID, a user's sign-in name, keep or drop",
    "values": "a mapping of names to values",
}

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One top-level key: answers of one form by name; with `only`, no other names than these."""

    about: str
    form: Form = "text"
    only: tuple[str, ...] = ()


RESERVED = ("version", "source", "open", "repository")
GROUPS: Mapping[str, Group] = {
    "registries": Group("the registry that replaces one of the old cluster"),
    "images": Group("the image, with its tag or digest, that an image without a version or an ImageStream stands for"),
    "builds": Group("where the image of a BuildConfig is built from now on; the BuildConfig then goes"),
    "storageClasses": Group("the class of the AKS cluster that replaces a class of the old one"),
    "nfs": Group("what becomes of an NFS server: `keep` where AKS reaches it"),
    "parameters": Group("the values of an OpenShift Template's parameters", "values"),
    "hostnames": Group("the host name of a Route whose name OpenShift made up"),
    "tls": Group("the kubernetes.io/tls Secret that holds the certificate of a host"),
    "certificates": Group("the cert-manager issuer that takes the place of OpenShift's service CA", "text", ("issuer",)),
    "backendCAs": Group(
        "the ConfigMap, or the Secret where the class reads that, (key ca.crt) with the CA of the pods behind a re-encrypting Route"
    ),
    "backendHostnames": Group("the host name in the certificate of the pods behind a re-encrypting Route"),
    "tcpRoutes": Group("whether the load balancer in the place of an IngressRouteTCP or IngressRouteUDP is public or internal", "exposure"),
    "passthrough": Group(
        "what passes TLS through to the pods: a TLSRoute on the Gateway, or a load balancer, public or internal", "passthrough"
    ),
    "ports": Group("the port of a Service that a route uses", "port"),
    "hosts": Group("what a host name of the old cluster is called on AKS, which is then written in its place; `keep` where it stays"),
    "addresses": Group("the address that takes the place of one of the old network, which is then written; `keep` where AKS reaches it"),
    "loadBalancers": Group("whether a Service of type LoadBalancer gets a public or an internal address", "exposure"),
    "ingress": Group("whether the shared Gateway gets a public or an internal address", "exposure", ("exposure",)),
    "gateways": Group(
        "the ApplicationLoadBalancer (namespace/name) of the shared Gateway of class azure-alb-external",
        "text",
        ("applicationLoadBalancer",),
    ),
    "replicas": Group("how many pods a DeploymentConfig runs that does not say", "number"),
    "nodeLabels": Group("what becomes of a node label that only the old cluster's nodes have"),
    "nodePools": Group("the AKS node pool that takes the place of a node pool of the old cloud"),
    "zones": Group("the Azure zone or region that takes the place of one of the old cloud"),
    "machineTypes": Group("the Azure VM size that takes the place of a machine type of the old cloud"),
    "ingressClasses": Group(
        "the ingress class for the Ingress that a chart makes: `none` where a route replaces it, `keep` where its controller comes along"
    ),
    "bases": Group("where among the files a copy of a remote base lies; `keep` where it needs nothing on AKS"),
    "identities": Group("the client id of the managed identity that a ServiceAccount (or the class of a vault) uses on AKS"),
    "subjects": Group(
        "the Entra ID object id of a user or group that a binding names (a user's sign-in name too); `keep`, or `drop` to take it out",
        "subject",
    ),
    "operators": Group("what installs on AKS the operator that OpenShift's catalogue installed; the Subscription then goes"),
    "vaultMounts": Group(
        "the Kubernetes auth mount of Vault that trusts the AKS cluster, in the place of the old cluster's: `keep` as it is"
    ),
    "probes": Group("how a container is probed, where AKS asks for probes: `http:8080/healthz`, `tcp:5432`, `exec:pg_isready` or `none`"),
    "users": Group("the user id that the pods of a workload run as; `image` where the image names a numeric one", "user"),
    "resources": Group("the requests and limits of containers that set none", "text", ("default",)),
}


def wrong_answers(decisions: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """(place, what is wrong) of every answer that cannot mean anything. An answer left empty is no answer, and not wrong."""
    if not isinstance(decisions.get("open") or {}, dict):
        yield ("open",), "open is the program's list of open questions: a mapping"
    for name, group in GROUPS.items():
        given = decisions.get(name)
        if given is None:
            continue
        if not isinstance(given, dict):
            yield (name,), f"{name} is not a mapping of names to answers"
            continue
        for key, value in given.items():
            if value is not None and not _fits(value, group.form):
                yield (name, key), f"the answer {name}.{key} must be {FORMS[group.form]}"


def _fits(value: Any, form: Form) -> bool:
    if form == "exposure":
        return value in ("public", "internal")
    if form == "passthrough":
        return value in ("gateway", "public", "internal")
    if form == "subject":
        return (
            isinstance(value, str)
            and re.fullmatch(r"keep|drop|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[^@\s]+@[^@\s]+", value) is not None
        )
    if form == "values":
        return isinstance(value, dict) and not any(isinstance(inner, (dict, list)) for inner in value.values())
    number = isinstance(value, int) and not isinstance(value, bool)
    if form == "user":
        return value == "image" or (str(value).isdigit() and int(value) > 0)
    return (number if form == "number" else isinstance(value, str) and bool(value.strip())) or (form == "port" and number)


def unknown_keys(decisions: Mapping[str, Any], rules: Iterable[Rule]) -> Iterator[tuple[Path, str]]:
    """(place, message) of every key that nothing reads: a slip of the pen would otherwise be an answer that nobody hears."""
    known = sorted({*RESERVED, *GROUPS, *asked_by(rules)})
    for name, value in decisions.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            yield (name,), f"Nothing reads the key {name}{f'; {near[0]} was meant, perhaps' if near else ''}."
        only = GROUPS[name].only if name in GROUPS else ()
        for key in value if only and isinstance(value, dict) else ():
            if key not in only:
                yield (name, key), f"Nothing reads {name}.{key}; known: {', '.join(only)}."


def asked_by(rules: Iterable[Rule]) -> set[str]:
    """The groups that rule files name: in the key of their question, or as the `family` of their fix."""
    rules = list(rules)
    families = {r.fix.params["family"] for r in rules if r.fix and isinstance(r.fix.params.get("family"), str)}
    return families | {r.ask.key.split(".")[0] for r in rules if r.ask and r.ask.key}
