"""What the index notes of an object for the move itself: what it runs and asks of a node, what data it holds, what traffic it takes.

Small on purpose, as the index travels with every batch. No value of a Secret, environment variable or argument is among it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.noted import storage, traffic, workloads
from shared.domain.noted.values import Noted, filled, text, texts
from shared.domain.paths import pod_spec
from shared.domain.pointer import get


def noted(obj: Mapping[str, Any]) -> Noted:
    """The facts of an object; {} where it matters to none of the questions."""
    make = workloads.workload if pod_spec(obj) is not None else NOTES.get(obj["kind"])
    return filled(make(obj)) if make else {}


def _external_secret(obj: Mapping[str, Any]) -> Noted:
    return {"secret": text(get(obj, "/spec/target/name"))}


def _provider_class(obj: Mapping[str, Any]) -> Noted:
    return {"secrets": texts(obj, "/spec/secretObjects/*/secretName")}


def _definition(obj: Mapping[str, Any]) -> Noted:
    return {"group": text(get(obj, "/spec/group"))}


NOTES: Mapping[str, Callable[[Mapping[str, Any]], Noted]] = {
    "PersistentVolumeClaim": storage.claim, "PersistentVolume": storage.volume, "StorageClass": storage.storage_class,
    "HorizontalPodAutoscaler": workloads.scaler, "ScaledObject": workloads.scaler, "Service": traffic.service,
    "Ingress": traffic.ingress, "Route": traffic.route, "IngressRoute": traffic.ingress_route, "IngressRouteTCP": traffic.ingress_route,
    "HTTPRoute": traffic.gateway_route, "GRPCRoute": traffic.gateway_route, "TLSRoute": traffic.gateway_route, "Gateway": traffic.gateway,
    "Certificate": traffic.certificate, "Issuer": traffic.solvers, "ClusterIssuer": traffic.solvers,
    "ExternalSecret": _external_secret, "SecretProviderClass": _provider_class, "CustomResourceDefinition": _definition,
}  # fmt: skip
"""By kind, besides the workloads."""
