"""What Helm values say that AKS understands otherwise: the object rules' questions, asked of the values of charts.

Each question has two rules where an answer decides: one for what can be written now, one for what must be asked. So a fix never
hides an open question beside it.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from shared.domain.chart_values import Leaf, leaves, roots_of
from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.basic import text_of
from shared.domain.checks.cluster import Nothing, ingress_class_exists
from shared.domain.checks.scheduling import INSISTING, NodeLabelParams
from shared.domain.checks.text import strings
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.pointer import get
from shared.domain.rulebook import Closed
from shared.domain.storage_classes import SHARED_MODES, class_exists, class_shape, sample_class, target_class

STORAGE_KEYS = frozenset({"storageClass", "storageClassName"})
IMAGE_KEYS = frozenset({"repository", "image", "registry", "imageRegistry", "imageRepository", "systemDefaultRegistry"})
CLASS_KEYS = frozenset({"ingressClassName", "kubernetes.io/ingress.class"})
NO_CLASS = "-"
"""Charts write it for `storageClassName: ""`: a volume made by hand."""
ONE_NODE_ONLY = frozenset({"local-path"})
"""Classes that never served several nodes (github.com/rancher/local-path-provisioner): no access mode need say so."""


class AnsweredParams(Closed):
    """`answered` true: only what can be written now; false: only what must be asked."""

    answered: bool


class ImageParams(AnsweredParams):
    """`like`: the rules whose globs of images (`any_of`) say which registries AKS does not reach."""

    like: tuple[str, ...] = Field(min_length=1)


class KeyParams(Closed):
    """Globs of an entry's name; of its value (none: any); of a name above it (none: anywhere). `together`: one finding per object."""

    keys: tuple[str, ...] = Field(min_length=1)
    none_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    together: bool = False


class ValuesTextParams(Closed):
    """`pattern` as of the check `text`; `none_of`: globs of the names of entries that other rules speak of."""

    pattern: str
    none_of: tuple[str, ...] = ()


class SectionParams(Closed):
    """Names of sections of values."""

    names: tuple[str, ...] = Field(min_length=1)


def plain(value: object) -> str | None:
    """A string that says something now: not empty, filled in later, or a template."""
    return value if isinstance(value, str) and value and not opaque(value) and "{{" not in value else None


@check("values-storage-class", AnsweredParams)
def values_storage_class(obj: Mapping[str, Any], params: AnsweredParams, facts: Facts) -> Iterator[Found]:
    """Fires at a storage class in values that the target does not have."""
    for leaf in leaves(obj):
        name = plain(leaf.value)
        if leaf.name in STORAGE_KEYS and name and name != NO_CLASS and not class_exists(name, facts):
            new = _target_class(name, leaf, facts)
            if (new is not None) is params.answered:
                yield Found(leaf.path, {"value": name, "new": new or "", "sample": sample_class(name, _modes(leaf.siblings), facts)})


def _target_class(name: str, leaf: Leaf, facts: Facts) -> str | None:
    decided = facts.decision(decision_key("storageClasses", name))
    if isinstance(decided, str):
        return decided
    shape, modes = class_shape(name, facts), _modes(leaf.siblings)
    if shape is None or (shape == "disk" and modes & SHARED_MODES):
        return None
    if shape == "file" or (shape == "by-access-mode" and modes & SHARED_MODES):
        return target_class("file", name, facts)
    return target_class("disk", name, facts) if shape == "disk" or modes or name in ONE_NODE_ONLY else None


def _modes(siblings: Mapping[str, Any]) -> frozenset[str]:
    given = siblings.get("accessModes", siblings.get("accessMode"))
    return frozenset(m for m in (given if isinstance(given, list) else [given]) if isinstance(m, str))


@check("values-ingress-class", AnsweredParams)
def values_ingress_class(obj: Mapping[str, Any], params: AnsweredParams, facts: Facts) -> Iterator[Found]:
    """Fires at the class of an Ingress that the chart makes, where the target does not have it; never where the chart's Ingress is off."""
    for leaf in leaves(obj):
        name = plain(leaf.value)
        if name and not leaf.off and _names_ingress_class(leaf) and not _class_is_served(name, facts):
            answer = facts.decision(decision_key("ingressClasses", name))
            usable = isinstance(answer, str) and answer not in ("", "none", "keep", name)
            if answer is None and not params.answered:
                yield Found(leaf.path, {"value": name})
            elif usable and params.answered:
                yield Found(leaf.path, {"value": name, "new": str(answer)})


def _class_is_served(name: str, facts: Facts) -> bool:
    """Whether the target has the class, or a human chose it."""
    answers = facts.decision("ingressClasses")
    return ingress_class_exists(name, facts) or (isinstance(answers, dict) and name in answers.values())


def _names_ingress_class(leaf: Leaf) -> bool:
    above = any("ingress" in n.lower() for n in leaf.names[:-1])
    return leaf.name in CLASS_KEYS or (leaf.name in ("className", "class", "ingressClass") and above)


