"""DeploymentConfig (apps.openshift.io/v1, legacy v1) to Deployment (apps/v1), field by field.

Facts: guide/aks_facts_source.md 2.1 (every field of openshift/api apps/v1). The pod template stays where it is, so that its comments
survive; only what a Deployment has not is moved or removed.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.deployment_strategy import Strategy, check_strategy, strategy_losses, strategy_operations
from shared.domain.convert.edits import annotations_of, label_of, name_of, namespace_of, retype, without_annotations, without_fields
from shared.domain.convert.forms import Count, Form, read_form
from shared.domain.convert.trigger_images import resolve_images
from shared.domain.model import Question
from shared.domain.paths import containers

API_VERSIONS = ("apps.openshift.io/v1", "v1")
CONTROLLER_LABEL = "deploymentconfig"
DEAD_ANNOTATIONS = ("openshift.io/deployment-config.", "openshift.io/deployment.", "openshift.io/generated-by",
                    "openshift.io/encoded-deployment-config", "kubectl.kubernetes.io/desired-replicas",
                    "kubectl.kubernetes.io/last-applied-configuration")  # fmt: skip


class PodMetadata(Form):
    """What is read of the pod template's metadata."""

    model_config = Form.model_config | {"extra": "ignore"}
    labels: dict[str, str] | None = None


class Template(Form):
    """`spec.template`; the pod's spec stays as it is."""

    metadata: PodMetadata | None = None
    spec: dict[str, Any]


class Spec(Form):
    """`spec` of a DeploymentConfig."""

    replicas: Count = None
    selector: dict[str, str] | None = None
    template: Template
    strategy: Strategy | None = None
    triggers: list[dict[str, Any]] | None = None
    min_ready_seconds: Count = None
    revision_history_limit: Count = None
    paused: bool | None = None
    test: bool | None = None


def deployment_config(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """A Deployment of the same name. Raises CannotConvert for hooks, custom strategies, test mode and images that must be asked for."""
    if obj.get("kind") != "DeploymentConfig" or obj.get("apiVersion") not in API_VERSIONS:
        raise CannotConvert("the object is not a DeploymentConfig")
    spec = read_form(Spec, obj.get("spec"), "/spec")
    _check(obj, spec, lookup)
    images = resolve_images(obj, spec.triggers, lookup)
    losses = [*_pause(spec), *_trigger_losses(spec), *strategy_losses(spec.strategy), *images.losses]
    operations = [
        *retype(obj, "apps/v1", "Deployment"),
        *without_annotations(obj, [a for a in annotations_of(obj) if a.startswith(DEAD_ANNOTATIONS)]),
        *_replicas(obj, spec, lookup),
        *_selector(obj, spec),
        *strategy_operations(spec.strategy),
        *without_fields(obj["spec"], "/spec", ("triggers", "test")),
        *_labels(obj, spec, lookup),
        *images.operations,
        *without_fields(obj, "", ("status",)),
    ]
    return Conversion(
        tuple(operations), losses=tuple(losses), questions=images.questions, resources=tuple(images.resources),
        reveals=tuple(f"{path}/image" for path, _ in containers(obj)),
    )  # fmt: skip


def _check(obj: dict[str, Any], spec: Spec, lookup: Lookup) -> None:
    name, namespace = name_of(obj), namespace_of(obj)
    if spec.test:
        raise CannotConvert("spec.test keeps the pods at zero except during a rollout, which a Deployment cannot", path="/spec/test")
    if lookup.exists("Deployment", namespace, name):
        raise CannotConvert(f"a Deployment {label_of(obj)} is already there")
    labels = _template_labels(spec)
    if any(labels.get(k) != v for k, v in (spec.selector or {}).items()):
        raise CannotConvert("spec.selector does not match the labels of the pod template", path="/spec/selector")
    revisions = [
        v for v in lookup.selected_values(namespace, "deployment") if v.removeprefix(f"{name}-").isdigit() and v.startswith(f"{name}-")
    ]
    if revisions and "deployment" not in labels:
        raise CannotConvert(f"a selector uses the label deployment: {min(revisions)}, which only the DeploymentConfig controller sets")
    check_strategy(spec.strategy or Strategy(), spec.min_ready_seconds if isinstance(spec.min_ready_seconds, int) else 0)


def _pause(spec: Spec) -> list[Loss]:
    text = "paused: a Deployment that is paused when it is made starts no pod until `kubectl rollout resume`"
    return [Loss("/spec/paused", text)] if spec.paused else []


def _template_labels(spec: Spec) -> dict[str, str]:
    return (spec.template.metadata.labels if spec.template.metadata else None) or {}


def _replicas(obj: dict[str, Any], spec: Spec, lookup: Lookup) -> list[Op]:
    if spec.replicas is not None:
        return []
    key = decision_key("replicas", label_of(obj))
    answer = lookup.decision(key)
    if isinstance(answer, bool) or not isinstance(answer, int):
        question = Question(
            key, f"How many pods shall {label_of(obj)} run? (OpenShift runs none where replicas is left out, a Deployment one)", "1"
        )
        raise CannotConvert("spec.replicas is absent: that means no pod on OpenShift, but one pod in a Deployment", question, "/spec")
    return [Op("replace" if "replicas" in obj["spec"] else "add", "/spec/replicas", answer)]


def _selector(obj: dict[str, Any], spec: Spec) -> list[Op]:
    labels = spec.selector or _template_labels(spec)
    if not labels:
        raise CannotConvert("there is neither a selector nor a label in the pod template to select by", path="/spec")
    return [Op("replace" if "selector" in obj["spec"] else "add", "/spec/selector", {"matchLabels": dict(labels)})]


def _labels(obj: dict[str, Any], spec: Spec, lookup: Lookup) -> list[Op]:
    """The label that the DeploymentConfig controller gave every pod, where something in the run selects by it."""
    name, labels = name_of(obj), _template_labels(spec)
    if CONTROLLER_LABEL in labels or name not in lookup.selected_values(namespace_of(obj), CONTROLLER_LABEL):
        return []
    template = obj["spec"]["template"]
    if labels:
        return [Op("add", f"/spec/template/metadata/labels/{CONTROLLER_LABEL}", name)]
    if isinstance(template.get("metadata"), dict):
        return [Op("add", "/spec/template/metadata/labels", {CONTROLLER_LABEL: name})]
    return [Op("add", "/spec/template/metadata", {"labels": {CONTROLLER_LABEL: name}})]


def _trigger_losses(spec: Spec) -> list[Loss]:
    if spec.triggers == []:
        return [
            Loss("/spec/triggers", "rollouts ran only on `oc rollout latest`; a Deployment rolls out on every change of its pod template")
        ]
    unknown = [t for t in spec.triggers or [] if t.get("type") not in ("ConfigChange", "ImageChange")]
    return [Loss("/spec/triggers", f"trigger of type {t.get('type')} has no equivalent and is removed") for t in unknown]
