"""What kustomize must be told of Gateway API objects: where they name Services, Gateways and Secrets, so that new names reach them.

A kustomization that gives names a prefix, a suffix or a generated Secret's hash follows them in the kinds that it knows (an Ingress,
say), and in others only by a `configurations` file with nameReference entries; one beside the base holds for every overlay of it
(tried with kubectl 1.35). Paths are those of the Gateway API's specification.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Set
from typing import Any

from shared.domain.convert.base import Op
from shared.domain.convert.kustomize_changes import listed
from shared.domain.pointer import JsonValue

FILE_NAME = "aks-names.yaml"
HEADER = (
    "# Written by aks-copilot: where routes and Gateways name other objects, so that kustomize's prefixes and suffixes reach these names.\n"
)
GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "TLSRoute", "GRPCRoute")


def _spec(kind: str, path: str, group: str = GROUP) -> dict[str, JsonValue]:
    return {"kind": kind, "group": group, "path": path}


NAME_REFERENCES: JsonValue = {
    "nameReference": [
        {
            "kind": "Service",
            "version": "v1",
            "fieldSpecs": [
                *(_spec(kind, "spec/rules/backendRefs/name") for kind in ROUTES),
                _spec("HTTPRoute", "spec/rules/filters/requestMirror/backendRef/name"),
                _spec("BackendTLSPolicy", "spec/targetRefs/name"),
                _spec("ReferenceGrant", "spec/to/name"),
            ],
        },
        {"kind": "Gateway", "group": GROUP, "fieldSpecs": [_spec(kind, "spec/parentRefs/name") for kind in ROUTES]},
        {"kind": "Secret", "version": "v1", "fieldSpecs": [_spec("Gateway", "spec/listeners/tls/certificateRefs/name")]},
        {"kind": "ConfigMap", "version": "v1", "fieldSpecs": [_spec("BackendTLSPolicy", "spec/validation/caCertificateRefs/name")]},
    ]
}
"""The content of the file."""


def without_literals(content: Mapping[str, Any]) -> dict[str, Any]:
    """A kustomization as the index holds it: of the Secrets that it makes their names only."""
    made = content.get("secretGenerator")
    names = [{"name": e["name"]} for e in made if isinstance(e, dict) and isinstance(e.get("name"), str)] if isinstance(made, list) else []
    return {k: v for k, v in content.items() if k != "secretGenerator"} | ({"secretGenerator": names} if names else {})


def changes_names(content: Mapping[str, Any], secrets: Set[str]) -> bool:
    """Whether a kustomization renames what it builds, or makes one of these Secrets under a name of its own."""
    made = content.get("secretGenerator")
    generated = {e.get("name") for e in made if isinstance(e, dict)} if isinstance(made, list) else set()
    return bool(content.get("namePrefix") or content.get("nameSuffix") or generated & secrets)


def names_file(path: str) -> str:
    """The file beside a kustomization."""
    return posixpath.join(posixpath.dirname(path), FILE_NAME)


def configured(path: str, content: Mapping[str, Any]) -> Iterator[Op]:
    """The operation that makes a kustomization read the file; nothing where it does."""
    there = content.get("configurations")
    if names_file(path) in listed(path, content, ("configurations",)):
        return
    yield Op("add", f"/configurations/{len(there)}", FILE_NAME) if isinstance(there, list) else Op("add", "/configurations", [FILE_NAME])
