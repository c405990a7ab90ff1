"""OpenShift Template -> the objects that `oc process` makes of it, each a document of its own (guide/aks_facts_source.md 3).

A parameter's value is the one of the Decision `parameters.<template>.<NAME>`, else the one in the Template. What OpenShift would generate
is never invented, what is required and has no value is asked for. A parameter that only builds use (webhook secrets, say) is not asked
for: AKS runs no builds, and its references stay in the BuildConfig as they are.

A Template whose own name is `${NAME}` goes by what the Template's values make of it: many Templates of a repository are called the same
otherwise, and would share their answers (passwords of two databases, say).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import name_of
from shared.domain.convert.template_text import REFERENCE, fill, substitute, users, without_namespace
from shared.domain.manifest import is_object, objects_of
from shared.domain.model import Question
from shared.domain.pointer import JsonValue, child

BUILDS = frozenset({"BuildConfig", "Build"})
ONLY_IN_SECRETS = (
    " It is used only inside Secret values: this file is committed, so answer with a placeholder and set the real value outside of Git"
    " (Key Vault, External Secrets)."
)
DESCRIPTION_SHOWN = 120
OTHERWISE = "where `oc process` was given another one, answer {} in .aks-copilot.yaml, the parameter below it"
DECIDES = ("value", "generate", "from", "required")
"""What of a parameter decides its value."""

Answers = Callable[[str], JsonValue]
"""A human's answer by Decision key, None where there is none."""


