"""Node labels that a pod (or a volume) insists on: nodeSelector and required node affinity, read alike."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.basic import text_of
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.paths import expand, pod_spec
from shared.domain.pointer import child, get
from shared.domain.rulebook import Closed

TERMS = "requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/*/matchExpressions/*"
INSISTING = frozenset({"In", "Exists", "Gt", "Lt"})
"""Operators that a node without the label never meets (Kubernetes API reference, NodeSelectorRequirement)."""

OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")


class NodeLabelParams(Closed):
    """Globs of the label keys that fire, of those that do not, and of the values (none: any value).

    Values of one expression are alternatives: with `every`, all of them must be among `values`, else one.
    """

    labels: tuple[str, ...] = Field(min_length=1)
    except_labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    every: bool = False


@check("node-label", NodeLabelParams)
def node_label(obj: Mapping[str, Any], params: NodeLabelParams, _: Facts) -> Iterator[Found]:
    """Fires at a nodeSelector key or a required affinity expression whose label no node without it would match."""
    enough = all if params.every else any
    for path, label, values in wanted_labels(obj):
        named = any(fnmatch.fnmatchcase(label, g) for g in params.labels)
        spared = any(fnmatch.fnmatchcase(label, g) for g in params.except_labels)
        among = [any(fnmatch.fnmatchcase(v, g) for g in params.values) for v in values]
        valued = not params.values or (among != [] and enough(among))
        if named and not spared and valued and not opaque(label):
            yield Found(path, {"label": label, "value": ", ".join(values) or "present"})


def wanted_labels(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """(pointer, label, wanted values): of a nodeSelector the key's place, of an affinity its expression's."""
    for place in expand(obj, "$pod/nodeSelector"):
        selector = get(obj, place)
        for label, value in selector.items() if isinstance(selector, dict) else ():
            yield child(place, label), label, [text_of(value)]
    for pattern in (f"$pod/affinity/nodeAffinity/{TERMS}", "/spec/nodeAffinity/required/nodeSelectorTerms/*/matchExpressions/*"):
        for path in expand(obj, pattern):
            expression = get(obj, path)
            if isinstance(expression, dict) and isinstance(expression.get("key"), str) and str(expression.get("operator")) in INSISTING:
                values = expression.get("values")
                yield path, expression["key"], [text_of(v) for v in values] if isinstance(values, list) else []


@check("windows-pod-on-automatic", Nothing)
def windows_pod_on_automatic(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a pod for Windows where the target is AKS Automatic, which has no Windows nodes (intro-aks-automatic, 2026-08)."""
    if not facts.enforcement.automatic:
        return
    asked = [path for path, label, values in wanted_labels(obj) if label in OS_LABELS and values == ["windows"]]
    named = [f"{base}/os/name" for base in (pod_spec(obj),) if base is not None and get(obj, f"{base}/os/name") == "windows"]
    for path in [*named, *asked][:1]:
        yield Found(path)