@check("values-image", ImageParams)
def values_image(obj: Mapping[str, Any], params: ImageParams, facts: Facts) -> Iterator[Found]:
    """Fires at an image, or the registry of one, that AKS cannot pull from."""
    globs = [g for rule in facts.knowledge.rulebook.rules if rule.id in params.like for g in rule.match.params.get("any_of", ())]
    for leaf in leaves(obj):
        name = plain(leaf.value) if leaf.name in IMAGE_KEYS else None
        if name is None or "://" in name or not any(fnmatch.fnmatchcase(n, g) for n in (name, f"{name}/x") for g in globs):
            continue
        registry, slash, rest = name.partition("/")
        answer = facts.decision(decision_key("registries", registry)) or facts.typed_target.registries.get(registry)
        if isinstance(answer, str) is params.answered:
            yield Found(leaf.path, {"value": name, "registry": registry, "new": f"{str(answer).rstrip('/')}{slash}{rest}"})


@check("values-key", KeyParams)
def values_key(obj: Mapping[str, Any], params: KeyParams, _: Facts) -> Iterator[Found]:
    """Fires at entries of values by their name (annotations, node labels, addresses), where they say something."""
    found = [leaf for leaf in leaves(obj) if _matches(leaf, params)]
    if params.together and found:
        yield Found(found[0].path, {"value": ", ".join(dict.fromkeys(leaf.name for leaf in found)), "field": found[0].name})
    elif not params.together:
        yield from (Found(leaf.path, {"value": text_of(leaf.value), "field": leaf.name}) for leaf in found)


def _matches(leaf: Leaf, params: KeyParams) -> bool:
    if isinstance(leaf.value, (dict, list)) or leaf.value in ("", None) or (params.any_of and opaque(leaf.value)):
        return False
    named = any(fnmatch.fnmatchcase(leaf.name, g) for g in params.keys) and not any(
        fnmatch.fnmatchcase(leaf.name, g) for g in params.none_of
    )
    valued = not params.any_of or any(fnmatch.fnmatchcase(text_of(leaf.value), g) for g in params.any_of)
    placed = not params.under or any(fnmatch.fnmatchcase(n, g) for n in leaf.names[:-1] for g in params.under)
    return named and valued and placed


@check("values-load-balancer", Nothing)
def values_load_balancer(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at `type: LoadBalancer` in values where neither an annotation beside it nor a Decision says public or internal."""
    name = get(obj, "/metadata/name")
    key = decision_key("loadBalancers", name if isinstance(name, str) else "unnamed")
    for leaf in leaves(obj):
        if leaf.name == "type" and leaf.value == "LoadBalancer" and not leaf.off:
            annotations = leaf.siblings.get("annotations")
            said = isinstance(annotations, dict) and any(str(k).startswith("service.beta.kubernetes.io/azure-") for k in annotations)
            if not said and facts.decision(key) != "public":
                yield Found(leaf.path, {"value": "LoadBalancer", "key": key})


@check("values-unreadable", Nothing)
def values_unreadable(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at values in a text that is no YAML mapping."""
    yield from (Found(r.pointer) for r in roots_of(obj) if r.text and r.value is None)


@check("values-text", ValuesTextParams)
def values_text(obj: Mapping[str, Any], params: ValuesTextParams, _: Facts) -> Iterator[Found]:
    """Fires once per object and matched value in the texts of values."""
    seen: set[str] = set()
    for leaf in leaves(obj):
        if isinstance(leaf.value, dict) or any(fnmatch.fnmatchcase(leaf.name, g) for g in params.none_of):
            continue
        for match in (m for _, text in strings(leaf.value, "") for m in re.finditer(params.pattern, text)):
            shown = match[match.lastindex or 0]
            if shown not in seen:
                seen.add(shown)
                yield Found(leaf.path, {"value": shown, "field": leaf.name})


@check("values-node-affinity", NodeLabelParams)
def values_node_affinity(obj: Mapping[str, Any], params: NodeLabelParams, _: Facts) -> Iterator[Found]:
    """Fires at an expression of a required node affinity in values that insists on one of these labels."""
    for leaf in leaves(obj):
        required = leaf.name == "key" and "requiredDuringSchedulingIgnoredDuringExecution" in leaf.names and "nodeAffinity" in leaf.names
        label, operator = plain(leaf.value), str(leaf.siblings.get("operator"))
        if required and label and operator in INSISTING and any(fnmatch.fnmatchcase(label, g) for g in params.labels):
            values = leaf.siblings.get("values")
            shown = ", ".join(text_of(v) for v in values) if isinstance(values, list) else ""
            yield Found(leaf.path, {"label": label, "value": shown or "present"})


@check("values-section", SectionParams)
def values_section(obj: Mapping[str, Any], params: SectionParams, _: Facts) -> Iterator[Found]:
    """Fires once at the first of these sections of values that is not switched off, with the names of all."""
    found = [
        leaf
        for leaf in leaves(obj)
        if leaf.name in params.names and isinstance(leaf.value, dict) and leaf.value.get("enabled") is not False
    ]
    if found:
        yield Found(found[0].path, {"value": ", ".join(dict.fromkeys(leaf.name for leaf in found))})
