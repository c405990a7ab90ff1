"""Routes whose pods speak TLS themselves: re-encryption by a BackendTLSPolicy, passthrough by a LoadBalancer Service.

Facts: guide/aks_facts_source.md 0 and 1.3. BackendTLSPolicy is in the standard channel from Gateway API bundle v1.4, which AKS has from
Kubernetes 1.35 on. It always checks the name in the pods' certificate; the router did not where the Route brought its own CA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import (
    annotations_of,
    label_of,
    metadata,
    name_of,
    namespace_of,
    retype,
    without_annotations,
    without_fields,
)
from shared.domain.convert.httproute import check_free, sibling, uses_gateway
from shared.domain.convert.names import LABEL_LIMIT, bounded
from shared.domain.convert.route_annotations import dead_annotations
from shared.domain.convert.route_form import RouteSpec, Tls
from shared.domain.convert.service_ports import route_port
from shared.domain.model import Question

BACKEND_TLS_FROM = (1, 35)
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
Document = dict[str, Any]


def version_of(lookup: Lookup) -> tuple[int, ...]:
    """The target's Kubernetes version as numbers; () where it is not said."""
    parts = str(lookup.target.get("kubernetesVersion") or "").split(".")
    return tuple(int(p) for p in parts[:2] if p.isdigit())


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


def passthrough(obj: Document, spec: RouteSpec, lookup: Lookup) -> Conversion:
    """A LoadBalancer Service for the pods, by Decision `passthrough.<route>`. Raises CannotConvert with the question.

    A TLSRoute would say the same on a Gateway, but approuting-istio does not serve one (AKS documentation, application routing).
    """
    label = label_of(obj)
    key = decision_key("passthrough", label)
    answer = lookup.decision(key)
    if answer not in ("public", "internal"):
        text = f"Route {label} passes TLS through, which no Gateway of AKS does. Is the LoadBalancer in its place public or internal?"
        reason = (
            "TLS passthrough needs a TLSRoute, which is in the standard channel only from Gateway API bundle v1.5 (Kubernetes 1.36) and"
            " which approuting-istio does not serve yet: use a LoadBalancer Service, or end TLS at the Gateway"
        )
        raise CannotConvert(reason, Question(key, text, "internal"), "/spec/tls/termination")
    service = lookup.service(namespace_of(obj), spec.to.name) or {}
    if spec.alternate_backends or not service.get("selector"):
        raise CannotConvert(
            f"a LoadBalancer Service needs one Service with a selector behind the Route; {spec.to.name} has none", path="/spec/to"
        )
    target = spec.port.target_port if spec.port else None
    port, losses = route_port(lookup, namespace_of(obj), spec.to.name, target, "/spec/to")
    found: Mapping[str, Any] = next((p for p in service.get("ports") or [] if p.get("port") == port), {})
    body = {
        "type": "LoadBalancer",
        "selector": dict(service["selector"]),
        "ports": [{"name": "tls", "port": 443, "targetPort": found.get("targetPort", port)}],
    }
    return Conversion(
        (
            *retype(obj, "v1", "Service"),
            *_named(obj, lookup),
            Op("replace", "/spec", body),
            *_annotate(obj, answer),
            *without_fields(obj, "", ("status",)),
        ),
        losses=(*losses, *_passthrough_losses(spec)),
        reveals=("/spec/type",),
    )


def _named(obj: Document, lookup: Lookup) -> list[Op]:
    """Another name where a Service has the Route's already, as it mostly does."""
    if not lookup.exists("Service", namespace_of(obj), name_of(obj)):
        return []
    name = bounded(f"{name_of(obj)}-passthrough", LABEL_LIMIT)
    check_free("Service", namespace_of(obj), name, lookup)
    return [Op("replace", "/metadata/name", name)]


def _annotate(obj: Document, answer: object) -> list[Op]:
    """The router's annotations go; public or internal is said."""
    value = "true" if answer == "internal" else "false"
    annotations = annotations_of(obj)
    dead = dead_annotations(annotations)
    if not set(annotations) - set(dead):
        return [Op("replace" if "annotations" in metadata(obj) else "add", "/metadata/annotations", {INTERNAL: value})]
    return [*without_annotations(obj, dead), Op("add", f"/metadata/annotations/{INTERNAL.replace('/', '~1')}", value)]


def _passthrough_losses(spec: RouteSpec) -> list[Loss]:
    losses = [Loss("/spec/host", f"the DNS record of {spec.host or 'the host'} must point to the load balancer's own address")]
    if spec.tls and spec.tls.insecure_edge_termination_policy == "Redirect":
        losses.append(Loss("/spec/tls/insecureEdgeTerminationPolicy", "plain HTTP is no longer redirected: port 80 is closed"))
    if spec.path:
        losses.append(Loss("/spec/path", "the path counts for nothing where TLS is passed through, as on the router"))
    return losses
