"""Re-encryption: routes whose pods speak TLS themselves, by a BackendTLSPolicy on a Gateway, by annotations on ingress-nginx.

Facts: guide/aks_facts_source.md 0 and 1.3, guide/aks_facts_target.md 2.5. BackendTLSPolicy is in the standard channel from Gateway API 1.4,
which AKS has from Kubernetes 1.35 on; Application Gateway for Containers has a kind of its own of that name. All check the name in the
pods' certificate; the router did not where the Route brought its own CA.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, Loss, decision_key
from shared.domain.convert.edits import label_of, name_of, namespace_of
from shared.domain.convert.gateway_classes import (
    BACKEND_TLS_FROM,
    class_of,
    like_nginx,
    reads_own_backend_policy,
    uses_gateway,
    version_of,
)
from shared.domain.convert.httproute import sibling
from shared.domain.convert.route_annotations import NGINX
from shared.domain.convert.route_form import RouteSpec, Tls
from shared.domain.model import Question

Document = dict[str, Any]
TERMINATION = "/spec/tls/termination"


def check_reencrypt(lookup: Lookup) -> None:
    """Raises CannotConvert where the target cannot speak TLS to pods."""
    if not uses_gateway(lookup):
        if not like_nginx(lookup):
            reason = f"how class {class_of(lookup)} encrypts towards the pods stands in its own objects: choose the Gateway API"
            raise CannotConvert(reason, path=TERMINATION)
    elif version_of(lookup) < BACKEND_TLS_FROM and not reads_own_backend_policy(lookup):
        raise CannotConvert("re-encryption needs a BackendTLSPolicy, which AKS serves from Kubernetes 1.35 on", path=TERMINATION)


def backend_policy(
    obj: Document, spec: RouteSpec, tls: Tls, backends: Sequence[tuple[str, int, int]], lookup: Lookup
) -> tuple[tuple[Document, ...], list[Loss]]:
    """The BackendTLSPolicy of a re-encrypting Route in the form that the class reads, with its CA where the Route brought one.

    Raises CannotConvert with a question per answer that is missing: the CA, and the name in the certificate.
    """
    own = reads_own_backend_policy(lookup)
    peer = _peer(obj, spec, tls, "Secret" if own else "ConfigMap", lookup)
    text = f"the pods' certificate must now name {peer.host}, and every route to these Services uses TLS"
    made = _containers_policies(obj, backends, peer, lookup) if own else [_standard_policy(obj, backends, peer, lookup)]
    return (*peer.documents, *made), [Loss(TERMINATION, text)]


def nginx_backend(obj: Document, spec: RouteSpec, tls: Tls, lookup: Lookup) -> tuple[dict[str, str], tuple[Document, ...], list[Loss]]:
    """(annotations, documents, losses) that make ingress-nginx encrypt towards the pods and check their certificate, as the router did.

    Raises CannotConvert with a question per answer that is missing, and where the Route says no namespace, which nginx wants with the name.
    """
    namespace = namespace_of(obj)
    if namespace is None:
        raise CannotConvert("ingress-nginx wants the CA's Secret with its namespace, which the Route does not say", path="/metadata")
    peer = _peer(obj, spec, tls, "Secret", lookup)
    told = {
        "backend-protocol": "HTTPS",
        "proxy-ssl-secret": f"{namespace}/{peer.ca}",
        "proxy-ssl-verify": "on",
        "proxy-ssl-name": peer.host,
    }
    return {NGINX + k: v for k, v in told.items()}, peer.documents, [Loss(TERMINATION, f"the pods' certificate must now name {peer.host}")]


def _standard_policy(obj: Document, backends: Sequence[tuple[str, int, int]], peer: Peer, lookup: Lookup) -> Document:
    targets = [{"group": "", "kind": "Service", "name": s} for s in dict.fromkeys(name for name, _, _ in backends)]
    references = [{"group": "", "kind": "ConfigMap", "name": peer.ca}]
    policy = {"targetRefs": targets, "validation": {"caCertificateRefs": references, "hostname": peer.host}}
    return _beside(obj, "gateway.networking.k8s.io/v1", "BackendTLSPolicy", "backend-tls", {"spec": policy}, lookup)


def _containers_policies(obj: Document, backends: Sequence[tuple[str, int, int]], peer: Peer, lookup: Lookup) -> list[Document]:
    """One per Service: this kind names a single one, and its ports (alb.networking.azure.io/v1, guide/aks_facts_target.md 2.5)."""
    made = []
    for i, (name, port, _) in enumerate(backends, start=1):
        verify = {"caCertificateRef": {"group": "", "kind": "Secret", "name": peer.ca}, "subjectAltName": peer.host}
        default = {"sni": peer.host, "ports": [{"port": port}], "verify": verify}
        policy = {"targetRef": {"group": "", "kind": "Service", "name": name}, "default": default}
        suffix = "backend-tls" if i == 1 else f"backend-tls-{i}"
        made.append(_beside(obj, "alb.networking.azure.io/v1", "BackendTLSPolicy", suffix, {"spec": policy}, lookup))
    return made


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of the pods' certificate: the object that holds its CA (key ca.crt), the name in it, and what must be made for it."""

    ca: str
    host: str
    documents: tuple[Document, ...]


