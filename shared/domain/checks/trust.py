"""Trust in the old cluster that manifests carry along: kubeconfigs with its address, and certificates of its own authorities.

What a Secret holds is looked at and never shown: a finding on one names its key alone.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.edits import annotations_of, namespace_of
from shared.domain.facts import Facts
from shared.domain.paths import expand
from shared.domain.pointer import child, get, parent

_SERVER = re.compile(r"""["']?server["']?\s*:\s*["']?(https?://[^\s"',}]+)""")
_KUBECONFIG = re.compile(r"""["']?(?:clusters|contexts)["']?\s*:""")
_SAME_EVERYWHERE = ("*//kubernetes.default*", "*//kubernetes", "*//kubernetes:*", "*.azmk8s.io*", "*$[{(A-Z]*", "*{{*", "*__*")
"""API servers that a move does not touch: the pod's own, AKS's, and those that are filled in later."""

_ARGO_CLUSTER = "/metadata/labels/argocd.argoproj.io~1secret-type"

INJECTED = ("cert-manager.io/inject-*", "certmanager.k8s.io/inject-*", "service.*.openshift.io/inject-cabundle")
"""Annotations by which an operator writes the bundle anew."""

SIGNERS: Mapping[bytes, str] = {
    b"k3s-server-ca": "k3s", b"k3s-request-header-ca": "k3s", b"rke2-server-ca": "RKE2", b"rke2-request-header-ca": "RKE2",
    b"openshift-service-serving-signer": "OpenShift", b"kube-apiserver-lb-signer": "OpenShift", b"minikubeCA": "minikube",
}  # fmt: skip
"""Names in the certificates of clusters' own authorities."""


@check("kubeconfig", Nothing)
def kubeconfig(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at each key of a ConfigMap or Secret that is a kubeconfig for another cluster. Field `value`: its server, never a Secret's."""
    secret = obj.get("kind") == "Secret"
    for path, text in _texts(obj):
        server = _SERVER.search(text) if _KUBECONFIG.search(text) else None
        if server and not any(fnmatch.fnmatchcase(server[1], g) for g in _SAME_EVERYWHERE):
            yield Found(path, {"value": "a kubeconfig for another cluster" if secret else f"a kubeconfig for {server[1]}"})
    if secret and get(obj, _ARGO_CLUSTER) == "cluster":
        yield from (
            Found(path, {"value": "the login to a cluster that Argo CD deploys to"})
            for path, text in _texts(obj)
            if path.endswith("/server") and not any(fnmatch.fnmatchcase(text, g) for g in _SAME_EVERYWHERE)
        )


def _texts(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(pointer, text) of each entry of a ConfigMap or Secret; what is no text is left out."""
    for field in ("data", "stringData"):
        held = obj.get(field)
        for key, value in held.items() if isinstance(held, dict) else ():
            coded = field == "data" and obj.get("kind") == "Secret"
            text = _decoded(value).decode("utf-8", "replace") if coded else value
            if isinstance(text, str) and isinstance(key, str):
                yield child(f"/{field}", key), text


def _decoded(value: object) -> bytes:
    """The bytes of base64 text; none where it is not."""
    try:
        return base64.b64decode(value, validate=False) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


BUNDLES = (
    "/webhooks/*/clientConfig/caBundle",
    "/spec/caBundle",
    "/spec/conversion/webhook/clientConfig/caBundle",
    "/spec/conversion/webhookClientConfig/caBundle",
)


@check("ca-bundle", Nothing)
def ca_bundle(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires once, at the first certificate written into a webhook or API service that nothing writes anew. Field `signer`."""
    if any(fnmatch.fnmatchcase(name, g) for name in annotations_of(obj) for g in INJECTED):
        return
    for path in (p for pattern in BUNDLES for p in expand(obj, pattern)):
        pem = _decoded(get(obj, path))
        signer = _signer(pem)
        if b"BEGIN CERTIFICATE" in pem and (signer or not (_outside(obj, path) or _brings_its_own(obj, path, facts))):
            yield Found(path, {"signer": f"{signer}'s own authority" if signer else "an authority of the old cluster, perhaps"})
            return


def _signer(pem: bytes) -> str | None:
    """The cluster whose authority a PEM certificate names, where it is a known one."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"---"))
    der = _decoded(body.decode("ascii", "replace"))
    return next((who for name, who in SIGNERS.items() if name in der), None)


def _outside(obj: Mapping[str, Any], path: str) -> bool:
    """Whether the certificate is that of a server outside of the cluster."""
    return isinstance(get(obj, f"{parent(path)}/url"), str)


def _brings_its_own(obj: Mapping[str, Any], path: str, facts: Facts) -> bool:
    """Whether the run brings a certificate for the namespace of the server: the pair was made by hand and moves as a whole."""
    namespace = get(obj, f"{parent(path)}/service/namespace")
    pairs = [s for s in facts.of_kind("Secret") if s.get("type") == "kubernetes.io/tls"]
    return any(namespace_of(s) in (namespace, None) for s in pairs)
