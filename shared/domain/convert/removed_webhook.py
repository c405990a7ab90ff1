"""Webhook configurations of admissionregistration.k8s.io/v1beta1 (removed in 1.22) to v1.

Facts: guide/aks_facts_source.md 6: two fields became required and three defaults changed; the old defaults are written down.
"""

from __future__ import annotations

from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Op
from shared.domain.convert.edits import retype

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
OLD_DEFAULTS = {"admissionReviewVersions": ["v1beta1"], "failurePolicy": "Ignore", "matchPolicy": "Exact", "timeoutSeconds": 30}


def removed_webhook(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The same webhooks in v1. Raises CannotConvert where `sideEffects` is not one that v1 accepts: only the webhook's authors know."""
    del lookup
    if obj.get("apiVersion") != "admissionregistration.k8s.io/v1beta1" or obj.get("kind") not in KINDS:
        raise CannotConvert("the object is not a webhook configuration of a removed API")
    webhooks = obj.get("webhooks") or []
    names = {str(w.get("name")) for w in webhooks if isinstance(w, dict)} if isinstance(webhooks, list) else set()
    if not isinstance(webhooks, list) or len(names) != len(webhooks):
        raise CannotConvert("the webhooks do not have names of their own, which v1 requires", path="/webhooks")
    operations = retype(obj, "admissionregistration.k8s.io/v1", obj["kind"])
    for i, webhook in enumerate(webhooks):
        path = f"/webhooks/{i}"
        if webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise CannotConvert(
                f"{path}/sideEffects must be None or NoneOnDryRun in v1; only the authors of the webhook know which", path=path
            )
        missing = {k: v for k, v in OLD_DEFAULTS.items() if webhook.get(k) is None}
        operations += [Op("replace" if k in webhook else "add", f"{path}/{k}", v) for k, v in missing.items()]
    return Conversion(tuple(operations))
