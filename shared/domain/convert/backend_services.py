"""Services that an old controller reached otherwise than a Gateway would: by the Service's own annotations, type or port.

Facts: guide/aks_facts_source.md 5.3 (Traefik speaks HTTPS to port 443 and to ports called https*; its annotations on Services) and 5.9
(BackendConfig holds logins, firewalls and timeouts of GKE); Gateway API: implementations should not serve Services of type ExternalName.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.convert.base import CannotConvert, Lookup
from shared.domain.convert.edits import annotations_of

SPEAKS_OTHERWISE: Mapping[str, str] = {
    "cloud.google.com/backend-config": "a BackendConfig may hold a login, a firewall or a timeout, which a Gateway does not have",
    "beta.cloud.google.com/backend-config": "a BackendConfig may hold a login, a firewall or a timeout, which a Gateway does not have",
    "traefik.ingress.kubernetes.io/service.serverstransport": "a ServersTransport says how its pods are reached",
    "traefik.ingress.kubernetes.io/service.middlewares": "its Middlewares would be lost",
}
PLAIN_VALUES: Mapping[str, tuple[str, ...]] = {
    "cloud.google.com/app-protocols": ("HTTPS", "HTTP2", "GRPC"),
    "traefik.ingress.kubernetes.io/service.serversscheme": ("https", "h2c"),
    "traefik.ingress.kubernetes.io/service.passhostheader": ("false",),
}
"""Annotations that matter only where their value holds one of these words."""

ANNOTATIONS = (*SPEAKS_OTHERWISE, *PLAIN_VALUES)
"""What the index of a run keeps of a Service's annotations."""


def check_backend(lookup: Lookup, namespace: str | None, name: str, path: str) -> None:
    """Raises CannotConvert where a Service of the run was reached in a way that a Gateway has not."""
    service = lookup.find("Service", namespace, name) or {}
    spec = service.get("spec")
    if isinstance(spec, Mapping) and spec.get("type") == "ExternalName":
        raise CannotConvert(f"Service {name} is of type ExternalName, which has no pods to route to", path=path)
    for annotation, value in annotations_of(service).items():
        words = PLAIN_VALUES.get(annotation, ())
        if annotation in SPEAKS_OTHERWISE or any(w in value for w in words):
            reason = SPEAKS_OTHERWISE.get(annotation, f"its pods are reached otherwise ({annotation.rpartition('/')[2]})")
            raise CannotConvert(f"Service {name} has the annotation {annotation}: {reason}", path=path)


def speaks_tls(lookup: Lookup, namespace: str | None, service: str, port: int, name: str = "") -> bool:
    """Whether Traefik spoke HTTPS to this port of a Service of its own accord: port 443, or a port called `https*`."""
    ports = (lookup.service(namespace, service) or {}).get("ports") or []
    names = [str(p.get("name") or "") for p in ports if isinstance(p, Mapping) and p.get("port") == port]
    return port == 443 or any(n.startswith("https") for n in (name, *names))
