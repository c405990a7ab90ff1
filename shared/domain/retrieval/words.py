"""Texts as words for a keyword search that knows how Kubernetes writes names.

`storageClassName` is found by "storage class name", `apps.openshift.io/v1` by itself and by its parts; words are reduced to their stem
by the caller.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:[-._/:][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")

LONG_FORMS = {
    "cj": "CronJob", "cm": "ConfigMap", "crd": "CustomResourceDefinition", "crds": "CustomResourceDefinition", "dc": "DeploymentConfig",
    "deploy": "Deployment", "ds": "DaemonSet", "hpa": "HorizontalPodAutoscaler", "ing": "Ingress", "lb": "load balancer",
    "netpol": "NetworkPolicy", "ns": "namespace", "pdb": "PodDisruptionBudget", "psp": "PodSecurityPolicy", "pv": "PersistentVolume",
    "pvc": "PersistentVolumeClaim", "pvcs": "PersistentVolumeClaim", "sa": "ServiceAccount", "sc": "StorageClass",
    "scc": "SecurityContextConstraints", "sts": "StatefulSet", "svc": "Service",
}  # fmt: skip
"""What people write for a kind: the short names of `kubectl api-resources` and `oc api-resources`."""

STOP_WORDS = frozenset(
    word
    for line in (
        "a about after all also am an and any are as at be been before but by can could did do does doing for from get gets got had has",
        "have he her here his how i if in into is it its just like me my of on or our out over she should so some such than that the their",
        "them then there these they this those to too up us use used was we were what when where which while who why will with would you",
        "your",
    )
    for word in line.split()
)


def words(text: str) -> list[str]:
    """Lower-case words in their order: each name as a whole and, where it has several, its parts. Stop words are left out."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        whole = match[0].lower()
        parts = [part.lower() for part in _PART.findall(match[0])]
        found += [whole] if len(parts) < 2 else [whole, *parts]
    return [word for word in found if word not in STOP_WORDS]


def question_words(query: str) -> list[str]:
    """The words of a question. A short name stands for its kind too: articles write kinds in full."""
    found = words(query)
    return [*found, *(part for word in dict.fromkeys(found) for part in words(LONG_FORMS.get(word, "")))]
