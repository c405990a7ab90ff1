"""Workload identity in the place of AWS and Google roles, with the client id that a human gave (aks_facts_target 4.1 and 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.identity import USE_LABEL, identity_key
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.convert.edits import namespace_of
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import AzureResource, Question
from shared.domain.pointer import child, get, join, parent, split

CLIENT_ID = "azure.workload.identity/client-id"


@fix("workload-identity", Nothing)
def workload_identity(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The annotation of the managed identity that a Decision names; the old role goes, and what it allowed is a loss."""
    name = get(obj, "/metadata/name")
    if not isinstance(name, str):
        raise CannotConvert("The ServiceAccount has no name.", path="/metadata")
    key = identity_key(name)
    answer = facts.decision(key)
    if not isinstance(answer, str) or not answer:
        question = Question(
            key, f"Which client id has the managed identity that ServiceAccount {name} uses on AKS?", "00000000-0000-0000-0000-000000000000"
        )
        raise CannotConvert("Only you know which Azure identity takes the place of this role.", question, found.path)
    place = child("/metadata/annotations", CLIENT_ID)
    subject = f"system:serviceaccount:{namespace_of(obj) or '<namespace>'}:{name}"
    federation = AzureResource(
        "Federated credential", name, f"lets {subject} act as the managed identity {answer}",
        f"az identity federated-credential create --name {name} --identity-name <identity> --resource-group <group>"
        f" --issuer <oidc issuer url> --subject {subject} --audience api://AzureADTokenExchange",
    )  # fmt: skip
    role = split(found.path)[-1]
    loss = Loss(
        found.path, f"The identity of {role} is gone: calls to that cloud are refused until the code, or a federation, uses Azure's."
    )
    return Conversion((Op("add", place, answer), Op("remove", found.path)), losses=(loss,), resources=(federation,))


@fix("workload-identity-label", Nothing)
def workload_identity_label(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """The label by which the identity webhook knows the pods."""
    if isinstance(get(obj, found.path), dict):
        return Conversion((Op("add", child(found.path, USE_LABEL), "true"),))
    if isinstance(get(obj, parent(found.path)), dict):
        return Conversion((Op("add", found.path, {USE_LABEL: "true"}),))
    return Conversion((Op("add", join(split(found.path)[:-1]), {"labels": {USE_LABEL: "true"}}),))