@dataclass
class _Values:
    """The parameters' values by name; those left to builds have none. `users` are the places that use each (see `_users`)."""

    users: Mapping[str, list[tuple[str, str]]]
    values: dict[str, str] = field(default_factory=dict)
    fixed: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def template(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The Template's objects in its place. Raises CannotConvert with every open question."""
    if obj["kind"] != "Template":
        raise CannotConvert("the parameters of a TemplateInstance stand in a Secret; run its Template through this program instead")
    values = _values(obj, lookup.decision)
    return Conversion((Op("remove", ""),), tuple(_objects(obj, values)), (*values.losses, *_losses(obj, values)), in_place=True)


def expanded(obj: Mapping[str, Any], answers: Answers) -> list[tuple[str, dict[str, Any]]]:
    """(pointer in the Template, object) of each object that the Template makes; [] where it cannot be expanded yet, or is none."""
    if obj.get("kind") != "Template" or not isinstance(obj.get("objects"), list):
        return []
    try:
        made = _objects(obj, _values(obj, answers))
    except CannotConvert:
        return []
    return [(f"/objects/{i}{base}", inner) for i, item in enumerate(made) for base, inner in objects_of(item)]


def _values(obj: Mapping[str, Any], answers: Answers) -> _Values:
    """Every parameter's value. Raises CannotConvert with a question per value that nobody has given."""
    parameters = _parameters(obj)
    name, found = label_of(obj), _Values(_users(obj))
    given = answers(decision_key("parameters", name)) or answers(decision_key("parameters", name_of(obj)))
    given = given if isinstance(given, dict) else {}
    for path, parameter in parameters:
        _take(obj, parameter, path, given.get(parameter["name"]), found)
    found.losses += _empty(obj, found, [(path, p) for path, p in parameters if p["name"] not in given])
    _unknown(name, {p["name"] for _, p in parameters}, given, found)
    if found.questions:
        names = ", ".join(q.key.rpartition(".")[2] for q in found.questions)
        raise CannotConvert(f"these parameters of Template {name} have no value yet: {names}", found.questions[0], "/parameters",
                            tuple(found.questions))  # fmt: skip
    return found


def _parameters(obj: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(pointer, parameter) of each. One written twice counts once where it says the same."""
    given = obj.get("parameters") or []
    if not isinstance(given, list) or not all(isinstance(p, dict) and isinstance(p.get("name"), str) for p in given):
        raise CannotConvert("its parameters are not a list of named parameters", path="/parameters")
    said: dict[str, tuple[str, dict[str, Any]]] = {}
    for i, parameter in enumerate(given):
        name, path = parameter["name"], f"/parameters/{i}"
        _, first = said.setdefault(name, (path, parameter))
        if any(first.get(key) != parameter.get(key) for key in DECIDES):
            raise CannotConvert(f"the parameter {name} is declared twice, with different values: take the wrong one out", path=path)
    return list(said.values())


def label_of(obj: Mapping[str, Any]) -> str:
    """The Template's name as its own values make it; as it stands where one of them is missing."""
    name = name_of(obj)
    given = obj.get("parameters")
    values = {p.get("name"): p.get("value") for p in given if isinstance(p, dict)} if isinstance(given, list) else {}
    filled, _ = substitute(name, {k: v for k, v in values.items() if isinstance(k, str) and isinstance(v, str)})
    return name if REFERENCE.search(filled) else filled


def _take(obj: Mapping[str, Any], parameter: Mapping[str, Any], path: str, answer: JsonValue, found: _Values) -> None:
    """The value of one parameter as `oc process` decides it: given, else its own, else generated, else empty unless required."""
    name, own = parameter["name"], parameter.get("value")
    given = _as_text(answer)
    if given is None and not own and own != 0 and parameter.get("generate"):
        return _open(obj, parameter, path, found, f"OpenShift would generate a value (from {parameter.get('from', '')}). ")
    if given is None and own is not None and not isinstance(own, str):
        return _open(obj, parameter, path, found, "Its value is not written as a text. ")
    value = given if given is not None else own or ""
    if value or parameter.get("required") is not True:
        found.values[name] = value
        found.fixed += [name] if given is None and value else []
        return None
    return _open(obj, parameter, path, found, "It is required. ")


def _as_text(answer: JsonValue) -> str | None:
    """A Decision as the command line would have it; None where there is no usable one."""
    if isinstance(answer, bool):
        return str(answer).lower()
    return str(answer) if isinstance(answer, str | int | float) else None


def _open(obj: Mapping[str, Any], parameter: Mapping[str, Any], path: str, found: _Values, why: str) -> None:
    """Ask for a value, unless nothing uses it, or only builds do."""
    name, where = parameter["name"], found.users.get(parameter["name"], [])
    if not where and name not in users(obj.get("labels")):
        found.values[name] = ""
        return
    if where and all(kind in BUILDS for kind, _ in where):
        found.losses.append(Loss(path, f"the parameter {name} has no value; only builds use it, which AKS does not run: left as it is"))
        return
    secret = bool(where) and all(kind == "Secret" and field in ("data", "stringData") for kind, field in where)
    said = parameter.get("displayName") or parameter.get("description")
    shown = f" ({' '.join(said.split())[:DESCRIPTION_SHOWN]})" if isinstance(said, str) and said.strip() else ""
    text = f"Which value has the parameter {name} of Template {label_of(obj)}{shown}? {why.strip()}{ONLY_IN_SECRETS if secret else ''}"
    found.questions.append(Question(decision_key("parameters", label_of(obj), name), text, "the-value-in-use-today"))


def _users(obj: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """By parameter: (kind, top-level field) of each place in the Template's objects that uses it."""
    objects = obj.get("objects")
    found: dict[str, list[tuple[str, str]]] = {}
    for item in objects if isinstance(objects, list) else ():
        kind = str(item.get("kind")) if isinstance(item, dict) else ""
        for name, pointers in users(item).items():
            found.setdefault(name, []).extend((kind, pointer.split("/")[1] if pointer else "") for pointer in pointers)
    return found


def _empty(obj: Mapping[str, Any], found: _Values, parameters: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Loss]:
    """One line for all parameters that are used, and that neither the Template nor an answer gives a value."""
    named = [(path, p["name"]) for path, p in parameters if found.values.get(p["name"]) == ""]
    used = [(path, name) for path, name in named if name in found.users]
    if used:
        key = decision_key("parameters", label_of(obj))
        names = ", ".join(name for _, name in used)
        yield Loss(used[0][0], f"these parameters are empty, so nothing stands in their places: {names}; {OTHERWISE.format(key)}")


def _unknown(name: str, known: Container[str], given: Iterable[str], found: _Values) -> None:
    """An answer that no parameter takes is a typing error: `oc process` stops there, here it is said."""
    for key in given:
        if key not in known:
            found.losses.append(Loss("/kind", f"Template {name} has no parameter {key}: the answer of that name was not used"))


def _objects(obj: Mapping[str, Any], values: _Values) -> list[dict[str, JsonValue]]:
    """The objects in their order, filled in and labelled. Raises CannotConvert where one is not an object."""
    items = obj.get("objects")
    if not isinstance(items, list) or not items:
        raise CannotConvert("the Template has no objects", path="/objects" if "objects" in obj else "")
    labels = obj.get("labels") or {}
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise CannotConvert("its labels are not texts", path="/labels")
    filled = {fill(k, values.values): fill(v, values.values) for k, v in labels.items()}
    return [_object(item, f"/objects/{i}", values.values, filled) for i, item in enumerate(items)]


def _object(item: JsonValue, path: str, values: Mapping[str, str], labels: Mapping[Any, JsonValue]) -> dict[str, JsonValue]:
    made = fill(without_namespace(item), values) if is_object(item) and isinstance(item, dict) else None
    if not isinstance(made, dict) or not is_object(made):
        raise CannotConvert(f"{path} is not an object with apiVersion and kind", path=path)
    if labels:
        meta = made.setdefault("metadata", {})
        own = meta.setdefault("labels", {}) if isinstance(meta, dict) else None
        if not isinstance(own, dict):
            raise CannotConvert(f"{path} has no metadata that labels could be added to", path=path)
        own.update(labels)
    return made


def _losses(obj: Mapping[str, Any], values: _Values) -> Iterator[Loss]:
    if values.fixed:
        key = decision_key("parameters", label_of(obj))
        names = ", ".join(values.fixed)
        yield Loss("/parameters", f"the Template's own values stand in the objects now ({names}); {OTHERWISE.format(key)}")
    if obj.get("message"):
        yield Loss("/message", "the message that OpenShift shows after processing is left out")
    for i, item in enumerate(obj["objects"]):
        meta = item.get("metadata")
        namespace = meta.get("namespace") if isinstance(meta, dict) else None
        if namespace and not (isinstance(namespace, str) and REFERENCE.search(namespace)):
            yield Loss(child(f"/objects/{i}/metadata", "namespace"), "oc process leaves out a namespace that is no parameter; so does this")
