"""Is a text with `{{` an unrendered template, or are the braces plain data of a valid manifest?

Dashboards, alert rules, ApplicationSets and workflows carry `{{ }}` of their own; such a file must be edited. A chart
template or a playbook's template must not: what it says is known only after rendering.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.manifest.document import is_object, objects_of
from shared.domain.manifest.nodes import Alias, Mapping, Node, Scalar, Sequence
from shared.domain.manifest.values import is_merge, key_name
from shared.domain.pointer import JsonValue

BRACES = "{{"
_CHART_COMMENT = re.compile(r"(?m)^[ \t]*#[ \t]*\{\{-?[ \t]*(?:if|with|range|end|else|define|include|template|fail|/\*)\b")
_CORE_GROUP = re.compile(r"(?:[a-z]+/)?v\d\w*|[a-z.]+\.k8s\.io/v\d\w*")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_OPAQUE = {"annotations", "data", "stringData", "binaryData", "args", "command", "env", "description"}


def chart_comment(text: str) -> bool:
    """Whether a comment line is a chart's directive (`# {{- if ... }}`), which takes effect when rendered, comment or not."""
    return bool(_CHART_COMMENT.search(text))


def template_site(roots: Iterable[tuple[Node, JsonValue]]) -> int | None:
    """The character index of the first template expression that is no data, or None."""
    for node, value in roots:
        for base, found in objects_of(value):
            top = _descend(node, base)
            site = _search(top, literal=False) if _is_core(found) else _in_identity(top)
            if site is not None:
                return site
        if not is_object(value) and (site := _keys(node)) is not None:
            return site
    return None


def _is_core(value: dict[str, JsonValue]) -> bool:
    return bool(_CORE_GROUP.fullmatch(value["apiVersion"])) and value["kind"] not in ("Template", "CustomResourceDefinition")


def _in_identity(top: Node) -> int | None:
    """Custom resources have templates of their own, but none in their name or namespace."""
    parts = [_descend(top, base) for base in ("/metadata/name", "/metadata/namespace")]
    return next((part.start for part in parts if isinstance(part, Scalar) and _EXPRESSION.search(part.text)), None)


def _descend(node: Node, base: str) -> Node:
    for token in base.split("/")[1:]:
        if isinstance(node, Mapping):
            node = next((v for k, v in node.pairs if not is_merge(k) and key_name(k) == token), node)
        elif isinstance(node, Sequence):
            node = node.items[int(token)]
    return node.target if isinstance(node, Alias) else node


def _search(node: Node, *, literal: bool) -> int | None:
    """The first template expression below a node, opaque fields (`literal`) and block scalars left out."""
    if isinstance(node, Scalar):
        return node.start if _EXPRESSION.search(node.text) and not literal and node.style not in ("|", ">") else None
    if isinstance(node, Sequence):
        return next((s for item in node.items if (s := _search(item, literal=literal)) is not None), None)
    if not isinstance(node, Mapping):
        return None
    for key, value in node.pairs:
        if isinstance(key, Scalar) and _EXPRESSION.search(key.text) and not literal:
            return key.start
        opaque = literal or (isinstance(key, Scalar) and key.text in _OPAQUE)
        if (site := _search(value, literal=opaque)) is not None:
            return site
    return None


def _keys(node: Node) -> int | None:
    """The first key with `{{` in something that is no Kubernetes object."""
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            site = key.start if isinstance(key, Scalar) and _EXPRESSION.search(key.text) else _keys(value)
            if site is not None:
                return site
    return None
