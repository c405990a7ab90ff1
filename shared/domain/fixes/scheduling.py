"""Fixes of node labels that a pod insists on: another name or value, one that a human named, or no such condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import CannotConvert, Conversion, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix, put
from shared.domain.fixes.basic import RenameParams, emptied, rename_key
from shared.domain.model import Question
from shared.domain.mutation import anti_affinity, spread_label, topology_spread
from shared.domain.paths import pod_metadata, pod_spec
from shared.domain.pointer import MISSING, child, get, parent
from shared.domain.rulebook import Closed


class ReplaceLabelParams(Closed):
    """The Azure `label` and `value` that mean the same; `tolerate`: the nodes with this label carry a taint of the same name."""

    label: str
    value: str
    tolerate: bool = False


class DecidedLabelParams(Closed):
    """Decisions `<family>.<old value>` name the new value; `label` is the Azure label where it is another than the old one."""

    family: str
    question: str
    example: str
    label: str | None = None


@fix("rename-node-label", RenameParams)
def rename_node_label(obj: Mapping[str, Any], found: Found, params: RenameParams, facts: Facts) -> Conversion:
    """The label's new name, in a nodeSelector or in an affinity expression."""
    if isinstance(get(obj, found.path), dict):
        return Conversion((Op("replace", child(found.path, "key"), params.keys[found.fields["label"]]),))
    return rename_key(obj, found, params, facts)


@fix("drop-node-label", Nothing)
def drop_node_label(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Take the condition away, and the selector, term or affinity that it leaves empty (an empty term would match no node)."""
    return Conversion((Op("remove", emptied(obj, found.path)),))


@fix("replace-node-label", ReplaceLabelParams)
def replace_node_label(obj: Mapping[str, Any], found: Found, params: ReplaceLabelParams, _: Facts) -> Conversion:
    """The Azure label of the same meaning, with the toleration that its nodes want."""
    tolerations = _toleration(obj, params) if params.tolerate else ()
    return Conversion((*_relabelled(obj, found, params.label, [params.value]), *tolerations))


@fix("decided-node-label", DecidedLabelParams)
def decided_node_label(obj: Mapping[str, Any], found: Found, params: DecidedLabelParams, facts: Facts) -> Conversion:
    """The value that a Decision gives for each old one; asks for the first that has none."""
    values = found.fields["value"].split(", ")
    answers = [facts.decision(decision_key(params.family, value)) for value in values]
    for value, answer in zip(values, answers, strict=True):
        if not isinstance(answer, str) or not answer:
            question = Question(decision_key(params.family, value), params.question.format(value=value), params.example)
            raise CannotConvert(f"Nothing here says what takes the place of {value} on AKS.", question, found.path)
    label = params.label or found.fields["label"]
    return Conversion(tuple(_relabelled(obj, found, label, [str(a) for a in dict.fromkeys(answers)])))


def _relabelled(obj: Mapping[str, Any], found: Found, label: str, values: list[str]) -> list[Op]:
    """The operations that make the condition ask for `label` with one of `values`. Raises CannotConvert where it asks something else."""
    condition = get(obj, found.path)
    if isinstance(condition, dict):
        if condition.get("operator") not in ("In", "Exists"):
            raise CannotConvert("The condition compares numbers, which the new label does not hold.", path=found.path)
        return [Op("replace", found.path, {"key": label, "operator": "In", "values": list(values)})]
    place = child(parent(found.path), label)
    if place == found.path:
        return [Op("replace", place, values[0])]
    if get(obj, place) not in (MISSING, values[0]):
        raise CannotConvert(f"The label {label} is set already, to another value.", path=found.path)
    return [*([Op("add", place, values[0])] if get(obj, place) is MISSING else []), Op("remove", found.path)]


def _toleration(obj: Mapping[str, Any], params: ReplaceLabelParams) -> tuple[Op, ...]:
    place = f"{pod_spec(obj)}/tolerations"
    present = get(obj, place)
    wanted = {"key": params.label, "operator": "Equal", "value": params.value, "effect": "NoSchedule"}
    if not isinstance(present, list):
        return (Op("add", place, [wanted]),)
    if any(isinstance(t, dict) and t.get("key") in (params.label, None) and t.get("effect") in (None, "NoSchedule") for t in present):
        return ()
    return (Op("add", f"{place}/-", wanted),)


@fix("drop-toleration", Nothing)
def drop_toleration(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Take the whole toleration away whose key was found, and the list that it leaves empty."""
    return Conversion((Op("remove", emptied(obj, parent(found.path))),))


@fix("spread-over-nodes", Nothing)
def spread_over_nodes(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """The anti-affinity and the spread that AKS adds by itself at the level Enforce, and the label where none tells the pods apart."""
    label = spread_label(obj)
    if label is None:
        raise CannotConvert("Without a label or a name nothing tells its pods apart.", path=found.path)
    base = parent(found.path)
    labels = f"{pod_metadata(obj)}/labels"
    told = get(obj, labels)
    marked = [] if isinstance(told, dict) and label[0] in told else [put(obj, child(labels, label[0]), label[1])]
    spread = [put(obj, found.path, topology_spread(label)), put(obj, f"{base}/affinity/podAntiAffinity", anti_affinity(label))]
    return Conversion((*marked, *spread))
