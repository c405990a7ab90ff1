"""Identities: those of other clouds and of AKS' past, and the parts of a workload identity that must fit together.

A workload identity takes three: the client id on the ServiceAccount, the label on the pods, a federated credential in Azure
(aks_facts_target 4.1 to 4.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import decision_key
from shared.domain.facts import Facts
from shared.domain.paths import POD_SPECS, account_of, expand, pod_metadata, pod_spec
from shared.domain.pointer import MISSING, child, get

USE_LABEL = "azure.workload.identity/use"
CLIENT_ID = "azure.workload.identity/client-id"
POD_IDENTITY = "aadpodidbinding"
FOREIGN = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account")
OWN_CLIENT_ID = "AZURE_CLIENT_ID"
KEYS = ("AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS")
"""Variables that lead the libraries of AWS and Google to a key, which works from anywhere."""


def identity_key(account: str) -> str:
    """The Decision that holds the client id of the managed identity for a ServiceAccount, by its name."""
    return decision_key("identities", account)


def answered(account: str, facts: Facts) -> bool:
    """Whether somebody said which identity the pods of a ServiceAccount get."""
    return isinstance(facts.decision(identity_key(account)), str)


@check("workload-identity-pod", Nothing, needs_whole=True)
def workload_identity_pod(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a pod template without the workload identity label whose ServiceAccount got an identity by Decision."""
    account = _named_account(obj)
    if account and answered(account, facts) and USE_LABEL not in _labels(obj):
        yield Found(f"{pod_metadata(obj)}/labels", {"value": account})


@check("workload-identity-unasked", Nothing, needs_whole=True)
def workload_identity_unasked(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at pods without the label whose ServiceAccount bears a client id; not where the label stands in a wrong place."""
    account = _named_account(obj)
    if not account or answered(account, facts) or {USE_LABEL, POD_IDENTITY} & _labels(obj).keys() or misplaced(obj):
        return
    if _has_client_id(account, obj, facts):
        yield Found(f"{pod_metadata(obj)}/labels", {"value": account})


@check("workload-identity-misplaced", Nothing, needs_whole=True)
def workload_identity_misplaced(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at pods without the label where the workload bears it instead of them, or where it is an annotation. Field: `place`."""
    if pod_spec(obj) is not None and USE_LABEL not in _labels(obj) and (place := misplaced(obj)):
        yield Found(f"{pod_metadata(obj)}/labels", {"place": place})


@check("workload-identity-default", Nothing, needs_whole=True)
def workload_identity_default(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at pods with the label that run under the ServiceAccount `default`, which has no client id, and name none themselves."""
    named = [get(obj, p) for p in expand(obj, "$containers/env/*/name")]
    if _labels(obj).get(USE_LABEL) != "true" or account_of(obj) != "default" or OWN_CLIENT_ID in named:
        return
    if facts.find("ServiceAccount", _namespace(obj), "default") is None:
        yield Found(child(f"{pod_metadata(obj)}/labels", USE_LABEL))


@check("workload-identity-account", Nothing, needs_whole=True)
def workload_identity_account(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a ServiceAccount without a client id whose pods ask for an Azure identity, or which got one by Decision."""
    name, notes = get(obj, "/metadata/name"), get(obj, "/metadata/annotations")
    written = notes if isinstance(notes, dict) else {}
    if not isinstance(name, str) or opaque(name) or any(key in written for key in (CLIENT_ID, *FOREIGN)):
        return
    pods = sorted(set(_asking(name, _namespace(obj), facts)))
    if pods or answered(name, facts):
        yield Found(child("/metadata/annotations", CLIENT_ID), {"pods": ", ".join(pods) or "its pods"})


@check("keys-of-another-cloud", Nothing)
def keys_of_another_cloud(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires once at a workload whose environment leads to a key of AWS or Google. Field: `value`, the variables."""
    found = {path: name for path in expand(obj, "$containers/env/*/name") if (name := get(obj, path)) in KEYS}
    if found:
        yield Found(next(iter(found)), {"value": ", ".join(dict.fromkeys(found.values()))})


def misplaced(obj: Mapping[str, Any]) -> str | None:
    """Where the label's key stands for nothing: on the workload itself, or among the annotations of either."""
    inner = pod_metadata(obj)
    places = {"/metadata/annotations": "its annotations", f"{inner}/annotations": "the annotations of its pods"}
    places |= {"/metadata/labels": "its own labels"} if inner != "/metadata" else {}
    for place, words in places.items():
        marks = get(obj, place)
        if isinstance(marks, dict) and str(marks.get(USE_LABEL)).lower() == "true":
            return words
    return None


def pod_identity_client(account: str, facts: Facts) -> str | None:
    """The client id of the one AzureIdentity of the run to which pods of a ServiceAccount were bound."""
    selectors = {str(get(obj, f"/pod/labels/{POD_IDENTITY}")) for obj in _pods_with_identity(account, facts)}
    names = [get(b, "/spec/azureIdentity") for b in facts.of_kind("AzureIdentityBinding") if str(get(b, "/spec/selector")) in selectors]
    found = {str(get(i, "/spec/clientID")) for i in facts.of_kind("AzureIdentity") if get(i, "/metadata/name") in names}
    client = found.pop() if len(found) == 1 else ""
    return client if GUID.fullmatch(client) else None


GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _asking(account: str, namespace: str | None, facts: Facts) -> Iterator[str]:
    """The names of the workloads of the run that ask for an identity under an account, and name no client id themselves."""
    for obj in _pods_with_identity(account, facts):
        place = _namespace(obj)
        if not obj["pod"]["identity"]["own"] and (place == namespace or None in (place, namespace)):
            yield str(get(obj, "/metadata/name"))


def _pods_with_identity(account: str, facts: Facts) -> Iterator[Mapping[str, Any]]:
    for obj in (obj for kind in POD_SPECS for obj in facts.of_kind(kind)):
        identity = get(obj, "/pod/identity")
        if isinstance(identity, dict) and identity["account"] == account:
            yield obj


def _labels(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = get(obj, f"{pod_metadata(obj)}/labels") if pod_spec(obj) is not None else MISSING
    return labels if isinstance(labels, dict) else {}


def _named_account(obj: Mapping[str, Any]) -> str | None:
    """The ServiceAccount that the pods name; None where they name none."""
    base = pod_spec(obj)
    account = get(obj, f"{base}/serviceAccountName") if base else MISSING
    return account if isinstance(account, str) and account else None


def _has_client_id(account: str, obj: Mapping[str, Any], facts: Facts) -> bool:
    notes = get(facts.find("ServiceAccount", _namespace(obj), account) or {}, "/metadata/annotations")
    return isinstance(notes, dict) and isinstance(notes.get(CLIENT_ID), str) and not any(key in notes for key in FOREIGN)


def _namespace(obj: Mapping[str, Any]) -> str | None:
    namespace = get(obj, "/metadata/namespace")
    return namespace if isinstance(namespace, str) else None
