"""Webhooks and CustomResourceDefinitions in removed versions: what v1 defaults otherwise is written down."""

import pytest
from convert_support import convert, expect_refusal, obj

UNTYPED = {"openAPIV3Schema": {"properties": {"a": {}}}}
HOOK = {"name": "a.example.com", "sideEffects": "None", "clientConfig": {"url": "https://a.example.com"}}


def test_webhook_defaults_are_written_down():
    result, _ = convert(
        "removed-api-webhook", obj("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", webhooks=[HOOK])
    )
    old = {"admissionReviewVersions": ["v1beta1"], "failurePolicy": "Ignore", "matchPolicy": "Exact", "timeoutSeconds": 30}
    assert result["webhooks"] == [HOOK | old]


@pytest.mark.parametrize(
    ("hooks", "why"),
    [
        ([HOOK | {"sideEffects": "Unknown"}], "sideEffects must be None"),
        ([{k: v for k, v in HOOK.items() if k != "sideEffects"}], "sideEffects must be None"),
        ([HOOK, HOOK], "names of their own"),
    ],
)
def test_webhooks_that_v1_refuses(hooks, why):
    source = obj("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", webhooks=hooks)
    assert why in str(expect_refusal("removed-api-webhook", source))


def crd(**spec):
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return obj(
        "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", spec={"group": "a.io", "scope": "Namespaced", "names": names, **spec}
    )


def test_crd_without_a_schema_keeps_everything():
    column = {"name": "Age", "type": "date", "JSONPath": ".metadata.creationTimestamp"}
    result, _ = convert("removed-api-crd", crd(version="v1", subresources={"status": {}}, additionalPrinterColumns=[column]))
    assert result["spec"]["versions"] == [
        {
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "subresources": {"status": {}},
            "additionalPrinterColumns": [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
        }
    ]  # fmt: skip
    assert result["spec"].keys() & {"version", "subresources", "additionalPrinterColumns", "validation"} == set()


STRUCTURAL = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}


def test_crd_with_a_structural_schema_that_prunes():
    versions = [{"name": "v1", "served": True, "storage": True}]
    result, _ = convert("removed-api-crd", crd(versions=versions, preserveUnknownFields=False, validation={"openAPIV3Schema": STRUCTURAL}))
    assert result["spec"]["versions"] == [versions[0] | {"schema": {"openAPIV3Schema": STRUCTURAL}}]
    assert "preserveUnknownFields" not in result["spec"]


def test_crd_that_kept_unknown_fields_still_does():
    keep = {"x-kubernetes-preserve-unknown-fields": True}
    labels = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {"metadata": {"type": "object"}, "spec": {"type": "object", "properties": {"labels": labels}}},
    }
    result, _ = convert("removed-api-crd", crd(version="v1", validation={"openAPIV3Schema": schema}))
    assert result["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == keep | {
        "type": "object",
        "properties": {"metadata": {"type": "object"}, "spec": keep | {"type": "object", "properties": {"labels": labels}}},
    }


def test_crd_with_a_conversion_webhook_and_without_a_scope():
    client = {"service": {"name": "w", "namespace": "a"}}
    result, _ = convert("removed-api-crd", crd(scope="", version="v1", conversion={"strategy": "Webhook", "webhookClientConfig": client}))
    assert result["spec"]["conversion"] == {
        "strategy": "Webhook",
        "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1beta1"]},
    }
    assert result["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"version": "v1", "preserveUnknownFields": False}, "would prune fields"),
        ({"version": "v1", "validation": UNTYPED}, "not structural"),
        ({"version": "v1", "preserveUnknownFields": False, "validation": UNTYPED}, "not structural"),
        ({"version": "v1", "conversion": {"strategy": "Webhook"}}, "spec.conversion is of no form"),
        ({}, "names no version"),
    ],
)
def test_crds_that_would_behave_otherwise_are_refused(spec, why):
    assert why in str(expect_refusal("removed-api-crd", crd(**spec)))
