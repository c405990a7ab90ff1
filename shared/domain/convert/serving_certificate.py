"""A Service whose certificate OpenShift's service CA made: a cert-manager Certificate for the same Secret, by Decision.

Facts: guide/aks_facts_source.md 4.5. The annotation names the Secret; the certificate holds `<service>.<namespace>.svc`, so the namespace
must be known. Which issuer signs is asked once for all (`certificates.issuer`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss
from shared.domain.convert.edits import annotations_of, label_of, name_of, namespace_of, without_annotations
from shared.domain.model import Question
from shared.domain.needs import AzureResource
from shared.domain.pointer import get

ANNOTATIONS = ("service.beta.openshift.io/serving-cert-secret-name", "service.alpha.openshift.io/serving-cert-secret-name")
KEY = "certificates.issuer"
CERT_MANAGER = AzureResource(
    "Cluster extension",
    "cert-manager",
    "issues the certificates that OpenShift's service CA issued",
    "helm install cert-manager oci://quay.io/jetstack/charts/cert-manager -n cert-manager --create-namespace --set crds.enabled=true",
)


def serving_certificate(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The annotation's removal and a Certificate beside the Service. Raises CannotConvert where issuer or namespace is not known."""
    found = [a for a in ANNOTATIONS if a in annotations_of(obj)]
    if not found:
        raise CannotConvert("OpenShift issues no certificate for the object")
    kind, issuer = _issuer(lookup)
    namespace, secret = namespace_of(obj), annotations_of(obj)[found[0]]
    if namespace is None:
        raise CannotConvert("the Service names no namespace, and its certificate must hold <service>.<namespace>.svc", path="/metadata")
    if lookup.exists("Certificate", namespace, secret):
        raise CannotConvert(f"a Certificate {namespace}/{secret} is already there", path="/metadata/annotations")
    certificate = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": secret, "namespace": namespace},
        "spec": {"secretName": secret, "dnsNames": _names(obj, namespace), "issuerRef": {"kind": kind, "name": issuer}},
    }
    loss = Loss("/metadata/annotations", f"clients of {label_of(obj)} must trust {kind} {issuer}: the service CA of OpenShift is gone")
    operations = tuple(without_annotations(obj, ANNOTATIONS))
    return Conversion(operations, (certificate,), (loss,), resources=(CERT_MANAGER,))


def _issuer(lookup: Lookup) -> tuple[str, str]:
    """(kind, name) of the answered issuer, a ClusterIssuer where only its name is said."""
    answer = lookup.decision(KEY)
    kind, _, name = answer.strip().rpartition("/") if isinstance(answer, str) else ("", "", "")
    if name and kind in ("", "ClusterIssuer", "Issuer"):
        return kind or "ClusterIssuer", name
    text = "Which cert-manager issuer signs the certificates that OpenShift's service CA made (ClusterIssuer/NAME or Issuer/NAME)?"
    reason = "which issuer signs the Service's certificate on AKS must be said"
    raise CannotConvert(reason, Question(KEY, text, "ClusterIssuer/internal-ca"), "/metadata/annotations")


def _names(obj: Mapping[str, Any], namespace: str) -> list[str]:
    name = name_of(obj)
    names = [f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local", f"{name}.{namespace}", name]
    return [*names, f"*.{name}.{namespace}.svc"] if get(obj, "/spec/clusterIP") == "None" else names
