"""AKS Deployment Safeguards beyond Pod Security: probes, spread over nodes, selectors, images, and what AKS would change by itself.

As the constraint templates of the policy set do it, where Microsoft publishes them (github.com/Azure/draft, pkg/safeguards/lib), else as
learn.microsoft.com/azure/aks/deployment-safeguards says (2026-06-02).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.pods import AMOUNTS_KEY, missing_amounts
from shared.domain.facts import Facts
from shared.domain.mutation import mutated_amounts
from shared.domain.paths import POD_SPECS, containers, pod_spec
from shared.domain.pointer import MISSING, get
from shared.domain.rulebook import Closed

PROBES = ("readinessProbe", "livenessProbe")
PROBE_TYPES = ("tcpSocket", "httpGet", "exec")
"""The parameter `requiredProbes`, and what counts as a probe."""


class AmountsParams(Closed):
    """`missing`: containers that lack a request; else those whose given amounts AKS would change."""

    missing: bool


@check("probes", Nothing, needs_whole=True)
def probes(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires once per container (no init or ephemeral ones) without a readiness or a liveness probe of a type that counts."""
    for path, container in containers(obj):
        if "/containers/" not in path.removeprefix(pod_spec(obj) or ""):
            continue
        missing = [probe for probe in PROBES if not _counts(container.get(probe))]
        if missing:
            place = f"{path}/{missing[0]}" if len(missing) == 1 else path
            value = " and no ".join(missing) + _uncounted([container.get(probe) for probe in missing])
            yield Found(place, {"value": value, "missing": missing[-1], "container": str(container.get("name"))})


@check("job-probes", Nothing, needs_whole=True)
def job_probes(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """As `probes`; never where safeguards are off, which alone ask this of Jobs."""
    if facts.enforcement.safeguards != "off":
        yield from probes(obj, _, facts)


def _counts(probe: object) -> bool:
    return opaque(probe) or (isinstance(probe, dict) and any(probe.get(kind) is not None for kind in PROBE_TYPES))


def _uncounted(probes: list[object]) -> str:
    """What to say of probes that are there and do not count: Kubernetes runs them, the policy does not see them."""
    grpc = any(isinstance(probe, dict) and probe.get("grpc") is not None for probe in probes)
    return f" of a kind that Deployment Safeguards count ({', '.join(PROBE_TYPES)}; not grpc)" if grpc else ""


@check("spread", Nothing, needs_whole=True)
def spread(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at a workload of several replicas that has neither podAntiAffinity nor topologySpreadConstraints."""
    replicas, base = get(obj, "/spec/replicas"), pod_spec(obj)
    if base is None or not isinstance(replicas, int) or replicas <= 1:
        return
    spec = get(obj, base)
    affinity = spec.get("affinity")
    if not spec.get("topologySpreadConstraints") and not (isinstance(affinity, dict) and affinity.get("podAntiAffinity")):
        yield Found(f"{base}/topologySpreadConstraints", {"value": str(replicas)})


@check("allowed-image", Nothing)
def allowed_image(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at an image that the target's pattern does not match; without a pattern never."""
    pattern = facts.typed_target.allowed_images
    for path, container in containers(obj) if pattern else ():
        image = container.get("image")
        if isinstance(image, str) and image and not opaque(image) and not re.search(pattern or "", image):
            yield Found(f"{path}/image", {"value": image, "container": str(container.get("name"))})


@check("shared-selector", Nothing, needs_whole=True)
def shared_selector(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at a Service that selects exactly what one of another name in its namespace, which stands before it in the run, selects.

    Where no namespace is said, Services of one file count as of one, and those of one folder that has pods for them.
    """
    selector, name, namespace = (get(obj, p) for p in ("/spec/selector", "/metadata/name", "/metadata/namespace"))
    if not isinstance(selector, dict) or not selector or not isinstance(name, str):
        return
    for file, other in facts.placed("Service"):
        meta = other.get("metadata") or {}
        if meta.get("namespace", MISSING) != namespace:
            continue
        if meta.get("name") == name and facts.asking in (None, file):
            return
        if meta.get("name") != name and get(other, "/spec/selector") == selector and _together(file, namespace, selector, facts):
            yield Found("/spec/selector", {"value": str(meta.get("name"))})
            return


def _together(file: str, namespace: object, selector: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a Service of this file is in the same namespace as the one that is looked at."""
    if isinstance(namespace, str) or facts.asking in (None, file):
        return True
    folder = posixpath.dirname(facts.asking or "")
    pods = (
        obj["pod"]["labels"]
        for kind in POD_SPECS
        for place, obj in facts.placed(kind)
        if posixpath.dirname(place) == folder and "pod" in obj
    )
    return posixpath.dirname(file) == folder and any(selector.items() <= labels.items() for labels in pods)


@check("mutated-amounts", AmountsParams, needs_whole=True)
def mutated(obj: Mapping[str, Any], params: AmountsParams, facts: Facts) -> Iterator[Found]:
    """Fires once per container whose requests and limits AKS would set or change; not where a Decision sets what is missing."""
    for path, container in containers(obj):
        resources = container.get("resources")
        if "/ephemeralContainers/" in path or (resources is not None and not isinstance(resources, dict)):
            continue
        lacking = bool(missing_amounts(resources or {}))
        if lacking is not params.missing or (lacking and facts.decision(AMOUNTS_KEY) is not None):
            continue
        changes = [f"{part}.{name}={value}" for part, name, value in mutated_amounts(resources or {})]
        if changes:
            yield Found(f"{path}/resources", {"value": ", ".join(changes), "container": str(container.get("name"))})
