"""Manifests read the way kubectl reads them (DESIGN 7), with the place of every node in the text."""

from shared.domain.manifest.comments import has_comment
from shared.domain.manifest.document import Document, Manifest, ManifestStatus, is_object, objects_of, resources
from shared.domain.manifest.reader import KUSTOMIZATION_NAMES, MAX_BYTES, SUFFIXES, kept_manifest, read_manifest

__all__ = [
    "KUSTOMIZATION_NAMES",
    "MAX_BYTES",
    "SUFFIXES",
    "Document",
    "Manifest",
    "ManifestStatus",
    "has_comment",
    "is_object",
    "kept_manifest",
    "objects_of",
    "read_manifest",
    "resources",
]
