"""What an object shows of the environment it was written for: the evidence by which the profiles recognise a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.paths import containers, metadata_places, pod_spec
from shared.domain.pointer import get

LEGACY_OPENSHIFT = frozenset(
    """
    Route DeploymentConfig ImageStream ImageStreamTag ImageStreamImport BuildConfig Build Template TemplateInstance
    SecurityContextConstraints Project ProjectRequest DeploymentConfigRollback Group User Identity OAuthClient NetNamespace
    HostSubnet EgressNetworkPolicy ClusterNetwork PolicyBinding Policy RoleBindingRestriction AppliedClusterResourceQuota
    ClusterResourceQuota Image ImageSignature ImageStreamImage ImageStreamMapping UserIdentityMapping OAuthAccessToken
    OAuthAuthorizeToken OAuthClientAuthorization ClusterPolicy ClusterPolicyBinding BuildRequest BuildLog BrokerTemplateInstance
    """.split()  # noqa: SIM905 (reads better than 39 lines)
)
"""Kinds that OpenShift 3 served under the ungrouped `v1` (aks_facts_source 4)."""


def features_of(obj: Mapping[str, Any]) -> Iterator[str]:
    """What an object shows of the environment it was written for, as `family:value` (see the profiles)."""
    api, kind = obj["apiVersion"], obj["kind"]
    group = api.rpartition("/")[0] or ("openshift-legacy" if kind in LEGACY_OPENSHIFT else "core")
    yield f"kind:{group}/{kind}"
    yield from _metadata_features(obj)
    for pattern, family in (
        ("/spec/storageClassName", "storageClass"),
        ("/spec/ingressClassName", "ingressClass"),
        ("/provisioner", "provisioner"),
    ):
        yield from _text(obj, pattern, family)
    rules = get(obj, "/spec/rules")
    for rule in rules if isinstance(rules, list) else ():
        yield from _text(rule, "/host", "host")
    claims = get(obj, "/spec/volumeClaimTemplates")
    for claim in claims if isinstance(claims, list) else ():
        yield from _text(claim, "/spec/storageClassName", "storageClass")
    yield from _pod_features(obj)


def _metadata_features(obj: Mapping[str, Any]) -> Iterator[str]:
    for place in metadata_places(obj):
        for field, family in (("annotations", "annotation"), ("labels", "label")):
            values = get(obj, f"{place}/{field}")
            if isinstance(values, dict):
                yield from (f"{family}:{key}" for key in values)
                ingress_class = values.get("kubernetes.io/ingress.class")
                if isinstance(ingress_class, str):
                    yield f"ingressClass:{ingress_class}"


def _pod_features(obj: Mapping[str, Any]) -> Iterator[str]:
    base = pod_spec(obj)
    if base is None:
        return
    for _, container in containers(obj):
        yield from _text(container, "/image", "image")
    selector = get(obj, f"{base}/nodeSelector")
    yield from (f"nodeLabel:{key}" for key in selector) if isinstance(selector, dict) else ()
    volumes = get(obj, f"{base}/volumes")
    for volume in volumes if isinstance(volumes, list) else ():
        yield from _text(volume, "/hostPath/path", "hostPath")


def _text(value: Any, pointer: str, family: str) -> Iterator[str]:
    found = get(value, pointer)
    if isinstance(found, str) and found and "${" not in found:
        yield f"{family}:{found}"
