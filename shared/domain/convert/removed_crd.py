"""CustomResourceDefinition of apiextensions.k8s.io/v1beta1 (removed in 1.22) to v1, where the result prunes and accepts exactly the same.

Facts: guide/aks_facts_source.md 6 and the deprecation guide (v1.22). v1 wants a structural schema per version and prunes unknown fields.
Where v1beta1 kept them, `x-kubernetes-preserve-unknown-fields` on every object says the same. The calls of a conversion webhook move into
`conversion.webhook`; `scope` was Namespaced and `conversionReviewVersions` [v1beta1] where they were left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.convert.edits import retype, without_fields

VERSIONED = ("validation", "subresources", "additionalPrinterColumns")
MOVED = ("version", "preserveUnknownFields", *VERSIONED)
CLIENT, REVIEWS = "webhookClientConfig", "conversionReviewVersions"
KEEP = "x-kubernetes-preserve-unknown-fields"
ANYTHING = {"type": "object", KEEP: True}
NOT_STRUCTURAL = ("$ref", "definitions", "dependencies", "id", "patternProperties", "additionalItems")


def removed_crd(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The same definition in v1. Raises CannotConvert where v1 would prune or refuse what v1beta1 did not."""
    del lookup
    spec = obj.get("spec")
    if (
        obj.get("kind") != "CustomResourceDefinition"
        or obj.get("apiVersion") != "apiextensions.k8s.io/v1beta1"
        or not isinstance(spec, dict)
    ):
        raise CannotConvert("the object is not a CustomResourceDefinition of a removed API")
    operations = [
        *retype(obj, "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        Op("replace" if "versions" in spec else "add", "/spec/versions", [_version(v, spec) for v in _versions(spec)]),
        *([] if spec.get("scope") else [Op("replace" if "scope" in spec else "add", "/spec/scope", "Namespaced")]),
        *_conversion(spec.get("conversion")),
        *without_fields(spec, "/spec", MOVED),
        *without_fields(obj, "", ("status",)),
    ]
    return Conversion(tuple(operations))


def _conversion(conversion: Any) -> list[Op]:
    if conversion in (None, {"strategy": "None"}):
        return []
    if not isinstance(conversion, dict) or conversion.get("strategy") != "Webhook" or not isinstance(conversion.get(CLIENT), dict):
        raise CannotConvert("spec.conversion is of no form that v1 knows: take the authors' v1 definition", path="/spec/conversion")
    webhook = {"clientConfig": conversion[CLIENT], REVIEWS: conversion.get(REVIEWS) or ["v1beta1"]}
    return [Op("replace", "/spec/conversion", {"strategy": "Webhook", "webhook": webhook})]


def _versions(spec: dict[str, Any]) -> list[dict[str, Any]]:
    versions = spec.get("versions")
    if isinstance(versions, list) and versions and all(isinstance(v, dict) for v in versions):
        return versions
    if not isinstance(spec.get("version"), str):
        raise CannotConvert("the definition names no version", path="/spec")
    return [{"name": spec["version"], "served": True, "storage": True}]


def _version(version: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    own = {k: version.get(k, spec.get(k)) for k in VERSIONED}
    own["validation"] = version.get("schema", spec.get("validation"))
    new = {k: v for k, v in version.items() if k not in VERSIONED} | {"schema": {"openAPIV3Schema": _schema(own["validation"], spec)}}
    if own["subresources"] is not None:
        new["subresources"] = own["subresources"]
    if own["additionalPrinterColumns"] is not None:
        new["additionalPrinterColumns"] = _columns(own["additionalPrinterColumns"])
    return new


def _columns(columns: Any) -> list[dict[str, Any]]:
    if not isinstance(columns, list) or not all(isinstance(c, dict) for c in columns):
        raise CannotConvert("additionalPrinterColumns is not a list of columns", path="/spec")
    return [{"jsonPath" if k == "JSONPath" else k: v for k, v in column.items()} for column in columns]


def _schema(validation: Any, spec: dict[str, Any]) -> dict[str, Any]:
    schema = validation.get("openAPIV3Schema") if isinstance(validation, dict) else None
    keeps = spec.get("preserveUnknownFields") is not False
    if schema is None and keeps:
        return dict(ANYTHING)
    if schema is None:
        raise CannotConvert("v1 would prune fields that v1beta1 kept: take the authors' v1 definition", path="/spec")
    if not all(_structural(node) for node in _nodes(schema)):
        raise CannotConvert("the schema is not structural, which v1 requires: take the authors' v1 definition", path="/spec/validation")
    return _keeping(schema, root=True) if keeps else dict(schema)


def _keeping(schema: dict[str, Any], *, root: bool = False) -> dict[str, Any]:
    """The schema with every object of named properties keeping what it does not name; `metadata` keeps its own rules."""
    new = dict(schema)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        new["properties"] = {k: v if root and k == "metadata" else _keeping(v) for k, v in properties.items()}
    for field in ("items", "additionalProperties"):
        if isinstance(schema.get(field), dict):
            new[field] = _keeping(schema[field])
    return new | {KEEP: True} if schema.get("type") == "object" and "additionalProperties" not in schema else new


def _nodes(schema: Any) -> Iterator[Any]:
    yield schema
    if isinstance(schema, dict):
        properties = schema.get("properties")
        children = list(properties.values()) if isinstance(properties, dict) else []
        children += [schema[k] for k in ("items", "additionalProperties") if isinstance(schema.get(k), (dict, list))]
        for item in children:
            yield from _nodes(item)


def _structural(node: Any) -> bool:
    if not isinstance(node, dict) or any(k in node for k in NOT_STRUCTURAL) or node.get("uniqueItems"):
        return False
    typed = node.get("type") or node.get("x-kubernetes-int-or-string") or node.get(KEEP)
    return bool(typed) and not ("properties" in node and "additionalProperties" in node)
