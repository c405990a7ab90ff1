"""Checks against the target: storage classes, provisioners, ingress classes, API groups and versions that it does not have."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from shared.domain.checks.base import Found, Wording, check, opaque, patching
from shared.domain.convert.ingress_controllers import TUNNEL_CLASSES
from shared.domain.facts import Facts
from shared.domain.features import LEGACY_OPENSHIFT
from shared.domain.operators import operator_of_group
from shared.domain.paths import expand
from shared.domain.pointer import MISSING, get, parent
from shared.domain.rulebook import Closed, selects
from shared.domain.storage_classes import access_modes, class_exists, class_shape, names_a_volume, sample_class, stays, tied_volume
from shared.domain.target import served_groups

CLASS_ANNOTATION = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class"
CLASS_PATHS = (
    "/spec/storageClassName",
    "/spec/volumeClaimTemplates/*/spec/storageClassName",
    "$pod/volumes/*/ephemeral/volumeClaimTemplate/spec/storageClassName",
    CLASS_ANNOTATION,
)
DEFAULT_CLASS = "/metadata/annotations/ingressclass.kubernetes.io~1is-default-class"
INGRESS_CLASS_ANNOTATION = "/metadata/annotations/kubernetes.io~1ingress.class"


class Nothing(Closed):
    """No parameters."""


class KnownParams(Closed):
    """`known` true: only names that a profile maps; false: only names that none does."""

    known: bool


class IngressClassParams(Closed):
    """`named` true: a class that the target does not have; false: no class at all."""

    named: bool


class ProvisionerParams(Closed):
    """Provisioners with a rule of their own."""

    except_provisioners: tuple[str, ...] = ()


class GroupParams(Closed):
    """`only` and `except_groups` are globs of API groups: those this rule speaks of, and those other rules do.

    `even_defined`: also where the run brings the CustomResourceDefinition; `except_kinds` are patterns as in a rule's `kinds`.
    """

    only: tuple[str, ...] = Field(default=("*",))
    except_groups: tuple[str, ...] = Field(default=())
    except_kinds: tuple[str, ...] = Field(default=())
    even_defined: bool = False


@check("storage-class", KnownParams)
def storage_class(obj: Mapping[str, Any], params: KnownParams, facts: Facts) -> Iterator[Found]:
    """Fires where a claim or volume names a class that neither the target has nor the run defines for a driver the target has."""
    for path in (p for pattern in CLASS_PATHS for p in expand(obj, pattern)):
        name = get(obj, path)
        if not isinstance(name, str) or not name or opaque(name) or class_exists(name, facts) or _waits_for_a_volume(obj, path, facts):
            continue
        known = class_shape(name, facts) is not None
        if known is params.known and (known or not names_a_volume(name, facts)):
            claim = get(obj, _claim_of(path))
            modes = access_modes(claim) if get(claim, "/volumeMode") != "Block" else ()
            yield Found(path, {"value": name, "sample": sample_class(name, modes, facts)})


def _claim_of(path: str) -> str:
    """The spec of the claim that a class is named for."""
    return "/spec" if path == CLASS_ANNOTATION else parent(path)


def _waits_for_a_volume(obj: Mapping[str, Any], path: str, facts: Facts) -> bool:
    claim = get(obj, _claim_of(path))
    volume = tied_volume(claim, str(get(obj, path)), facts) if isinstance(claim, dict) else None
    return volume is not None and stays(volume, facts)


@check("storage-provisioner", ProvisionerParams)
def storage_provisioner(obj: Mapping[str, Any], params: ProvisionerParams, facts: Facts) -> Iterator[Found]:
    """Fires at a StorageClass whose driver the target does not run."""
    provisioner = obj.get("provisioner")
    served = (*facts.typed_target.provisioners, *params.except_provisioners)
    if isinstance(provisioner, str) and not opaque(provisioner) and provisioner not in served:
        yield Found("/provisioner", {"value": provisioner})


@check("ingress-class", IngressClassParams)
def ingress_class(obj: Mapping[str, Any], params: IngressClassParams, facts: Facts) -> Iterator[Found]:
    """Fires at the class of an Ingress that the target does not have (the annotation wins, as controllers read it), or at none at all."""
    for path in (INGRESS_CLASS_ANNOTATION, "/spec/ingressClassName"):
        name = get(obj, path)
        if isinstance(name, str) and name:
            if params.named and not opaque(name) and not ingress_class_exists(name, facts):
                yield Found(path, {"value": name})
            return
    if not params.named and isinstance(obj.get("spec"), dict) and not patching(facts) and not default_ingress_class(facts):
        yield Found("/spec/ingressClassName")


def default_ingress_class(facts: Facts) -> bool:
    """Whether the run itself brings a default IngressClass (no add-on of AKS does)."""
    return any(get(c, DEFAULT_CLASS) == "true" for c in facts.of_kind("IngressClass"))


def ingress_class_exists(name: str, facts: Facts) -> bool:
    """Whether the target has the class, by its file or by an IngressClass of the run."""
    target = facts.typed_target
    if name in TUNNEL_CLASSES or name in target.ingress_classes or (target.ingress.kind == "ingress" and name == target.ingress.class_name):
        return True
    own = facts.find("IngressClass", None, name)
    controller = (own or {}).get("spec", {}).get("controller") if own else None
    return isinstance(controller, str) and ("azure.com" in controller or controller.startswith("alb.networking.azure.io"))


@check("foreign-api", GroupParams)
def foreign_api(obj: Mapping[str, Any], params: GroupParams, facts: Facts) -> Iterator[Found]:
    """Fires at an object whose API group the target does not serve and that nothing of the run brings. Fields: `group`, `needs`.

    A group without a dot that Kubernetes does not have is a tool's own file (`skaffold/v3`), not an object for a cluster.
    """
    group = obj["apiVersion"].rpartition("/")[0] or "core"
    if "." not in group and group not in ("core", "extensions"):
        return
    mine = any(fnmatch.fnmatchcase(group, g) for g in params.only) and not any(fnmatch.fnmatchcase(group, g) for g in params.except_groups)
    if not mine or _served(group, obj, facts) or any(selects(p, obj["apiVersion"], obj["kind"]) for p in params.except_kinds):
        return
    if params.even_defined or not brought_by_the_run(group, obj["kind"], facts):
        operator = operator_of_group(group)
        needs = f"{operator.name} installed on AKS first: {operator.instead}" if operator else "its operator installed on AKS first"
        yield Found("/apiVersion", {"value": obj["apiVersion"], "group": group, "needs": Wording(needs)})


def _served(group: str, obj: Mapping[str, Any], facts: Facts) -> bool:
    """Whether the target serves the group. Of an operator's own group a target says so by its name, no wildcard means it."""
    if group == "core" and obj["kind"] in LEGACY_OPENSHIFT:
        return False
    operator = operator_of_group(group)
    if operator is None:
        return any(fnmatch.fnmatchcase(group, g) for g in served_groups(facts.typed_target))
    return group in served_groups(facts.typed_target) or (operator.automatic and facts.typed_target.mode == "automatic")


def brought_by_the_run(group: str, kind: str, facts: Facts) -> bool:
    """Whether the run defines the kind, or installs its operator by a Helm chart that is known for it."""
    defined = (crd for crd in facts.of_kind("CustomResourceDefinition") if get(crd, "/spec/group") == group)
    if any(get(crd, "/spec/names/kind") in (kind, MISSING) for crd in defined):
        return True
    operator = operator_of_group(group)
    return operator is not None and any(chart in operator.charts for chart in charts_of(facts))


CHARTS: Mapping[str, str] = {"HelmRelease": "/spec/chart/spec/chart", "HelmChart": "/spec/chart", "Application": "/spec/source/chart"}
"""Where an object of Flux, of k3s or Flux, and of Argo CD names its chart."""


def charts_of(facts: Facts) -> Iterator[str]:
    """The last part of the name of every chart that the run installs."""
    for kind, path in CHARTS.items():
        found = (get(obj, path) for obj in facts.of_kind(kind))
        yield from (chart.rstrip("/").rpartition("/")[2] for chart in found if isinstance(chart, str))
