"""The target file of a cluster dump: each key with the evidence for it as a comment, so that a person can check and correct it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from shared.domain.cluster_dump import Dump
from shared.domain.errors import ValidationError
from shared.domain.target import Target, default_target, merged_target

NOT_SAID = "not in the dump: as in the default target"
DISK, FILE = "disk.csi.azure.com", "file.csi.azure.com"
IN_TREE = {"kubernetes.io/azure-disk", "kubernetes.io/azure-file"}

BUILT_IN_GROUPS = (
    "core", "apps", "batch", "autoscaling", "policy", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
    "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "flowcontrol.apiserver.k8s.io", "metrics.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io",
    "scheduling.k8s.io", "storage.k8s.io",
)  # fmt: skip
"""Groups that every AKS cluster serves without a CustomResourceDefinition (kubernetes/api, and AKS' metrics server)."""

GATEWAY_CLASSES = ("approuting-istio", "istio", "azure-alb-external")
INGRESS_CLASSES = ("webapprouting.kubernetes.azure.com", "azure-alb-external", "azure-application-gateway")
"""Classes of AKS add-ons, the preferred first (aks_facts: managed NGINX is out of support, Application Gateway's own controller legacy)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value of the target file and where it comes from."""

    value: Any
    evidence: str


def target_text(dump: Dump, name: str) -> str:
    """The commented target file of a dump. Raises ValidationError where the cluster's version is not in it."""
    keys = {key: said for key, said in _keys(dump, name) if said.value not in (None, (), [])}
    merged_target({key: said.value for key, said in keys.items()})
    lines = ["# The cluster as it described itself. Written by `aks-copilot targets from-dump`; correct it by hand where it is wrong."]
    for key, said in keys.items():
        lines += [f"# {said.evidence}"] if said.evidence else []
        lines.append(yaml.safe_dump({key: said.value}, sort_keys=False, default_flow_style=None if key == "registries" else False).rstrip())
    return "\n".join(lines) + "\n"


def _keys(dump: Dump, name: str) -> Iterator[tuple[str, Said]]:
    version, mode = _version(dump), _mode(dump)
    title = f"AKS {str(mode.value).title()}, Kubernetes {version.value}"
    yield from {"name": Said(name, ""), "title": Said(title, ""), "kubernetesVersion": version, "mode": mode}.items()
    yield "safeguards", _safeguards(dump, mode.value)
    yield "podSecurity", _pod_security(dump, mode.value)
    yield "excludedNamespaces", Said(dump.get("az aks safeguards show", "excludedNamespaces"), "az aks safeguards show: excludedNamespaces")
    yield "ingress", _ingress(dump)
    yield "storage", _storage(dump)
    yield "provisioners", _provisioners(dump)
    yield "ingressClasses", Said(list(dump.named("IngressClass")), "kubectl get ingressclass")
    yield "registries", Said({}, "old registry: new registry; not something that a cluster can say")
    yield "apiGroups", _api_groups(dump)
    yield "layout", Said("auto", "")


def _version(dump: Dump) -> Said:
    for document, keys in (("kubectl version", ("serverVersion", "gitVersion")), ("az aks show", ("currentKubernetesVersion",))):
        found = re.match(r"v?(1\.\d+)", str(dump.get(document, *keys)))
        if found:
            return Said(found[1], f"{document}: {'.'.join(keys)} {dump.get(document, *keys)}")
    raise ValidationError("the dump does not say the cluster's version; save `kubectl version -o json` or `az aks show -o json` into it")


def _mode(dump: Dump) -> Said:
    sku = dump.get("az aks show", "sku", "name")
    if sku is None:
        return Said("standard", NOT_SAID)
    return Said("automatic" if str(sku).lower() == "automatic" else "standard", f"az aks show: sku.name {sku}")


_LEVELS = {"warn": "warn", "warning": "warn", "enforce": "enforce", "enforcement": "enforce", "off": "off"}


def _safeguards(dump: Dump, mode: str) -> Said:
    for document, keys in (("az aks safeguards show", ("level",)), ("az aks show", ("safeguardsProfile", "level"))):
        level = dump.get(document, *keys)
        if str(level).lower() in _LEVELS:
            return Said(_LEVELS[str(level).lower()], f"{document}: {'.'.join(keys)} {level}")
    if mode == "automatic":
        return Said("enforce", "AKS Automatic enforces unless told otherwise (`az aks safeguards show` is not in the dump)")
    return Said(default_target().safeguards, f"{NOT_SAID} (`az aks safeguards show`; where that answers NotFound: off)")


def _pod_security(dump: Dump, mode: str) -> Said:
    level = dump.get("az aks safeguards show", "podSecurityStandardsLevel")
    if str(level).lower() in {"privileged", "baseline", "restricted"}:
        return Said(str(level).lower(), f"az aks safeguards show: podSecurityStandardsLevel {level}")
    if mode == "automatic":
        return Said("baseline", "AKS Automatic holds every pod to baseline at least")
    return Said(default_target().pod_security, NOT_SAID)


def _ingress(dump: Dump) -> Said:
    gateways, ingresses = dump.named("GatewayClass"), dump.named("IngressClass")
    own = default_target().ingress
    chosen = next((c for c in GATEWAY_CLASSES if c in gateways), None)
    if chosen:
        return Said({"kind": "gateway-api", "class": chosen, "gatewayName": own.gateway_name}, _of("gatewayclass", gateways))
    chosen = next((c for c in INGRESS_CLASSES if c in ingresses), None) or next(iter(ingresses), None)
    if gateways and chosen not in INGRESS_CLASSES:
        return Said({"kind": "gateway-api", "class": next(iter(gateways)), "gatewayName": own.gateway_name}, _of("gatewayclass", gateways))
    if chosen:
        return Said({"kind": "ingress", "class": chosen}, _of("ingressclass", ingresses))
    return Said(
        own.model_dump(by_alias=True, exclude_unset=True),
        f"{NOT_SAID}; `az aks update --enable-gateway-api --enable-app-routing-istio`",
    )


def _of(kind: str, found: Mapping[str, Any]) -> str:
    return f"kubectl get {kind}: {', '.join(found)}"


def _storage(dump: Dump) -> Said:
    classes, own = dump.named("StorageClass"), default_target().storage
    if not classes:
        return Said(own.model_dump(mode="json", by_alias=True), NOT_SAID)
    by_driver = {driver: [n for n, c in classes.items() if c.get("provisioner") == driver] for driver in (DISK, FILE)}
    default = next((n for n, c in classes.items() if _is_default(c)), None)
    disk = _preferred(by_driver[DISK], own.disk, default)
    file = _preferred(by_driver[FILE], own.file, default)
    said = {"disk": disk or own.disk, "file": file or own.file, "known": list(classes)}
    lacking = [driver for driver, name in ((DISK, disk), (FILE, file)) if name is None]
    note = f"; no class of {' or '.join(lacking)}: add one, or correct the name" if lacking else ""
    return Said(said, f"kubectl get storageclass; default class: {default or 'none'}{note}")


def _is_default(storage_class: Mapping[str, Any]) -> bool:
    annotations = (storage_class.get("metadata") or {}).get("annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


def _preferred(names: list[str], usual: str, default: str | None) -> str | None:
    """The usual class where the cluster has it, else its default class, else the first: always one of the driver's own."""
    return next((n for n in (usual, default, *names) if n in names), None)


def _provisioners(dump: Dump) -> Said:
    classes = dump.named("StorageClass")
    if not classes:
        return Said(list(default_target().provisioners), NOT_SAID)
    found = {str(c.get("provisioner")) for c in classes.values()} - IN_TREE
    return Said(
        sorted(found | {DISK, FILE, "kubernetes.io/no-provisioner"}), "the storage classes' drivers, and those that are on by default"
    )


def _api_groups(dump: Dump) -> Said:
    definitions = dump.named("CustomResourceDefinition")
    if not definitions:
        return Said(list(default_target().api_groups), NOT_SAID)
    own = {str((d.get("spec") or {}).get("group")) for d in definitions.values()}
    return Said(
        [*BUILT_IN_GROUPS, *sorted(own.difference(BUILT_IN_GROUPS))],
        "Kubernetes' own, then those of the CustomResourceDefinitions",
    )


def doubts(target: Target) -> list[str]:
    """What in a valid target contradicts itself, a sentence each."""
    found = []
    for name, what in ((target.storage.disk, "disk"), (target.storage.file, "file")):
        if name not in target.storage.known:
            found.append(f"storage.{what}: {name} is not among storage.known")
    if target.mode == "automatic" and target.pod_security == "privileged":
        found.append("podSecurity: AKS Automatic holds every pod to baseline at least")
    if target.ingress.kind == "ingress" and target.ingress_classes and target.ingress.class_name not in target.ingress_classes:
        found.append(f"ingress.class: {target.ingress.class_name} is not among ingressClasses")
    if target.ingress.kind == "gateway-api" and not _serves(target, "gateway.networking.k8s.io"):
        found.append("ingress.kind: apiGroups has no gateway.networking.k8s.io, so that the cluster knows no Gateway")
    return found


def _serves(target: Target, group: str) -> bool:
    return any(fnmatch.fnmatchcase(group, pattern) for pattern in target.api_groups)