def _peer(obj: Document, spec: RouteSpec, tls: Tls, store: str, lookup: Lookup) -> Peer:
    """`store` is the kind that holds the CA. Raises CannotConvert with the questions that are open."""
    label, namespace = label_of(obj), namespace_of(obj)
    own_ca = tls.destination_ca_certificate if (tls.destination_ca_certificate or "").strip() else None
    ca = f"{name_of(obj)}-backend-ca" if own_ca else _answer(lookup, "backendCAs", label)
    host = _answer(lookup, "backendHostnames", label) or (f"{spec.to.name}.{namespace}.svc" if namespace and not own_ca else None)
    if ca is None or host is None:
        reason = "re-encryption needs the CA and the host name of the pods' certificate"
        questions = tuple(_questions(obj, spec, store, ca=ca, host=host))
        raise CannotConvert(reason, questions[0], TERMINATION, questions)
    return Peer(ca, host, (_ca_document(obj, store, own_ca, lookup),) if own_ca else ())


def _questions(obj: Document, spec: RouteSpec, store: str, *, ca: str | None, host: str | None) -> Iterator[Question]:
    label = label_of(obj)
    if ca is None:
        text = f"Which {store} (key ca.crt) holds the CA of the pods behind Route {label}? The service CA of OpenShift is gone."
        yield Question(decision_key("backendCAs", label), text, f"{name_of(obj)}-backend-ca")
    if host is None:
        text = f"Which host name stands in the certificate of the pods behind Route {label}? AKS checks it; the router did not."
        yield Question(decision_key("backendHostnames", label), text, f"{spec.to.name}.shop.svc")


def _ca_document(obj: Document, store: str, text: str, lookup: Lookup) -> Document:
    """A CA is public: it may stand in a file, in a Secret where the controller reads no other kind."""
    body: Document = {"type": "Opaque", "stringData": {"ca.crt": text}} if store == "Secret" else {"data": {"ca.crt": text}}
    return _beside(obj, "v1", store, "backend-ca", body, lookup)


def _answer(lookup: Lookup, group: str, label: str) -> str | None:
    found = lookup.decision(decision_key(group, label))
    return found.strip() if isinstance(found, str) and found.strip() else None


def _beside(obj: Document, api_version: str, kind: str, suffix: str, body: Mapping[str, Any], lookup: Lookup) -> Document:
    made = sibling(obj, suffix, {}, lookup, kind)
    return {"apiVersion": api_version, "kind": kind, "metadata": made["metadata"], **body}
