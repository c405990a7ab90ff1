"""Routes whose pods speak TLS themselves, encrypted anew by the Gateway: re-encryption by a BackendTLSPolicy.

Facts: guide/aks_facts_source.md 0 and 1.3. BackendTLSPolicy is in the standard channel from Gateway API bundle v1.4, which AKS has from
Kubernetes 1.35 on. It always checks the name in the pods' certificate; the router did not where the Route brought its own CA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, Loss, decision_key
from shared.domain.convert.edits import (
    label_of,
    name_of,
    namespace_of,
)
from shared.domain.convert.gateway_classes import BACKEND_TLS_FROM, uses_gateway, version_of
from shared.domain.convert.httproute import check_free, sibling
from shared.domain.convert.route_form import RouteSpec, Tls
from shared.domain.model import Question

Document = dict[str, Any]


def check_reencrypt(lookup: Lookup) -> None:
    """Raises CannotConvert where the target cannot speak TLS to pods."""
    if not uses_gateway(lookup):
        raise CannotConvert(
            "re-encryption towards the pods is not said for an Ingress: choose the Gateway API", path="/spec/tls/termination"
        )
    if version_of(lookup) < BACKEND_TLS_FROM:
        reason = "re-encryption needs a BackendTLSPolicy, which AKS serves from Kubernetes 1.35 on"
        raise CannotConvert(reason, path="/spec/tls/termination")


def backend_policy(
    obj: Document, spec: RouteSpec, tls: Tls, services: list[str], lookup: Lookup
) -> tuple[tuple[Document, ...], list[Loss]]:
    """The BackendTLSPolicy of a re-encrypting Route, with the ConfigMap of its CA where the Route brought one.

    Raises CannotConvert with a question per answer that is missing: the ConfigMap of the CA, and the name in the certificate.
    """
    ca, host = _peer(obj, spec, tls, lookup)
    made: list[Document] = []
    if ca is None:
        ca = f"{name_of(obj)}-backend-ca"
        made.append(_beside(obj, "v1", "ConfigMap", "backend-ca", {"data": {"ca.crt": tls.destination_ca_certificate}}, lookup))
    references = [{"group": "", "kind": "ConfigMap", "name": ca}]
    targets = [{"group": "", "kind": "Service", "name": s} for s in dict.fromkeys(services)]
    policy = {"targetRefs": targets, "validation": {"caCertificateRefs": references, "hostname": host}}
    made.append(_beside(obj, "gateway.networking.k8s.io/v1", "BackendTLSPolicy", "backend-tls", {"spec": policy}, lookup))
    return tuple(made), [
        Loss("/spec/tls/termination", f"the pods' certificate must now name {host}, and every route to these Services uses TLS")
    ]


def _peer(obj: Document, spec: RouteSpec, tls: Tls, lookup: Lookup) -> tuple[str | None, str]:
    """(ConfigMap of the CA, None where the Route brings its own; host name in the certificate)."""
    label, namespace = label_of(obj), namespace_of(obj)
    own_ca = bool(tls.destination_ca_certificate and tls.destination_ca_certificate.strip())
    ca = None if own_ca else _answer(lookup, "backendCAs", label)
    host = _answer(lookup, "backendHostnames", label) or (f"{spec.to.name}.{namespace}.svc" if namespace and not own_ca else None)
    questions = []
    if not own_ca and ca is None:
        text = f"Which ConfigMap (key ca.crt) holds the CA of the pods behind Route {label}? The service CA of OpenShift is gone."
        questions.append(Question(decision_key("backendCAs", label), text, f"{name_of(obj)}-backend-ca"))
    if host is None:
        text = f"Which host name stands in the certificate of the pods behind Route {label}? A Gateway checks it; the router did not."
        questions.append(Question(decision_key("backendHostnames", label), text, f"{spec.to.name}.shop.svc"))
    if questions or host is None:
        reason = "re-encryption needs the CA and the host name of the pods' certificate"
        raise CannotConvert(reason, questions[0], "/spec/tls/termination", tuple(questions))
    return ca, host


def _answer(lookup: Lookup, group: str, label: str) -> str | None:
    found = lookup.decision(decision_key(group, label))
    return found.strip() if isinstance(found, str) and found.strip() else None


def _beside(obj: Document, api_version: str, kind: str, suffix: str, body: Mapping[str, Any], lookup: Lookup) -> Document:
    made = sibling(obj, suffix, {}, lookup)
    check_free(kind, namespace_of(obj), made["metadata"]["name"], lookup)
    return {"apiVersion": api_version, "kind": kind, "metadata": made["metadata"], **body}
