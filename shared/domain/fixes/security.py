"""securityContext: what a level asks for, written where it is missing; a user id only as a human decided it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.random_user import chosen, user_key
from shared.domain.convert.base import CannotConvert, Conversion, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix, put
from shared.domain.model import Question
from shared.domain.paths import pod_spec, workload_name
from shared.domain.pointer import MISSING, JsonValue, child, get, parent, split
from shared.domain.rulebook import Closed

IMAGE = "image"
"""The answer that the image names a numeric user of its own."""


class ContextParams(Closed):
    """`value` for the found field; with `item` it joins the list there."""

    value: JsonValue
    item: bool = False


@fix("set-security-context", ContextParams)
def set_security_context(obj: Mapping[str, Any], found: Found, params: ContextParams, _: Facts) -> Conversion:
    """Write the value at the found field, with the mappings that lead to it. A privileged container cannot give up escalation."""
    context = get(obj, parent(found.path))
    if params.value is False and isinstance(context, dict) and context.get("privileged") is True:
        raise CannotConvert("A privileged container always may gain privileges; it must stop being privileged first.", path=found.path)
    present = get(obj, found.path)
    if params.item and isinstance(present, list):
        return Conversion((Op("add", child(found.path, "-"), params.value),))
    return Conversion((put(obj, found.path, [params.value] if params.item else params.value),))


@fix("non-root", Nothing)
def non_root(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The user of the Decision `users.<workload>` in place of root: a number, or `image` where the image names one; else it asks."""
    name = workload_name(obj)
    key = decision_key("users", name)
    answer = facts.decision(key)
    number = int(answer) if str(answer).isdigit() else 0
    if not number and answer != IMAGE:
        question = Question(key, f"Which user id do the pods of {name} run as? (`{IMAGE}`: the image names a numeric one.)", "1000")
        raise CannotConvert("Whether the program can run without root, no manifest says.", question, found.path)
    if split(found.path)[-1] == "runAsUser":
        return Conversion((Op("replace", found.path, number) if number else Op("remove", found.path),))
    user = f"{parent(found.path)}/runAsUser"
    settings = {"runAsNonRoot": True} | ({"runAsUser": number} if number and get(obj, user) is MISSING and _of_the_pod(obj, user) else {})
    if isinstance(get(obj, parent(found.path)), dict):
        return Conversion(tuple(put(obj, child(parent(found.path), field), value) for field, value in settings.items()))
    return Conversion((put(obj, parent(found.path), settings),))


@fix("user-and-group", Nothing)
def user_and_group(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """User and group of the pods by the Decision `users.<workload>`; `image` leaves the user to the image and gives the volumes a group."""
    key, answer = user_key(obj), facts.decision(user_key(obj))
    if not str(answer).isdigit() and answer != IMAGE:
        question = Question(
            key,
            f"Which user id do the pods of {workload_name(obj)} run as? (`{IMAGE}`: the one that the image names.)"
            f" The group of their volumes ({found.fields['storage']}) is set with it.",
            "1001",
        )
        raise CannotConvert("Only the image says which user it can run as, and only you know whose files are on the volumes.", question)
    context = parent(found.path)
    wanted = {"runAsUser": int(answer), "fsGroup": int(answer)} if answer != IMAGE else {"fsGroup": OPENSHIFT_GROUP}
    settings = {field: value for field, value in wanted.items() if not chosen(get(obj, child(context, field)))}
    if isinstance(get(obj, context), dict):
        return Conversion(tuple(put(obj, child(context, field), value) for field, value in settings.items()))
    return Conversion((put(obj, context, settings),))


OPENSHIFT_GROUP = 1001
"""A group for the volumes of an image that names its user: any would do; images made for OpenShift use this number (sclorg)."""


def _of_the_pod(obj: Mapping[str, Any], path: str) -> bool:
    return path == f"{pod_spec(obj)}/securityContext/runAsUser"


@fix("label-namespace", Nothing)
def label_namespace(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Write the found `level` as the namespace's pod security label."""
    return Conversion((put(obj, found.path, found.fields["level"]),))
