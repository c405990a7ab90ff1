"""Workload identity in the place of other clouds' roles and of pod-managed identity, with the client id that a human gave.

Facts: aks_facts_target 4.1 to 4.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.identity import CLIENT_ID, POD_IDENTITY, USE_LABEL, identity_key, pod_identity_client
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.convert.edits import namespace_of
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix, put
from shared.domain.model import Question
from shared.domain.needs import AzureResource
from shared.domain.paths import account_of
from shared.domain.pointer import MISSING, child, get, join, parent, split

SAMPLE = "00000000-0000-0000-0000-000000000000"


@fix("workload-identity", Nothing)
def workload_identity(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The annotation of the managed identity that a Decision names; the old role goes, and what it allowed is a loss."""
    answer, federation = _federated(obj, found, facts, "Only you know which Azure identity takes the place of this role.")
    role = split(found.path)[-1]
    loss = Loss(
        found.path, f"The identity of {role} is gone: calls to that cloud are refused until the code, or a federation, uses Azure's."
    )
    place = child("/metadata/annotations", CLIENT_ID)
    return Conversion((Op("add", place, answer), Op("remove", found.path)), losses=(loss,), resources=(federation,))


@fix("workload-identity-account", Nothing)
def workload_identity_account(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The client id that a Decision names, on a ServiceAccount whose pods ask for an identity."""
    answer, federation = _federated(obj, found, facts, "Only you know which Azure identity these pods act as.")
    return Conversion((put(obj, found.path, answer),), resources=(federation,))


def _federated(obj: Mapping[str, Any], found: Found, facts: Facts, reason: str) -> tuple[str, AzureResource]:
    """The client id for a ServiceAccount, and the credential that lets it act so. Raises CannotConvert with the question."""
    name = get(obj, "/metadata/name")
    if not isinstance(name, str):
        raise CannotConvert("The ServiceAccount has no name.", path="/metadata")
    answer = _answer(_question(name, facts), facts, found, reason)
    subject = f"system:serviceaccount:{namespace_of(obj) or '<namespace>'}:{name}"
    return answer, AzureResource(
        "Federated credential", name, f"lets {subject} act as the managed identity {answer}",
        f"az identity federated-credential create --name {name} --identity-name <identity> --resource-group <group>"
        f" --issuer <oidc issuer url> --subject {subject} --audience api://AzureADTokenExchange",
    )  # fmt: skip


def _question(account: str, facts: Facts) -> Question:
    """One question for a ServiceAccount, whoever asks; the sample is the id of the AzureIdentity that its pods had, where one is found."""
    ask = f"Which client id has the managed identity that ServiceAccount {account} uses on AKS?"
    return Question(identity_key(account), ask, pod_identity_client(account, facts) or SAMPLE)


def _answer(question: Question, facts: Facts, found: Found, reason: str) -> str:
    answer = facts.decision(question.key)
    if not isinstance(answer, str) or not answer:
        raise CannotConvert(reason, question, found.path)
    return answer


@fix("pod-identity-label", Nothing)
def pod_identity_label(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The label of workload identity in the place of pod-managed identity's, once the identity of the ServiceAccount is decided."""
    account, labels = account_of(obj), get(obj, parent(found.path))
    if account == "default":
        raise CannotConvert("The pods name no ServiceAccount. Workload identity needs one of their own, with the client id on it.")
    if get(obj, child("/spec/selector/matchLabels", POD_IDENTITY)) is not MISSING:
        raise CannotConvert("The selector of the workload uses the label, and a selector cannot change.", path=found.path)
    _answer(_question(account, facts), facts, found, "Workload identity takes its place: a client id on the ServiceAccount.")
    added = () if USE_LABEL in labels else (Op("add", child(parent(found.path), USE_LABEL), "true"),)
    return Conversion((*added, Op("remove", found.path)))


@fix("key-vault-identity", Nothing)
def key_vault_identity(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The client id of a workload identity in a SecretProviderClass that used pod-managed identity."""
    name = str(get(obj, "/metadata/name"))
    ask = f"Which client id has the managed identity with which SecretProviderClass {name} reads the vault?"
    answer = _answer(Question(identity_key(name), ask, SAMPLE), facts, found, "Only you know which Azure identity may read the vault.")
    place = child(parent(found.path), "clientID")
    return Conversion((Op("replace", found.path, "false"), put(obj, place, answer)))


@fix("workload-identity-label", Nothing)
def workload_identity_label(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """The label by which the identity webhook knows the pods."""
    if isinstance(get(obj, found.path), dict):
        return Conversion((Op("add", child(found.path, USE_LABEL), "true"),))
    if isinstance(get(obj, parent(found.path)), dict):
        return Conversion((Op("add", found.path, {USE_LABEL: "true"}),))
    return Conversion((Op("add", join(split(found.path)[:-1]), {"labels": {USE_LABEL: "true"}}),))
